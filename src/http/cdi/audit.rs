//! `GET /audit` (ours): who signed in, who was refused, what changed; newest first.

use crate::command::audit::{AuditEntry, Cursor, ReadAudit};
use crate::context::Context;
use crate::domain::audit::AuditKind;
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::route;
use serde::Serialize;
use serde_json::Value;

/// Routes of this part.
pub const ROUTES: &[Route] = &[route!(GET "/audit", AppStrict403 => read)];

/// Default number of events in a page.
const LIMIT: usize = 100;
/// Maximum number of events in a page.
const MAX_LIMIT: usize = 500;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditBody {
    status: &'static str,
    events: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

async fn read(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let limit = query.int("limit")?.map_or(Some(LIMIT), |limit| usize::try_from(limit).ok());
    let limit = limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| ApiError::bad_request(format!("'limit' must be between 1 and {MAX_LIMIT}")))?;
    let kind = query.optional("kind");
    let kind = kind.map(|name| AuditKind::named(&name).ok_or_else(unknown_kind)).transpose()?;
    let cursor = query.optional("cursor").map(|text| {
        let refuse = || ApiError::bad_request("'cursor' is not one that an earlier page ended with");
        Cursor::parse(&text).ok_or_else(refuse)
    });
    let command = ReadAudit {
        user_id: query.optional("userId").map(UserId::new),
        kind,
        from: moment(query, "from")?.unwrap_or_default(),
        to: moment(query, "to")?,
        cursor: cursor.transpose()?,
        limit,
        scope: call.scope()?,
    };
    let page = command.run(context).await?;
    let events = page.events.iter().map(AuditEntry::to_json).collect();
    Ok(Reply::json(&AuditBody { status: "OK", events, next_cursor: page.next.map(|next| next.to_string()) }))
}

/// A moment in ms since 1970.
fn moment(query: Query<'_>, name: &str) -> Result<Option<UnixMillis>, ApiError> {
    let negative = |_| ApiError::bad_request(format!("'{name}' query parameter must be >= 0"));
    query.long(name)?.map(|ms| u64::try_from(ms).map(UnixMillis).map_err(negative)).transpose()
}

fn unknown_kind() -> ApiError {
    let names: Vec<_> = AuditKind::ALL.into_iter().map(AuditKind::name).collect();
    ApiError::bad_request(format!("'kind' must be one of {}", names.join(", ")))
}
