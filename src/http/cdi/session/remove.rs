//! `POST /recipe/session/remove`.

use crate::command::session::revoke::{RevokeSessions, Which};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RevokedBody {
    status: &'static str,
    session_handles_revoked: Vec<String>,
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = body.optional_string("userId")?;
    let handles = body.optional_strings("sessionHandles")?;
    let across_all_tenants = body.optional_bool("revokeAcrossAllTenants")?;
    let for_linked_accounts = body.optional_bool("revokeSessionsForLinkedAccounts")?;
    let command = match (user_id, handles) {
        (Some(user_id), None) => {
            let user_id = UserId::new(user_id);
            let linked = for_linked_accounts.unwrap_or(true);
            if across_all_tenants.unwrap_or(true) {
                call.require_public_tenant()?;
                RevokeSessions { scope: call.app_scope(), which: Which::User { user_id, linked, tenant: None } }
            } else {
                let scope = call.scope()?;
                RevokeSessions { scope, which: Which::User { user_id, linked, tenant: Some(call.tenant.clone()) } }
            }
        }
        (None, Some(handles)) => {
            only_with_user_id("revokeAcrossAllTenants", across_all_tenants)?;
            only_with_user_id("revokeSessionsForLinkedAccounts", for_linked_accounts)?;
            // Each handle names its own tenant; the path's tenant does not matter.
            RevokeSessions { scope: call.app_scope(), which: Which::Handles(handles) }
        }
        _ => {
            let sentence = "Invalid JSON input - use one of userId or sessionHandles array";
            return Err(ApiError::bad_request(sentence));
        }
    };
    let session_handles_revoked = command.run(context).await?;
    Ok(Reply::json(&RevokedBody { status: "OK", session_handles_revoked }))
}

fn only_with_user_id(name: &str, value: Option<bool>) -> Result<(), ApiError> {
    match value {
        None => Ok(()),
        Some(_) => Err(ApiError::bad_request(format!("Invalid JSON input - {name} can only be set if userId is set"))),
    }
}
