//! `POST /recipe/accountlinking/user/primary`, and `GET …/check`, which returns what that call would answer.

use super::shared::{ConflictBody, taken, unknown_user};
use crate::command::user::linking::{MakePrimary, MakePrimaryUserOutcome};
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
struct PrimaryBody<'a> {
    status: &'static str,
    was_already_a_primary_user: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserObject<'a>>,
}

pub(super) async fn check(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let id = UserId::new(Query::of(&call.request).required("recipeUserId")?);
    let made = MakePrimary { scope: call.scope()?, id }.check(context).await?;
    reply(call, &made, false)
}

pub(super) async fn make(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let id = UserId::new(Body::of(&call.request)?.string("recipeUserId")?);
    let made = MakePrimary { scope: call.scope()?, id }.run(context).await?;
    reply(call, &made, true)
}

fn reply(call: &Call, made: &MakePrimaryUserOutcome, with_user: bool) -> Result<Reply, ApiError> {
    match made {
        MakePrimaryUserOutcome::UnknownUser => Err(unknown_user()),
        MakePrimaryUserOutcome::Ok { already, user } => Ok(Reply::json(&PrimaryBody {
            status: "OK",
            was_already_a_primary_user: *already,
            user: with_user.then(|| UserObject::whole(user, call.wire)),
        })),
        MakePrimaryUserOutcome::AccountInfoTaken(conflict) => Ok(taken(conflict)),
        MakePrimaryUserOutcome::Linked { primary_user_id } => Ok(Reply::json(&ConflictBody {
            status: "RECIPE_USER_ID_ALREADY_LINKED_WITH_PRIMARY_USER_ID_ERROR",
            primary_user_id,
            description: "This user ID is already linked to another user ID",
        })),
    }
}
