//! Work that no request asks for. Jobs are functions of `now`; [`start`] runs them on a timer.

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

/// How soon after the start it is looked whether something is due to be deleted. A server that is restarted again and again
/// must come to it too.
const FIRST_LOOK: Duration = Duration::from_mins(1);
/// How often it is looked whether a sweep is due: expired sessions, old timelines and unused tokens are removed half a day
/// after the last time.
const SWEEP_LOOKS: Duration = Duration::from_mins(10);
/// In test mode the first sweep comes soon.
const FIRST_SWEEP_IN_TEST_MODE: Duration = Duration::from_secs(1);

/// How often the key rings in memory are brought up to date, so that an idle app publishes its next key in time too: well
/// within the minute for which a key is published before it signs.
const KEYS_INTERVAL: Duration = Duration::from_secs(20);

/// How long the end waits for the last note about the clock.
const LAST_NOTE: Duration = Duration::from_secs(1);

/// How often removals of roles that were interrupted are taken up again; the first time at once.
const ROLES_INTERVAL: Duration = Duration::from_mins(10);

/// How often tokens and codes that nobody used in time are deleted.
const UNUSED_INTERVAL: Duration = Duration::from_hours(1);

/// How often users that wait are looked for without a word from whoever adds them; the first time at once.
const IMPORTS_INTERVAL: Duration = Duration::from_mins(5);

/// How often providers are looked for that are not sealed: an older version wrote them, or the archive of one brought them.
/// The first time at once.
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
    /// Ends every job and waits until they let go of the app. A step under way is abandoned; commits are whole or
    /// nothing.
    pub async fn end(self, app: &Context) {
        for job in self.running {
            job.abort();
            // An aborted task ends with an error that says so.
            let _ = job.await;
        }
        // The next process does without it if the disk is slow.
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
        // A look at the clock too, so that a jump is noticed soon and not at the next sweep.
        keep_clock(&app, false).await;
        // What fails is logged where it fails, and tried again by the next request or tick.
        app.keys.rotate_due(&app.directory, || app.surroundings()).await;
    }
}

/// Writes down what is known of the clock for the next process, if that is worth a write.
pub async fn keep_clock(app: &Context, is_last: bool) {
    if let Err(error) = app.settled_clock.keep(&*app.store, app.clock.reading(), is_last).await {
        // Whoever writes something of value meets the same error, and says it louder.
        tracing::debug!(%error, "what is known of the system's clock could not be written down");
    }
}

async fn keep_finishing(app: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now(), ROLES_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match finish_pending(&*app.store).await {
            Ok(0) => {}
            Ok(roles) => tracing::info!(roles, "deleted what removed roles had left"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "deleting what removed roles left failed; it is tried again")
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

/// Deletes tokens and codes that nobody used in time; how many. `None`: the clock cannot be relied on, and another round does
/// it.
pub async fn unused_round(app: &Context) -> Option<u64> {
    let now = app.settled_now()?;
    let mut deleted = 0;
    for delete in UNUSED {
        deleted += delete(app, now).await;
    }
    Some(deleted)
}

/// What nobody used in time.
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
                tracing::error!(error = fault.chain(), "deleting unused {} failed; it is tried again", E::WHAT);
                break;
            }
        }
    }
    tracing::debug!(deleted = walk.deleted(), "deleted {} that nobody used in time", E::WHAT);
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
            Ok(Counts { imported, failed }) => tracing::info!(imported, failed, "imported users that waited"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "importing users failed; it is tried again in a minute");
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
            Ok(sealed) => tracing::info!(sealed, "sealed providers that an older version had stored as they are"),
            Err(fault) => {
                tracing::error!(error = fault.chain(), "sealing providers failed; it is tried again in an hour");
            }
        }
    }
}
