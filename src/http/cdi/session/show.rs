//! `GET /recipe/session`.

use super::reply::{display, no_such_session};
use super::shared::require_handle_tenant;
use crate::command::session::list::{FindSession, SessionInfo};
use crate::context::Context;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InfoBody<'a> {
    status: &'static str,
    #[serde(serialize_with = "display")]
    session_handle: &'a SessionHandle,
    user_id: &'a UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_user_id: Option<&'a UserId>,
    user_data_in_database: &'a JsonObject,
    #[serde(rename = "userDataInJWT")]
    user_data_in_jwt: &'a JsonObject,
    expiry: UnixMillis,
    time_created: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a TenantId>,
}

pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let Some(session) = find(context, call).await? else {
        return Ok(no_such_session());
    };
    Ok(Reply::json(&InfoBody {
        status: "OK",
        session_handle: &session.handle,
        user_id: &session.user_id,
        recipe_user_id: call.wire.session_has_recipe_user_id.then_some(&session.recipe_user_id),
        user_data_in_database: &session.user_data_in_database,
        user_data_in_jwt: &session.user_data_in_jwt,
        expiry: session.expiry,
        time_created: session.time_created,
        tenant_id: call.wire.session_has_tenant_id.then_some(&session.handle.tenant),
    }))
}

/// The session named by the query's `sessionHandle`.
pub(super) async fn find(context: &Context, call: &Call) -> Result<Option<SessionInfo>, ApiError> {
    let handle = Query::of(&call.request).required("sessionHandle")?;
    require_handle_tenant(call, &handle)?;
    Ok(FindSession { scope: call.scope()?, handle: &handle }.run(context).await?)
}
