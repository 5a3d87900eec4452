//! Tells a hook of one event.

use super::{failed, sealing_key};
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::delivery::{Due, Failure, Progress};
use crate::domain::hook::{EventHook, EventHookId};
use crate::domain::ids::AppId;
use crate::fault::Fault;
use crate::outbound::hook::{TellError, message_id};
use crate::state::directory::AppEntry;
use crate::store::Key;
use crate::store::hook_event::{self, HookEventRecord};
use std::sync::Arc;
use uuid::Uuid;

/// Tells a hook of an event, if it is due, and removes it.
pub struct DeliverEvent {
    /// The app.
    pub app: Arc<AppEntry>,
    /// The hook.
    pub hook: EventHook,
    /// The event's id.
    pub id: Uuid,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverEventOutcome {
    /// The hook took it.
    Told,
    /// It was removed untold: it has expired.
    Dropped,
    /// The hook did not take it; it stays.
    Failed,
    /// There was nothing to do: it is not due, or somebody else has removed it.
    Nothing,
}

impl DeliverEvent {
    /// Tells the hook and returns what became of the event.
    ///
    /// # Errors
    /// When the store fails. If the hook was told before, this process remembers it and does not tell it again.
    pub async fn run(self, context: &Context) -> Result<DeliverEventOutcome, Fault> {
        let record = hook_event::get(context.store.begin().as_mut(), &self.key()).await.map_err(failed)?;
        let Some(record) = record else { return Ok(DeliverEventOutcome::Nothing) };
        if context.events.is_sent(&self.message()) {
            self.remove(context).await?;
            return Ok(DeliverEventOutcome::Nothing);
        }
        let now = context.clock.reading();
        if now.wall >= record.expires {
            // With a wrong clock, an event could seem to have expired; it is not told, but not lost either.
            return match context.settled_clock.trusts(now) {
                true => self.drop_untold(context, &record).await,
                false => Ok(DeliverEventOutcome::Nothing),
            };
        }
        let is_paused = context.events.is_closing() || context.events.pause_left(&self.place(), now.steady).is_some();
        if is_paused || record.progress.due(&now) != Due::Now {
            return Ok(DeliverEventOutcome::Nothing);
        }
        match self.open(context, &record).await? {
            Some(body) => self.tell(context, body).await,
            None => {
                let error = "it cannot be opened with this app's key".to_owned();
                self.note_failure(context, TellError { failure: Failure::Deferred, what: error }).await
            }
        }
    }

    /// The body of the request; `None` if it was not sealed by this app for this event.
    async fn open(&self, context: &Context, record: &HookEventRecord) -> Result<Option<String>, Fault> {
        let key = sealing_key(context, &self.app, &self.id).await?;
        let body = key.open_at_rest(self.id.as_bytes(), &record.sealed_body);
        Ok(body.and_then(|body| String::from_utf8(body).ok()))
    }

    async fn tell(&self, context: &Context, body: String) -> Result<DeliverEventOutcome, Fault> {
        let reach = &self.app.config.hooks.reach;
        match context.hooks.tell(&self.hook, reach, (&self.id, body), context.now()).await {
            Ok(_) => {
                context.events.remember_sent(self.message());
                context.events.resume(&self.place());
                self.remove(context).await?;
                Ok(DeliverEventOutcome::Told)
            }
            Err(error) => self.note_failure(context, error).await,
        }
    }

    async fn note_failure(&self, context: &Context, error: TellError) -> Result<DeliverEventOutcome, Fault> {
        let (now, TellError { failure, what }) = (context.clock.reading(), error);
        match failure {
            Failure::Unavailable => context.events.pause(self.place(), now.steady),
            Failure::Deferred | Failure::Refused => context.events.resume(&self.place()),
        }
        self.update(context, &what, |progress| progress.failed(failure, now)).await?;
        let (app, hook, event) = (&self.app.id.app_id, self.hook.webhook.host(), message_id(&self.id));
        tracing::warn!(app, hook, event, "a hook was not told of an event, it is tried again later: {what}");
        Ok(DeliverEventOutcome::Failed)
    }

    /// Changes the progress of the event, unless it is gone.
    async fn update(&self, context: &Context, what: &str, change: impl Fn(Progress) -> Progress) -> Result<(), Fault> {
        let (key, change) = (&self.key(), &change);
        transact_unqueued(&*context.store, "committing the progress of an event", |mut tx| async move {
            let Some(mut record) = hook_event::get(tx.as_mut(), key).await.map_err(failed)? else {
                return Ok(Step::Done(()));
            };
            record.progress = change(record.progress);
            record.error = Some(what.to_owned());
            hook_event::put(tx.as_mut(), key.clone(), &record).map_err(failed)?;
            Ok(Step::Commit(tx, ()))
        })
        .await
    }

    async fn drop_untold(&self, context: &Context, record: &HookEventRecord) -> Result<DeliverEventOutcome, Fault> {
        self.remove(context).await?;
        let (app, hook, kind) = (&self.app.id.app_id, self.hook.webhook.host(), record.kind.name());
        let event = message_id(&self.id);
        tracing::warn!(app, hook, event, kind, "a hook was never told of an event: it could not be reached in time");
        Ok(DeliverEventOutcome::Dropped)
    }

    async fn remove(&self, context: &Context) -> Result<(), Fault> {
        let key = &self.key();
        transact_unqueued(&*context.store, "removing an event", |mut tx| async move {
            hook_event::delete(tx.as_mut(), key.clone());
            Ok(Step::Commit(tx, ()))
        })
        .await?;
        context.events.forget_sent(&self.message());
        Ok(())
    }

    fn key(&self) -> Key {
        hook_event::key(&self.app.id, self.hook.id, &self.id)
    }

    fn place(&self) -> (AppId, EventHookId) {
        (self.app.id.clone(), self.hook.id)
    }

    fn message(&self) -> (AppId, EventHookId, Uuid) {
        (self.app.id.clone(), self.hook.id, self.id)
    }
}
