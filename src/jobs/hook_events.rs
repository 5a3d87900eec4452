//! Tells hooks of events, and deletes events that nobody wants any more.

use super::step::{PAGE, decoded};
use super::walk::Expiring;
use crate::command::hook::deliver::{DeliverEvent, DeliverEventOutcome};
use crate::context::Context;
use crate::domain::delivery::Due;
use crate::domain::hook::EventHook;
use crate::domain::time::Reading;
use crate::fault::Fault;
use crate::metrics::{CountersBy, HookOutcome};
use crate::state::directory::AppEntry;
use crate::store::hook_event::{self, HookEventRecord, parse_key};
use crate::store::{Key, Keyspace, StoreError, Tx};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;

/// The most calls at once, of all hooks.
const AT_ONCE: usize = 32;
/// The most events of a hook in one round. What is left follows in the next one, which begins at once.
const MAX_PER_HOOK: usize = 64;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HookRound {
    /// Events that hooks took.
    pub told: u64,
    /// Events that hooks did not take and that stay.
    pub failed: u64,
    /// Events that were removed untold.
    pub dropped: u64,
    /// In how many ms the next event is due; `None` if none is waiting for its time.
    pub next_ms: Option<u64>,
}

impl HookRound {
    /// Counts an outcome.
    fn note(&mut self, outcome: DeliverEventOutcome, figures: &CountersBy<HookOutcome>) {
        let (count, outcome) = match outcome {
            DeliverEventOutcome::Told => (&mut self.told, HookOutcome::Told),
            DeliverEventOutcome::Failed => (&mut self.failed, HookOutcome::Failed),
            DeliverEventOutcome::Dropped => (&mut self.dropped, HookOutcome::Dropped),
            DeliverEventOutcome::Nothing => return,
        };
        *count += 1;
        figures.count(outcome);
    }
}

/// Tells hooks of the events that are due. A hook that cannot be reached holds up no other one.
///
/// # Errors
/// When the store fails; what was not told is left to the next round.
pub async fn round(context: &Context) -> Result<HookRound, Fault> {
    let (due, next_ms) = due(context).await?;
    let mut round = HookRound { next_ms, ..HookRound::default() };
    let telling = due.into_iter().map(|event| Box::pin(event.run(context)));
    let mut outcomes = stream::iter(telling).buffer_unordered(AT_ONCE);
    let mut fault = None;
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(outcome) => round.note(outcome, &context.metrics.hooks),
            // The others are on their way: giving them up now could tell of them twice.
            Err(error) => fault = Some(error),
        }
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    if round.failed > 0 {
        // Failures have changed when events are due, also those of others of the same hook.
        let (due, next_ms) = self::due(context).await?;
        round.next_ms = if due.is_empty() { next_ms } else { Some(0) };
    }
    Ok(round)
}

/// The events that are due, and in how many ms the next one is.
async fn due(context: &Context) -> Result<(Vec<DeliverEvent>, Option<u64>), Fault> {
    let (mut due, mut next_ms) = (Vec::new(), None::<u64>);
    for app in context.directory.apps() {
        for hook in app.config.hooks.events.iter() {
            let (some, left) = due_of_hook(context, &app, hook).await?;
            due.extend(some);
            next_ms = next_ms.into_iter().chain(left).min();
        }
    }
    Ok((due, next_ms))
}

async fn due_of_hook(
    context: &Context,
    app: &Arc<AppEntry>,
    hook: &EventHook,
) -> Result<(Vec<DeliverEvent>, Option<u64>), Fault> {
    let now = context.clock.reading();
    if let Some(left) = context.events.pause_left(&(app.id.clone(), hook.id), now.steady) {
        return Ok((Vec::new(), Some(left)));
    }
    let mut pages = hook_event::pages_of_hook(&app.id, hook.id, PAGE);
    let (mut due, mut next_ms) = (Vec::new(), None::<u64>);
    loop {
        let page = pages.rows(context.store.begin().as_mut()).await;
        let page = page.map_err(|error| Fault::new("looking for events that hooks are to be told", error))?;
        let Some(page) = page else { return Ok((due, next_ms)) };
        for (key, bytes) in &page {
            if due.len() >= MAX_PER_HOOK {
                return Ok((due, Some(0)));
            }
            let Some((_, _, id)) = parse_key(key) else { continue };
            match decoded(context, key, bytes).and_then(|record| when(context, &record, &now)) {
                Some(0) => due.push(DeliverEvent { app: Arc::clone(app), hook: hook.clone(), id }),
                left => next_ms = next_ms.into_iter().chain(left).min(),
            }
        }
    }
}

/// In how many ms a hook is to be told of an event, or the event is to be dropped; `None` if not by itself.
fn when(context: &Context, record: &HookEventRecord, now: &Reading) -> Option<u64> {
    let expiry = now.wall.until(record.expires);
    if expiry == 0 {
        return context.settled_clock.trusts(*now).then_some(0);
    }
    match record.progress.due(now) {
        Due::Now => Some(0),
        Due::In(left) => Some(left.min(expiry)),
        Due::Held => Some(expiry),
    }
}

/// The job's kind of row: events whose hook was taken out of the settings before it took them.
#[derive(Debug)]
pub struct HookEvents;

impl Expiring for HookEvents {
    const KEYSPACE: Keyspace = Keyspace::HookEvent;
    const WHAT: &'static str = "events of hooks";

    fn is_expired(context: &Context, key: &Key, bytes: &[u8], now: Reading) -> bool {
        decoded::<HookEventRecord>(context, key, bytes).is_some_and(|record| record.expires <= now.wall)
    }

    async fn delete(_context: &Context, tx: &mut dyn Tx, key: &Key, now: Reading) -> Result<bool, StoreError> {
        let is_expired = hook_event::get(tx, key).await?.is_some_and(|record| record.expires <= now.wall);
        if is_expired {
            hook_event::delete(tx, key.clone());
        }
        Ok(is_expired)
    }
}
