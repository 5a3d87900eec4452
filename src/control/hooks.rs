//! Events that hooks have not taken yet: the tasks about them.

use crate::command::hook::operate::{DropEvents, ListEvents, RetryEvents, TestEventHooks, TestedHook, WaitingEvent};
use crate::context::Context;
use crate::control::mail::state;
use crate::control::task_context::{failed, scope};
use crate::domain::ids::AppId;
use crate::domain::time::Reading;
use crate::outbound::hook::message_id;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) async fn test(context: &Context, id: &AppId) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond hooks test")?;
    let tested = TestEventHooks { scope }.run(context).await;
    if tested.is_empty() {
        return Err("no hook is configured: event_hooks is not set for this app".to_owned());
    }
    let shown = |TestedHook { host, answer }: TestedHook| match answer {
        Ok(status) => json!({ "hook": host, "status": "TAKEN", "answer": status.to_string() }),
        Err(error) => json!({ "hook": host, "status": "NOT_TAKEN", "answer": error.what }),
    };
    Ok(json!({ "hooks": tested.into_iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) async fn list(context: &Context, id: &AppId, limit: u32) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond hooks list")?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let events = ListEvents { scope, limit }.run(context).await.map_err(failed)?;
    let now = context.clock.reading();
    Ok(json!({ "events": events.iter().map(|event| shown(event, &now)).collect::<Vec<_>>() }))
}

pub(super) async fn retry(context: &Context, id: &AppId, event: Option<Uuid>) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond hooks retry")?;
    let retried = RetryEvents { scope, id: event }.run(context).await.map_err(failed)?;
    Ok(json!({ "retried": retried }))
}

pub(super) async fn drop(context: &Context, id: &AppId, event: Option<Uuid>) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond hooks drop")?;
    let dropped = DropEvents { scope, id: event }.run(context).await.map_err(failed)?;
    Ok(json!({ "dropped": dropped }))
}

/// An event without what it says of people.
fn shown(event: &WaitingEvent, now: &Reading) -> Value {
    let record = &event.record;
    // The hook may have been taken out of the settings: then nothing is tried.
    let (state, due) = match &event.hook {
        Some(_) => state(&record.progress, now),
        None => ("without hook", None),
    };
    json!({
        "id": message_id(&event.id),
        "type": record.kind.name(),
        "hook": event.hook,
        "timeCreated": record.created,
        "expiry": record.expires,
        "state": state,
        "nextAttempt": due,
        "failures": record.progress.failures,
        "lastError": record.error,
    })
}
