//! What operators do with events that hooks have not taken yet.

use super::failed;
use super::raise::circumstances;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::delivery::Progress;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::hook::{EventHookId, HookEvent, HookEventKind};
use crate::fault::Fault;
use crate::outbound::hook::TellError;
use crate::store::Key;
use crate::store::hook_event::{self, HookEventRecord, parse_key};
use uuid::Uuid;

/// Rows read at once.
const PAGE: usize = 256;

/// Lists the events of an app that hooks have not taken yet: by hook, oldest first.
pub struct ListEvents {
    /// The app, and who asks.
    pub scope: Scope,
    /// The most events to return.
    pub limit: usize,
}

/// An event that a hook has not taken yet.
pub struct WaitingEvent {
    /// Its id.
    pub id: Uuid,
    /// The host of its hook; `None` if the hook is not in the settings any more.
    pub hook: Option<String>,
    /// Its record.
    pub record: HookEventRecord,
}

impl ListEvents {
    /// Returns the events.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<WaitingEvent>, Fault> {
        let app = &self.scope.app;
        let (mut pages, mut found) = (hook_event::pages(&app.id, PAGE.min(self.limit)), Vec::new());
        while found.len() < self.limit {
            let rows = pages.records::<HookEventRecord>(context.store.begin().as_mut()).await.map_err(failed)?;
            let Some(rows) = rows else { break };
            found.extend(rows);
        }
        found.truncate(self.limit);
        let hooks = &app.config.hooks.events;
        let host = |id: EventHookId| hooks.iter().find(|hook| hook.id == id).map(|hook| hook.webhook.host().to_owned());
        let shown = found.into_iter().filter_map(|(key, record)| {
            let (_, hook, id) = parse_key(&key)?;
            Some(WaitingEvent { id, hook: host(hook), record })
        });
        Ok(shown.collect())
    }
}

/// Has hooks told of events again now.
pub struct RetryEvents {
    /// The app, and who asks.
    pub scope: Scope,
    /// The event; all of the app without.
    pub id: Option<Uuid>,
}

impl RetryEvents {
    /// Makes the events due; returns how many there are, counted per hook.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<u64, Fault> {
        let app = &self.scope.app;
        let mut renewed = 0;
        for some in keys(context, &self.scope, self.id).await?.chunks(PAGE) {
            renewed += transact_unqueued(&*context.store, "committing events to be told again", |mut tx| async move {
                let mut renewed = 0;
                for key in some {
                    let Some(mut record) = hook_event::get(tx.as_mut(), key).await.map_err(failed)? else { continue };
                    record.progress = Progress::default();
                    hook_event::put(tx.as_mut(), key.clone(), &record).map_err(failed)?;
                    renewed += 1;
                }
                Ok(Step::Commit(tx, renewed))
            })
            .await?;
        }
        app.config.hooks.events.iter().for_each(|hook| context.events.resume(&(app.id.clone(), hook.id)));
        context.events.notify();
        Ok(renewed)
    }
}

/// The keys of an app's events, or of those with this id: one per hook.
async fn keys(context: &Context, scope: &Scope, id: Option<Uuid>) -> Result<Vec<Key>, Fault> {
    let is_wanted = |key: &Key| id.is_none_or(|id| parse_key(key).is_some_and(|(_, _, other)| other == id));
    let (mut pages, mut found) = (hook_event::pages(&scope.app.id, PAGE), Vec::new());
    while let Some(rows) = pages.rows(context.store.begin().as_mut()).await.map_err(failed)? {
        found.extend(rows.into_iter().map(|(key, _)| key).filter(is_wanted));
    }
    Ok(found)
}

/// Removes events untold.
pub struct DropEvents {
    /// The app, and who asks.
    pub scope: Scope,
    /// The event; all of the app without.
    pub id: Option<Uuid>,
}

impl DropEvents {
    /// Removes the events; returns how many there were, counted per hook. They may just be on their way.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<u64, Fault> {
        let mut dropped = 0;
        for some in keys(context, &self.scope, self.id).await?.chunks(PAGE) {
            dropped += transact_unqueued(&*context.store, "removing events", |mut tx| async move {
                let mut dropped = 0;
                for key in some {
                    dropped += u64::from(hook_event::get(tx.as_mut(), key).await.map_err(failed)?.is_some());
                    hook_event::delete(tx.as_mut(), key.clone());
                }
                Ok(Step::Commit(tx, dropped))
            })
            .await?;
        }
        Ok(dropped)
    }
}

/// Tells each event hook of an app of a test event, at once and past the store.
pub struct TestEventHooks {
    /// The app, and who asks.
    pub scope: Scope,
}

/// What a hook said to a test.
pub struct TestedHook {
    /// Its host.
    pub host: String,
    /// The status with which it took the event, or why it did not.
    pub answer: Result<u16, TellError>,
}

impl TestEventHooks {
    /// Tells the hooks, one after the other, and returns what they said.
    pub async fn run(self, context: &Context) -> Vec<TestedHook> {
        let config = &self.scope.app.config.hooks;
        let mut tested = Vec::with_capacity(config.events.len());
        for hook in &*config.events {
            let now = context.now();
            let id = time_ordered_uuid(context.entropy.as_ref(), now);
            let body = HookEvent::of(HookEventKind::Test).body(&circumstances(&self.scope, now));
            let answer = context.hooks.tell(hook, &config.reach, (&id, body), now).await;
            tested.push(TestedHook { host: hook.webhook.host().to_owned(), answer });
        }
        tested
    }
}
