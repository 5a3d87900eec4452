//! `POST /recipe/user/password/reset/token`, `…/token/consume` and `POST /recipe/user/password/reset`.

use super::shared::require_password;
use crate::command::emailpassword::reset::{
    ConsumeResetToken, Consumed, CreateResetToken, ResetPassword, ResetTokenCreated,
};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::tenancy::Recipe;
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::shared::require_storable;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct TokenBody<'a> {
    status: &'static str,
    token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsumedBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// The address is used as sent: it need not be one of the person's.
pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let id = UserId::new(body.string("userId")?);
    let email = if call.wire.users_have_login_methods { Some(body.string("email")?) } else { None };
    let scope = call.scope()?;
    call.require_recipe(Recipe::EmailPassword)?;
    let email = email.as_deref();
    email.map_or(Ok(()), require_storable)?;
    let lifetime_ms = call.existing_tenant()?.config.password_reset_token_lifetime_ms;
    match (CreateResetToken { scope, id, email, lifetime_ms, mail: None }).run(context).await? {
        ResetTokenCreated::Ok(token) => Ok(Reply::json(&TokenBody { status: "OK", token: token.expose() })),
        ResetTokenCreated::UnknownUser => Ok(Reply::status("UNKNOWN_USER_ID_ERROR")),
        ResetTokenCreated::Linked => Err(ApiError::bad_request("Please use CDI version >= 4.0")),
    }
}

pub(super) async fn consume(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let token = body.string("token")?;
    let consumed = ConsumeResetToken { scope: call.scope()?, token: &token }.run(context).await?;
    Ok(reply(consumed, |user_id, email| (Some(user_id), Some(email))))
}

pub(super) async fn reset(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let method = body.string("method")?;
    let token = body.string("token")?;
    let new_password = body.string("newPassword")?;
    if method != "token" {
        return Err(ApiError::bad_request("Unsupported method for password reset"));
    }
    require_password(&new_password)?;
    let command = ResetPassword { scope: call.scope()?, token: &token, new_password: &new_password };
    let names_user = call.wire.password_reset_names_user;
    Ok(reply(command.run(context).await?, |user_id, _| (names_user.then_some(user_id), None)))
}

fn reply(consumed: Consumed, shown: impl FnOnce(UserId, String) -> (Option<UserId>, Option<String>)) -> Reply {
    match consumed {
        Consumed::Ok { user_id, email } => {
            let (user_id, email) = shown(user_id, email);
            Reply::json(&ConsumedBody { status: "OK", user_id, email })
        }
        Consumed::InvalidToken => Reply::status("RESET_PASSWORD_INVALID_TOKEN_ERROR"),
    }
}
