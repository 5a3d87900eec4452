//! Background work that no request triggers. Jobs are functions of `now`; [`start`] runs them on a timer.

pub mod acme;
mod audit;
pub mod bulk_import;
mod email_tokens;
pub mod hook_events;
pub mod outbox;
pub mod passwordless_devices;
pub mod providers;
pub mod reset_tokens;
mod step;
pub mod sweep;
mod sweeping;
pub mod totp_attempts;
pub mod walk;

pub use sweeping::{sweep_if_due, sweep_round};

use crate::command::bulk_import::batch::Counts;
use crate::command::userroles::removal::finish_pending;
use crate::context::Context;
use crate::domain::time::Reading;
use crate::state::outbox::OutboxState;
use futures_util::future::{BoxFuture, join_all};
use hook_events::{HookEvents, HookRound};
use passwordless_devices::PasswordlessDevices;
use reset_tokens::ResetTokens;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};
use step::{AFTER_FAILURE, BETWEEN_STEPS};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};
use walk::{Expiring, Walk};

/// Delay after the start before the first check for a due sweep. It is short, so that a server that is restarted again
/// and again sweeps too.
const FIRST_CHECK_DELAY: Duration = Duration::from_mins(1);
/// How often to check whether a sweep is due: expired sessions, old timelines and unused tokens are removed half a day
/// after the last sweep.
const SWEEP_CHECK_INTERVAL: Duration = Duration::from_mins(10);
/// Delay before the first sweep in test mode.
const FIRST_SWEEP_IN_TEST_MODE: Duration = Duration::from_secs(1);

/// How often the key rings in memory are brought up to date, so that an idle app publishes its next key in time too:
/// well within the minute for which a key is published before it signs.
const KEYS_INTERVAL: Duration = Duration::from_secs(20);

/// How long shutdown waits for the last note about the clock to be written.
const LAST_NOTE: Duration = Duration::from_secs(1);

/// How often interrupted removals of roles are continued; the first time at once.
const ROLES_INTERVAL: Duration = Duration::from_mins(10);

/// How often expired tokens, codes and events that were never used are deleted.
const UNUSED_INTERVAL: Duration = Duration::from_hours(1);

/// How often to look for waiting users without a notification; the first time at once.
const IMPORTS_INTERVAL: Duration = Duration::from_mins(5);

/// How often to look for unsealed providers: an older version wrote them, or an archive from one contained them. The
/// first time at once.
const SEALING_INTERVAL: Duration = Duration::from_hours(1);

/// How often to look for hosts without a certificate and for certificates that are due; the first time at once.
const ACME_INTERVAL: Duration = Duration::from_mins(1);

/// How often to look for messages to be sent without a notification; the first time at once.
const OUTBOX_INTERVAL: Duration = Duration::from_mins(1);

/// The longest break between two rounds while there is something to send.
const MAX_OUTBOX_BREATH: Duration = Duration::from_secs(1);

/// How long shutdown waits for messages that are on their way.
const LAST_MESSAGES: Duration = Duration::from_secs(5);

/// The running jobs.
#[derive(Debug)]
pub struct Jobs {
    running: [JoinHandle<()>; 7],
    senders: [JoinHandle<()>; 2],
}

/// Starts every job. Call [`Jobs::end`] before the store is closed.
#[must_use]
pub fn start(context: &Arc<Context>) -> Jobs {
    Jobs {
        running: [
            tokio::spawn(run_sweeps(Arc::clone(context))),
            tokio::spawn(run_key_rotation(Arc::clone(context))),
            tokio::spawn(run_role_removals(Arc::clone(context))),
            tokio::spawn(run_unused_deletion(Arc::clone(context))),
            tokio::spawn(run_imports(Arc::clone(context))),
            tokio::spawn(run_provider_sealing(Arc::clone(context))),
            tokio::spawn(run_acme(Arc::clone(context))),
        ],
        senders: [
            tokio::spawn(run_outbox(Arc::clone(context), |context| &context.outbox, |context| Box::pin(send(context)))),
            tokio::spawn(run_outbox(Arc::clone(context), |context| &context.events, |context| Box::pin(tell(context)))),
        ],
    }
}

impl Jobs {
    /// Ends every job and waits until they release the app. A step in progress is abandoned; commits are atomic. Messages
    /// on their way get a little time, because an abandoned one could be sent again.
    pub async fn end(mut self, context: &Context) {
        context.outbox.close();
        context.events.close();
        // Senders that are not done by then are ended like the others.
        let _ = timeout(LAST_MESSAGES, join_all(&mut self.senders)).await;
        let unfinished = self.senders.into_iter().filter(|sender| !sender.is_finished());
        for job in self.running.into_iter().chain(unfinished) {
            job.abort();
            // An aborted task ends with an error that says so.
            let _ = job.await;
        }
        // If the disk is slow, the next process does without the note.
        let _ = timeout(LAST_NOTE, keep_clock(context, true)).await;
    }
}

async fn run_sweeps(context: Arc<Context>) {
    if context.directory.base().test_mode {
        sleep(FIRST_SWEEP_IN_TEST_MODE).await;
        sweep_round(&context).await;
    }
    let mut due = interval_at(tokio::time::Instant::now() + FIRST_CHECK_DELAY, SWEEP_CHECK_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        sweep_if_due(&context).await;
    }
}

