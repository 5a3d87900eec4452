//! `GET /recipe/session/timeline` (ours): what happened to a session, live or ended.

use super::reply::display;
use super::shared::require_handle_tenant;
use crate::command::session::timeline::{SessionTimeline, clients_value};
use crate::context::Context;
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimelineBody {
    status: &'static str,
    #[serde(serialize_with = "display")]
    session_handle: SessionHandle,
    user_id: UserId,
    time_created: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ended: Option<UnixMillis>,
    summary: String,
    /// `createdFrom` and `refreshedFrom`, where they are known.
    #[serde(flatten)]
    clients: Value,
    events: Vec<Value>,
    events_omitted: u64,
}

pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let handle = Query::of(&call.request).required("sessionHandle")?;
    require_handle_tenant(call, &handle)?;
    let timeline = SessionTimeline { scope: call.scope()?, handle: &handle }.run(context).await?;
    Ok(match timeline {
        Some(timeline) => Reply::json(&TimelineBody {
            status: "OK",
            session_handle: timeline.handle,
            user_id: timeline.user_id,
            time_created: timeline.time_created,
            time_ended: timeline.ended,
            summary: timeline.summary,
            clients: clients_value(timeline.clients.as_ref()),
            events: timeline.events,
            events_omitted: timeline.omitted,
        }),
        None => Reply::status("UNKNOWN_SESSION_ERROR"),
    })
}
