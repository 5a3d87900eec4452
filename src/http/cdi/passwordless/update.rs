//! `PUT /recipe/user`.

use crate::command::passwordless::update::{ContactChange, UpdateContacts, Updated};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::user::{normalise_email, normalise_phone_number};
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::shared::require_storable;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn update(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let id = UserId::new(body.string(if call.wire.users_have_login_methods { "recipeUserId" } else { "userId" })?);
    let email = change(&body, "email", normalise_email)?;
    let phone_number = change(&body, "phoneNumber", normalise_phone_number)?;
    let command = UpdateContacts { scope: call.scope()?, id, email, phone_number };
    Ok(match command.run(context).await? {
        Updated::Ok => Reply::status("OK"),
        Updated::UnknownUser => Reply::status("UNKNOWN_USER_ID_ERROR"),
        Updated::EmailTaken => Reply::status("EMAIL_ALREADY_EXISTS_ERROR"),
        Updated::PhoneNumberTaken => Reply::status("PHONE_NUMBER_ALREADY_EXISTS_ERROR"),
        Updated::NothingLeft => {
            let sentence = "You cannot clear both email and phone number of a user";
            return Err(ApiError::bad_request(sentence));
        }
        Updated::EmailReserved => Reply::status_with_reason(
            "EMAIL_CHANGE_NOT_ALLOWED_ERROR",
            "New email is associated with another primary user ID",
        ),
        Updated::PhoneNumberReserved => Reply::status_with_reason(
            "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR",
            "New phone number is associated with another primary user ID",
        ),
    })
}

/// Absent: keep it. `null`: remove it.
fn change(body: &Body<'_>, field: &str, normalise: fn(&str) -> String) -> Result<ContactChange, ApiError> {
    if body.is_null(field) {
        return Ok(ContactChange::Clear);
    }
    let Some(new) = body.optional_string(field)? else { return Ok(ContactChange::Keep) };
    let new = normalise(&new);
    require_storable(&new)?;
    Ok(ContactChange::Set(new))
}
