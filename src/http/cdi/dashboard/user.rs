//! `/recipe/dashboard/user` and `/recipe/dashboard/users`.

use crate::command::dashboard::user::{CreateUser, DeleteUser, ListUsers, SaveUserOutcome, UpdateUser};
use crate::command::dashboard::{DashboardUser, Named};
use crate::context::Context;
use crate::domain::dashboard::{check_password, is_email};
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::domain::user::normalise_email;
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::shared::require_storable;
use crate::http::cdi::input::{Body, Query};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct SavedBody<'a> {
    status: &'static str,
    user: UserBody<'a>,
}

#[derive(Serialize)]
struct UsersBody<'a> {
    status: &'static str,
    users: Vec<UserBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserBody<'a> {
    email: &'a str,
    user_id: &'a UserId,
    time_joined: UnixMillis,
}

impl<'a> UserBody<'a> {
    fn of(user: &'a DashboardUser) -> Self {
        Self { email: &user.email, user_id: &user.id, time_joined: user.time_joined }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletedBody {
    status: &'static str,
    did_user_exist: bool,
}

pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let email = normalise_email(&body.trimmed_string("email")?);
    require_storable(&email)?;
    if !is_email(&email) {
        return Ok(reply(&SaveUserOutcome::InvalidEmail));
    }
    let password = body.trimmed_string("password")?;
    Ok(reply(&CreateUser { scope: call.scope()?, email, password: &password }.run(context).await?))
}

pub(super) async fn update(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let new_email = body.optional_trimmed_string("newEmail")?.map(|email| normalise_email(&email));
    new_email.as_deref().map_or(Ok(()), require_storable)?;
    if new_email.as_deref().is_some_and(|email| !is_email(email)) {
        return Ok(reply(&SaveUserOutcome::InvalidEmail));
    }
    let new_password = body.optional_trimmed_string("newPassword")?;
    if let Some(Err(weak)) = new_password.as_deref().map(check_password) {
        return Ok(reply(&SaveUserOutcome::Weak(weak)));
    }
    let named = named(body.optional_trimmed_string("userId")?, body.optional_trimmed_string("email")?)?;
    let command = UpdateUser { scope: call.scope()?, named, email: new_email, password: new_password.as_deref() };
    Ok(reply(&command.run(context).await?))
}

pub(super) async fn delete(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let named = named(query.optional_trimmed("userId")?, query.optional_trimmed("email")?)?;
    let did_user_exist = DeleteUser { scope: call.scope()?, named }.run(context).await?;
    Ok(Reply::json(&DeletedBody { status: "OK", did_user_exist }))
}

pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let users = ListUsers { scope: call.scope()? }.run(context).await?;
    Ok(Reply::json(&UsersBody { status: "OK", users: users.iter().map(UserBody::of).collect() }))
}

/// The user a request refers to: by id, or by address if there is no id.
fn named(user_id: Option<String>, email: Option<String>) -> Result<Named, ApiError> {
    match (user_id, email) {
        (Some(id), _) => Ok(Named::Id(UserId::new(id))),
        (None, Some(email)) => Ok(Named::Email(normalise_email(&email))),
        (None, None) => Err(ApiError::bad_request("Either field 'email' or 'userId' must be present")),
    }
}

fn reply(saved: &SaveUserOutcome) -> Reply {
    match saved {
        SaveUserOutcome::Ok(user) => Reply::json(&SavedBody { status: "OK", user: UserBody::of(user) }),
        SaveUserOutcome::InvalidEmail => Reply::status("INVALID_EMAIL_ERROR"),
        SaveUserOutcome::Weak(why) => Reply::status_with_message("PASSWORD_WEAK_ERROR", why.sentence()),
        SaveUserOutcome::EmailTaken => Reply::status("EMAIL_ALREADY_EXISTS_ERROR"),
        SaveUserOutcome::UnknownUser => Reply::status("UNKNOWN_USER_ERROR"),
    }
}
