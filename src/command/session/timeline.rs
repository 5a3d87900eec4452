//! `GET /recipe/session/timeline` and `sessiond sessions why`.

use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::session::RefreshPolicy;
use crate::domain::session::client::SessionClients;
use crate::domain::session::event::{Event, EventKind, Use};
use crate::domain::session::timeline::Story;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::session::clients;
use crate::store::{session, timeline};
use serde_json::{Map, Value, json};

/// Finds what happened to a session, live or ended.
pub struct SessionTimeline<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The session's handle as presented.
    pub handle: &'a str,
}

/// The timeline of a session.
pub struct Timeline {
    /// Its handle.
    pub handle: SessionHandle,
    /// The id of its login method.
    pub user_id: UserId,
    /// When it was created.
    pub time_created: UnixMillis,
    /// When it ended; `None` while it is live.
    pub ended: Option<UnixMillis>,
    /// One sentence that explains why the session is in its present state.
    pub summary: String,
    /// The events, oldest first; each an object with `time` (ms), `event` and details. No secrets.
    pub events: Vec<Value>,
    /// The browsers or apps that used it, if they are known.
    pub clients: Option<SessionClients>,
    /// Number of events dropped between the first and the oldest kept, to stay within bounds.
    pub omitted: u64,
}

impl SessionTimeline<'_> {
    /// Returns the timeline; `None` when nothing is known about the handle (any more).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<Timeline>, Fault> {
        let Some(handle) = SessionHandle::parse(self.handle) else { return Ok(None) };
        let id = &self.scope.app.id;
        let failed = |error| Fault::new("loading a timeline", error);
        let named = &handle;
        let found = transact(context, named, "loading a timeline", |mut tx| async move {
            let session = session::get(tx.as_mut(), id, named).await.map_err(failed)?;
            let ended = timeline::get(tx.as_mut(), id, named).await.map_err(failed)?;
            let clients = match &ended {
                Some(record) => clients::get(tx.as_mut(), id, &record.user_id, named).await.map_err(failed)?,
                None => None,
            };
            Ok(Step::Commit(tx, (session, ended, clients)))
        });
        let (session, ended, clients) = found.await?;
        if let Some(record) = session {
            let story = Story { log: &record.log, expires: Some(record.family.expires), attempts: None };
            let told = build_story(handle, record.user_id, record.created, None, &story, context.now());
            return Ok(Some(Timeline { clients: record.clients, ..told }));
        }
        let retention = self.scope.app.config.session_timeline_retention_ms;
        let Some(record) = ended.filter(|record| !record.is_expired(retention, context.now())) else { return Ok(None) };
        let story = Story { log: &record.log, expires: None, attempts: record.attempts };
        let told = build_story(handle, record.user_id, record.created, Some(record.ended), &story, context.now());
        Ok(Some(Timeline { clients, ..told }))
    }
}

fn build_story(
    handle: SessionHandle,
    user_id: UserId,
    time_created: UnixMillis,
    ended: Option<UnixMillis>,
    story: &Story<'_>,
    now: UnixMillis,
) -> Timeline {
    let mut events: Vec<Value> = story.log.events().iter().map(event_value).collect();
    if let Some(attempts) = story.attempts {
        events.push(json!({
            "time": attempts.first,
            "event": "refresh-attempted-after-end",
            "count": attempts.count,
            "lastTime": attempts.last,
        }));
    }
    let (summary, omitted) = (story.summary(now), story.log.omitted());
    Timeline { handle, user_id, time_created, ended, summary, events, clients: None, omitted }
}

/// The clients of a session as members of a JSON object.
#[must_use]
pub fn clients_value(clients: Option<&SessionClients>) -> Value {
    json!(clients.map(SessionClients::told).unwrap_or_default())
}

/// One event as JSON: `time`, `event`, `count` and `lastTime` if it repeated, and the details of its kind.
fn event_value(event: &Event) -> Value {
    let mut value = Map::new();
    value.insert("time".to_owned(), json!(event.at));
    value.insert("event".to_owned(), json!(event.kind.name()));
    if let Some(repeats) = event.repeats {
        value.insert("count".to_owned(), json!(u64::from(repeats.more) + 1));
        value.insert("lastTime".to_owned(), json!(repeats.last));
    }
    let mut detail = |name: &str, detail: Value| value.insert(name.to_owned(), detail);
    match &event.kind {
        EventKind::Promoted { by, generation } | EventKind::SiblingMoved { by, generation } => {
            detail("usedAt", json!(used_at(*by)));
            detail("generation", json!(generation));
        }
        EventKind::Refreshed { generation }
        | EventKind::Rotated { generation }
        | EventKind::GraceReplay { generation } => {
            detail("generation", json!(generation));
        }
        EventKind::ReuseDetected { subtype, policy, generation, after_ms, .. } => {
            detail("subtype", json!(subtype.as_str()));
            detail("endsSession", json!(*policy == RefreshPolicy::RotateOnRefresh));
            detail("tokenGeneration", json!(generation));
            if let Some(ms) = after_ms {
                detail("msAfterReplacement", json!(ms));
            }
        }
        EventKind::Revoked { call, .. } => {
            detail("call", json!(call));
        }
        EventKind::RevokedWithUser { change, call, .. } => {
            detail("reason", json!(change.as_str()));
            detail("call", json!(call));
        }
        EventKind::Created { .. }
        | EventKind::Expired
        | EventKind::PayloadUpdated { .. }
        | EventKind::DatabaseUpdated { .. }
        | EventKind::Regenerated { .. } => {}
    }
    if let Some(request_id) = event.kind.request_id().filter(|id| !id.is_empty()) {
        detail("requestId", json!(request_id));
    }
    Value::Object(value)
}

const fn used_at(by: Use) -> &'static str {
    match by {
        Use::Verify => "verify",
        Use::Refresh => "refresh",
    }
}
