//! Writes events for the hooks that are told of them.

use super::{failed, sealing_key};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::delivery::Progress;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::hook::{Circumstances, HookEvent, HookEventKind};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::hook_event::{self, HookEventRecord};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Whether a hook of the app is told of events of this kind: without one, they need not even be put together.
#[must_use]
pub fn is_wanted(scope: &Scope, kind: HookEventKind) -> bool {
    scope.app.config.hooks.events.iter().any(|hook| hook.wants(kind))
}

/// Adds an event to a transaction, once for each hook that is told of it. Without such a hook, nothing is done.
///
/// # Errors
/// When a key cannot be made, or the event is too large.
pub async fn raise(tx: &mut dyn Tx, context: &Context, scope: &Scope, event: &HookEvent<'_>) -> Result<(), Fault> {
    match is_wanted(scope, event.kind) {
        // In memory of its own: the transactions of servers without hooks should not grow.
        true => Box::pin(write(tx, context, scope, event)).await,
        false => Ok(()),
    }
}

async fn write(tx: &mut dyn Tx, context: &Context, scope: &Scope, event: &HookEvent<'_>) -> Result<(), Fault> {
    let (app, now) = (&scope.app, context.now());
    let id = time_ordered_uuid(context.entropy.as_ref(), now);
    let body = Zeroizing::new(event.body(&circumstances(scope, now)));
    let sealed_body = seal(context, scope, &id, &body).await?;
    for hook in app.config.hooks.events.iter().filter(|hook| hook.wants(event.kind)) {
        let record = HookEventRecord {
            kind: event.kind,
            created: now,
            expires: now.plus(app.config.hooks.retry_ms),
            progress: Progress::default(),
            error: None,
            sealed_body: sealed_body.clone(),
        };
        hook_event::put(tx, hook_event::key(&app.id, hook.id, &id), &record).map_err(failed)?;
    }
    Ok(())
}

async fn seal(context: &Context, scope: &Scope, id: &Uuid, body: &str) -> Result<Vec<u8>, Fault> {
    let key = sealing_key(context, &scope.app, id).await?;
    Ok(key.seal_at_rest(id.as_bytes(), body.as_bytes(), context.entropy.as_ref()))
}

/// What led to an event that happens now.
pub(super) fn circumstances(scope: &Scope, now: UnixMillis) -> Circumstances<'_> {
    let cause = &scope.cause;
    Circumstances { app: &scope.app.id, at: now, call: cause.call, request_id: &cause.request_id, client: cause.client }
}
