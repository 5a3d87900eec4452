//! `GET /recipe/user` and `GET /recipe/users/by-email`.

use super::shared::account;
use crate::command::thirdparty::find::{FindByAccount, FindByEmail};
use crate::command::user::look_up::FindLogin;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::user::{RecipeId, normalise_email};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::cdi::user::object::{UserObject, found_or};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct UsersBody<'a> {
    status: &'static str,
    users: Vec<UserObject<'a>>,
}

/// By id in the whole app, by account in the path's tenant.
pub(super) async fn find(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let pair = (query.optional("thirdPartyId"), query.optional("thirdPartyUserId"));
    let (found, unknown) = match (query.optional("userId"), pair) {
        (Some(id), (None, None)) => {
            call.require_public_tenant()?;
            let command = FindLogin { scope: call.scope()?, id: UserId::new(id), recipe: RecipeId::ThirdParty };
            (command.run(context).await?, "UNKNOWN_USER_ID_ERROR")
        }
        (None, (Some(id), Some(user_id))) => {
            call.existing_tenant()?;
            let (scope, tenant) = (call.scope()?, call.tenant.clone());
            let command = FindByAccount { scope, tenant, account: account(id, user_id) };
            (command.run(context).await?, "UNKNOWN_THIRD_PARTY_USER_ERROR")
        }
        (Some(_), _) => {
            let sentence = "Please provide only one of userId or (thirdPartyId & thirdPartyUserId)";
            return Err(ApiError::bad_request(sentence));
        }
        (None, _) => {
            let sentence = "Please provide one of userId or (thirdPartyId & thirdPartyUserId)";
            return Err(ApiError::bad_request(sentence));
        }
    };
    Ok(found_or(unknown, found.as_ref(), call.wire))
}

/// Lists each person once; before account linking, each matching login method.
pub(super) async fn by_email(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let email = normalise_email(&Query::of(&call.request).required("email")?);
    let (scope, tenant) = (call.scope()?, call.tenant.clone());
    let mut people = FindByEmail { scope, tenant, email }.run(context).await?;
    if call.wire.users_have_login_methods {
        people.dedup_by(|a, b| a.info.user.id == b.info.user.id);
    }
    let users = people.iter().map(|person| UserObject::of(&person.info, &person.recipe_user_id, call.wire)).collect();
    Ok(Reply::json(&UsersBody { status: "OK", users }))
}
