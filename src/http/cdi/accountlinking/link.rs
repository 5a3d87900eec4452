//! `POST /recipe/accountlinking/user/link`, and `GET …/check`, which returns what that call would answer.

use super::shared::{ConflictBody, taken, unknown_user};
use crate::command::user::linking::{AccountsLinked, LinkAccounts};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query};
use crate::http::cdi::user::object::UserObject;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinkedBody<'a> {
    status: &'static str,
    accounts_already_linked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserObject<'a>>,
}

#[derive(Serialize)]
struct ElsewhereBody<'a> {
    #[serde(flatten)]
    in_the_way: ConflictBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserObject<'a>>,
}

pub(super) async fn check(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let recipe_user_id = UserId::new(query.required("recipeUserId")?);
    let primary_user_id = UserId::new(query.required("primaryUserId")?);
    let linked = LinkAccounts { scope: call.scope()?, recipe_user_id, primary_user_id }.check(context).await?;
    reply(call, &linked, false)
}

pub(super) async fn link(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let recipe_user_id = UserId::new(body.string("recipeUserId")?);
    let primary_user_id = UserId::new(body.string("primaryUserId")?);
    let linked = LinkAccounts { scope: call.scope()?, recipe_user_id, primary_user_id }.run(context).await?;
    reply(call, &linked, true)
}

fn reply(call: &Call, linked: &AccountsLinked, with_user: bool) -> Result<Reply, ApiError> {
    match linked {
        AccountsLinked::UnknownUser => Err(unknown_user()),
        AccountsLinked::Ok { already, user } => Ok(Reply::json(&LinkedBody {
            status: "OK",
            accounts_already_linked: *already,
            user: with_user.then(|| UserObject::whole(user, call.wire)),
        })),
        AccountsLinked::AccountInfoTaken(conflict) => Ok(taken(conflict)),
        AccountsLinked::Elsewhere { user } => Ok(Reply::json(&ElsewhereBody {
            in_the_way: ConflictBody {
                status: "RECIPE_USER_ID_ALREADY_LINKED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
                primary_user_id: user.user.shown_id(),
                description: "The input recipe user ID is already linked to another user ID",
            },
            user: with_user.then(|| UserObject::whole(user, call.wire)),
        })),
        AccountsLinked::NotPrimary => Ok(Reply::status("INPUT_USER_IS_NOT_A_PRIMARY_USER")),
    }
}