async fn run_key_rotation(context: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), KEYS_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        // Read the clock too, so that a jump is noticed soon and not only at the next sweep.
        keep_clock(&context, false).await;
        // Failures are logged where they happen, and the next request or tick tries again.
        context.keys.rotate_due(&context.directory, || context.key_context()).await;
    }
}

/// Saves what is known about the clock for the next process, if that is worth a write.
pub async fn keep_clock(context: &Context, is_last: bool) {
    if let Err(error) = context.settled_clock.keep(&*context.store, context.clock.reading(), is_last).await {
        // A more important write meets the same error and logs it at a higher level.
        tracing::debug!(%error, "what is known about the system's clock could not be saved");
    }
}

async fn run_role_removals(context: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), ROLES_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match finish_pending(&*context.store).await {
            Ok(0) => {}
            Ok(roles) => tracing::info!(roles, "deleted leftovers of removed roles"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "deleting leftovers of removed roles failed; trying again later")
            }
        }
    }
}

async fn run_unused_deletion(context: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now() + FIRST_CHECK_DELAY, UNUSED_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        unused_round(&context).await;
    }
}

/// Deletes expired tokens and codes that were never used; returns how many. `None`: the clock cannot be relied on, and
/// another round does it.
pub async fn unused_round(context: &Context) -> Option<u64> {
    let now = context.settled_now()?;
    let mut deleted = 0;
    for delete in UNUSED {
        deleted += delete(context, now).await;
    }
    Some(deleted)
}

/// The kinds of tokens and codes to delete.
const UNUSED: [for<'a> fn(&'a Context, Reading) -> BoxFuture<'a, u64>; 4] = [
    |context, now| Box::pin(delete_unused::<ResetTokens>(context, now)),
    |context, now| Box::pin(delete_unused::<totp_attempts::TotpAttempts>(context, now)),
    |context, now| Box::pin(delete_unused::<PasswordlessDevices>(context, now)),
    |context, now| Box::pin(delete_unused::<HookEvents>(context, now)),
];

async fn delete_unused<E: Expiring>(context: &Context, now: Reading) -> u64 {
    let mut walk = Walk::<E>::new();
    loop {
        match walk.step(context, now).await {
            Ok(true) => sleep(BETWEEN_STEPS).await,
            Ok(false) => break,
            Err(fault) => {
                tracing::error!(error = fault.chain(), "deleting unused {} failed; it will be tried again", E::WHAT);
                break;
            }
        }
    }
    tracing::debug!(deleted = walk.deleted(), "deleted expired {}", E::WHAT);
    walk.deleted()
}

async fn run_imports(context: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), IMPORTS_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = context.imports.notified() => {}
        }
        match bulk_import::round(&context).await {
            Ok(counts) if counts == Counts::default() => {}
            Ok(Counts { imported, failed }) => tracing::info!(imported, failed, "imported waiting users"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "importing users failed; it will be tried again in a minute");
                sleep(AFTER_FAILURE).await;
                context.imports.notify_one();
            }
        }
    }
}

/// Runs rounds that send what is due and return in how many ms the next message is, until the outbox is closed.
async fn run_outbox<S: Eq + Hash, M: Eq + Hash>(
    context: Arc<Context>,
    outbox: fn(&Context) -> &OutboxState<S, M>,
    round: for<'a> fn(&'a Context) -> BoxFuture<'a, Option<u64>>,
) {
    while !outbox(&context).is_closing() {
        let began = Instant::now();
        let wait = round(&context).await.map_or(OUTBOX_INTERVAL, Duration::from_millis).min(OUTBOX_INTERVAL);
        // A long outbox takes long to look through: that must not keep a core busy whenever a message is added.
        sleep((began.elapsed() / 4).clamp(BETWEEN_STEPS, MAX_OUTBOX_BREATH)).await;
        tokio::select! {
            () = sleep(wait) => {}
            () = outbox(&context).notified() => {}
        }
    }
}

async fn send(context: &Context) -> Option<u64> {
    match outbox::round(context).await {
        Ok(outbox::Round { sent, caught, failed, dropped, next_ms }) => {
            if sent + caught + failed + dropped > 0 {
                tracing::info!(sent, caught, failed, dropped, "sent mails");
            }
            next_ms
        }
        Err(fault) => {
            tracing::error!(error = fault.chain(), "sending mails failed; it will be tried again in a minute");
            None
        }
    }
}

async fn tell(context: &Context) -> Option<u64> {
    match hook_events::round(context).await {
        Ok(HookRound { told, failed, dropped, next_ms }) => {
            if told + failed + dropped > 0 {
                tracing::debug!(told, failed, dropped, "told hooks of events");
            }
            next_ms
        }
        Err(fault) => {
            tracing::error!(
                error = fault.chain(),
                "telling hooks of events failed; it will be tried again in a minute"
            );
            None
        }
    }
}

async fn run_acme(context: Arc<Context>) {
    let mut schedule = acme::AcmeSchedule::default();
    let mut due = interval_at(tokio::time::Instant::now(), ACME_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        acme::round(&context, &mut schedule).await;
    }
}

async fn run_provider_sealing(context: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), SEALING_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match providers::round(&context).await {
            Ok(0) => {}
            Ok(sealed) => tracing::info!(sealed, "sealed providers that an older version had stored unsealed"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "sealing providers failed; it will be tried again in an hour");
            }
        }
    }
}
