//! `GET /recipe/session/user`.

use crate::command::session::list::ListSessions;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HandlesBody {
    status: &'static str,
    session_handles: Vec<String>,
}

pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let user_id = UserId::new(query.required("userId")?);
    let linked = query.flag("fetchSessionsForAllLinkedAccounts").unwrap_or(true);
    let command = if query.flag("fetchAcrossAllTenants").unwrap_or(true) {
        call.require_public_tenant()?;
        ListSessions { scope: call.app_scope(), user_id, linked, tenant: None }
    } else {
        ListSessions { scope: call.scope()?, user_id, linked, tenant: Some(call.tenant.clone()) }
    };
    Ok(Reply::json(&HandlesBody { status: "OK", session_handles: command.run(context).await? }))
}
