//! `PUT /recipe/user`.

use super::shared::require_password;
use crate::command::emailpassword::update::{UpdateLogin, Updated};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::user::normalise_email;
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::shared::require_storable;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn update(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let id = body.string(if call.wire.users_have_login_methods { "recipeUserId" } else { "userId" })?;
    let email = body.optional_string("email")?.map(|email| normalise_email(&email));
    let password = body.optional_string("password")?;
    if email.is_none() && password.is_none() {
        return Err(ApiError::bad_request("You have to provide either email or password."));
    }
    password.as_deref().map_or(Ok(()), require_password)?;
    email.as_deref().map_or(Ok(()), require_storable)?;
    let command = UpdateLogin { scope: call.scope()?, id: UserId::new(id), email, password: password.as_deref() };
    Ok(match command.run(context).await? {
        Updated::Ok => Reply::status("OK"),
        Updated::UnknownUser => Reply::status("UNKNOWN_USER_ID_ERROR"),
        Updated::EmailTaken => Reply::status("EMAIL_ALREADY_EXISTS_ERROR"),
        Updated::EmailReserved => Reply::status_with_reason(
            "EMAIL_CHANGE_NOT_ALLOWED_ERROR",
            "New email is associated with another primary user ID",
        ),
    })
}
