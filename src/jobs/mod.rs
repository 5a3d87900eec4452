//! Background work that no request triggers. Jobs are functions of `now`; [`start`] runs them on a timer.

mod audit;
pub mod bulk_import;
mod email_tokens;
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
use futures_util::future::BoxFuture;
use passwordless_devices::PasswordlessDevices;
use reset_tokens::ResetTokens;
use std::sync::Arc;
use std::time::Duration;
use step::{AFTER_FAILURE, BETWEEN_STEPS};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};
use walk::{Expiring, Walk};

/// Delay after the start before the first check for a due sweep. It is short, so that a server that is restarted again
/// and again sweeps too.
const FIRST_LOOK: Duration = Duration::from_mins(1);
/// How often to check whether a sweep is due: expired sessions, old timelines and unused tokens are removed half a day
/// after the last sweep.
const SWEEP_LOOKS: Duration = Duration::from_mins(10);
/// Delay before the first sweep in test mode.
const FIRST_SWEEP_IN_TEST_MODE: Duration = Duration::from_secs(1);

/// How often the key rings in memory are brought up to date, so that an idle app publishes its next key in time too:
/// well within the minute for which a key is published before it signs.
const KEYS_INTERVAL: Duration = Duration::from_secs(20);

/// How long shutdown waits for the last note about the clock to be written.
const LAST_NOTE: Duration = Duration::from_secs(1);

/// How often interrupted removals of roles are continued; the first time at once.
const ROLES_INTERVAL: Duration = Duration::from_mins(10);

/// How often expired tokens and codes that were never used are deleted.
const UNUSED_INTERVAL: Duration = Duration::from_hours(1);

/// How often to look for waiting users without a notification; the first time at once.
const IMPORTS_INTERVAL: Duration = Duration::from_mins(5);

/// How often to look for unsealed providers: an older version wrote them, or an archive from one contained them. The
/// first time at once.
const SEALING_INTERVAL: Duration = Duration::from_hours(1);

/// The running jobs.
#[derive(Debug)]
pub struct Jobs {
    running: [JoinHandle<()>; 6],
}

/// Starts every job. Call [`Jobs::end`] before the store is closed.
#[must_use]
pub fn start(app: &Arc<Context>) -> Jobs {
    Jobs {
        running: [
            tokio::spawn(keep_sweeping(Arc::clone(app))),
            tokio::spawn(keep_rotating(Arc::clone(app))),
            tokio::spawn(keep_finishing(Arc::clone(app))),
            tokio::spawn(keep_deleting_unused(Arc::clone(app))),
            tokio::spawn(keep_importing(Arc::clone(app))),
            tokio::spawn(keep_sealing(Arc::clone(app))),
        ],
    }
}

impl Jobs {
    /// Ends every job and waits until they release the app. A step in progress is abandoned; commits are atomic.
    pub async fn end(self, app: &Context) {
        for job in self.running {
            job.abort();
            // An aborted task ends with an error that says so.
            let _ = job.await;
        }
        // If the disk is slow, the next process does without the note.
        let _ = timeout(LAST_NOTE, keep_clock(app, true)).await;
    }
}

async fn keep_sweeping(app: Arc<Context>) {
    if app.directory.base().test_mode {
        sleep(FIRST_SWEEP_IN_TEST_MODE).await;
        sweep_round(&app).await;
    }
    let mut due = interval_at(tokio::time::Instant::now() + FIRST_LOOK, SWEEP_LOOKS);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        sweep_if_due(&app).await;
    }
}

async fn keep_rotating(app: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), KEYS_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        // Read the clock too, so that a jump is noticed soon and not only at the next sweep.
        keep_clock(&app, false).await;
        // Failures are logged where they happen, and the next request or tick tries again.
        app.keys.rotate_due(&app.directory, || app.surroundings()).await;
    }
}

/// Saves what is known about the clock for the next process, if that is worth a write.
pub async fn keep_clock(app: &Context, is_last: bool) {
    if let Err(error) = app.settled_clock.keep(&*app.store, app.clock.reading(), is_last).await {
        // A more important write meets the same error and logs it at a higher level.
        tracing::debug!(%error, "what is known about the system's clock could not be saved");
    }
}

async fn keep_finishing(app: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), ROLES_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match finish_pending(&*app.store).await {
            Ok(0) => {}
            Ok(roles) => tracing::info!(roles, "deleted leftovers of removed roles"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "deleting leftovers of removed roles failed; trying again later")
            }
        }
    }
}

async fn keep_deleting_unused(app: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now() + FIRST_LOOK, UNUSED_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        unused_round(&app).await;
    }
}

/// Deletes expired tokens and codes that were never used; returns how many. `None`: the clock cannot be relied on, and
/// another round does it.
pub async fn unused_round(app: &Context) -> Option<u64> {
    let now = app.settled_now()?;
    let mut deleted = 0;
    for delete in UNUSED {
        deleted += delete(app, now).await;
    }
    Some(deleted)
}

/// The kinds of tokens and codes to delete.
const UNUSED: [for<'a> fn(&'a Context, Reading) -> BoxFuture<'a, u64>; 3] = [
    |app, now| Box::pin(delete_unused::<ResetTokens>(app, now)),
    |app, now| Box::pin(delete_unused::<totp_attempts::TotpAttempts>(app, now)),
    |app, now| Box::pin(delete_unused::<PasswordlessDevices>(app, now)),
];

async fn delete_unused<E: Expiring>(app: &Context, now: Reading) -> u64 {
    let mut walk = Walk::<E>::new();
    loop {
        match walk.step(app, now).await {
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

async fn keep_importing(app: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), IMPORTS_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = app.imports.notified() => {}
        }
        match bulk_import::round(&app).await {
            Ok(counts) if counts == Counts::default() => {}
            Ok(Counts { imported, failed }) => tracing::info!(imported, failed, "imported waiting users"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "importing users failed; it will be tried again in a minute");
                sleep(AFTER_FAILURE).await;
                app.imports.notify_one();
            }
        }
    }
}

async fn keep_sealing(app: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), SEALING_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match providers::round(&app).await {
            Ok(0) => {}
            Ok(sealed) => tracing::info!(sealed, "sealed providers that an older version had stored unsealed"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "sealing providers failed; it will be tried again in an hour");
            }
        }
    }
}
