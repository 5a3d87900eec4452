//! The audit log for operators.

use super::task_context::{failed, scope};
use crate::command::audit::{AuditEntry, ReadAudit};
use crate::context::Context;
use crate::domain::audit::AuditKind;
use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;
use serde_json::{Value, json};

/// The events that an operator wants to see.
pub(super) struct AuditFilter {
    /// The app whose events are read.
    pub(super) app: AppId,
    /// The user that the events are about; all without.
    pub(super) user: Option<String>,
    /// The kind of the events, by name; all without.
    pub(super) kind: Option<String>,
    /// The most events to return.
    pub(super) limit: u32,
    /// The first moment to include, in ms.
    pub(super) from: Option<u64>,
    /// The first moment to exclude, in ms.
    pub(super) to: Option<u64>,
}

/// Reads pages until there are enough events, or no more.
pub(super) async fn read(context: &Context, filter: AuditFilter) -> Result<Value, String> {
    let scope = scope(context, &filter.app, None, "sessiond audit")?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let kind = filter.kind.as_deref();
    let kind = kind.map(|name| AuditKind::named(name).ok_or_else(|| format!("there is no kind of event named {name}")));
    let kind = kind.transpose()?;
    let mut events = Vec::new();
    let mut cursor = None;
    loop {
        let command = ReadAudit {
            scope: scope.clone(),
            user_id: filter.user.clone().map(UserId::new),
            kind,
            from: UnixMillis(filter.from.unwrap_or(0)),
            to: filter.to.map(UnixMillis),
            cursor,
            limit: limit - events.len(),
        };
        let page = command.run(context).await.map_err(failed)?;
        events.extend(page.events.iter().map(AuditEntry::to_json));
        cursor = page.next;
        if cursor.is_none() || events.len() >= limit {
            return Ok(json!({ "events": events }));
        }
    }
}
