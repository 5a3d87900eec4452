//! Login methods in tenants. The path's tenant is the one concerned.

use crate::command::user::Conflict;
use crate::command::user::association::{AddToTenant, AddToTenantOutcome, RemoveFromTenant, RemoveFromTenantOutcome};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::user::AccountInfo;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, blank_field};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddedBody {
    status: &'static str,
    was_already_associated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedBody {
    status: &'static str,
    was_associated: bool,
}

pub(super) async fn add(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let id = id(call)?;
    let command = AddToTenant { scope: call.scope()?, tenant: call.tenant.clone(), id };
    Ok(match command.run(context).await? {
        AddToTenantOutcome::Ok { already } => Reply::json(&AddedBody { status: "OK", was_already_associated: already }),
        AddToTenantOutcome::UnknownUser => Reply::status("UNKNOWN_USER_ID_ERROR"),
        AddToTenantOutcome::LoginTaken(info) => Reply::status(match info {
            AccountInfo::Email(_) => "EMAIL_ALREADY_EXISTS_ERROR",
            AccountInfo::PhoneNumber(_) => "PHONE_NUMBER_ALREADY_EXISTS_ERROR",
            AccountInfo::ThirdParty(_) => "THIRD_PARTY_USER_ALREADY_EXISTS_ERROR",
        }),
        AddToTenantOutcome::AccountInfoTaken(conflict) => {
            Reply::status_with_reason("ASSOCIATION_NOT_ALLOWED_ERROR", &reason(&conflict))
        }
    })
}

fn reason(conflict: &Conflict) -> String {
    let what = match conflict.info {
        AccountInfo::Email(_) => "email",
        AccountInfo::PhoneNumber(_) => "phone number",
        AccountInfo::ThirdParty(_) => "third party info",
    };
    format!("Another primary user with {what} already exists: {}", conflict.primary_user_id.as_str())
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let id = id(call)?;
    let command = RemoveFromTenant { scope: call.scope()?, tenant: call.tenant.clone(), id };
    Ok(match command.run(context).await? {
        RemoveFromTenantOutcome::Ok { was_there } => {
            Reply::json(&RemovedBody { status: "OK", was_associated: was_there })
        }
        RemoveFromTenantOutcome::UnknownUser => Reply::status("UNKNOWN_USER_ID_ERROR"),
    })
}

/// An empty id is reported as `userId` at every version.
fn id(call: &Call) -> Result<UserId, ApiError> {
    let body = Body::of(&call.request)?;
    let id = body.string(if call.wire.users_have_login_methods { "recipeUserId" } else { "userId" })?;
    match id.trim() {
        "" => Err(blank_field("userId")),
        id => Ok(UserId::new(id)),
    }
}
