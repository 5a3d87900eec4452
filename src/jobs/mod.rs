//! Work that no request asks for. Jobs are functions of `now`; [`start`] runs them on a timer.

mod audit;
pub mod bulk_import;
mod email_tokens;
pub mod passwordless_devices;
pub mod providers;
pub mod reset_tokens;
mod step;
pub mod sweep;
pub mod totp_attempts;
pub mod walk;

use crate::command::bulk_import::batch::Counts;
use crate::command::userroles::removal::finish_pending;
use crate::context::Context;
use crate::domain::clock_watch::SETTLING_MS;
use crate::domain::time::UnixMillis;
use passwordless_devices::PasswordlessDevices;
use reset_tokens::ResetTokens;
use std::sync::Arc;
use std::time::Duration;
use step::BETWEEN_STEPS;
use sweep::{Removed, Sweep};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at, sleep};
use totp_attempts::TotpAttempts;
use walk::{Expiring, Walk};

/// How often expired sessions, old timelines and unused tokens are removed; the first time after one interval. After a jump
/// of the clock a whole one is waited for.
const SWEEP_INTERVAL: Duration = Duration::from_millis(SETTLING_MS);
/// In test mode the first sweep comes soon.
const FIRST_SWEEP_IN_TEST_MODE: Duration = Duration::from_secs(1);
/// Pause after a step that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// How often the key rings in memory are brought up to date, so that an idle app publishes its next key in time too: well
/// within the minute for which a key is published before it signs.
const KEYS_INTERVAL: Duration = Duration::from_secs(20);

/// How often removals of roles that were interrupted are taken up again; the first time at once.
const ROLES_INTERVAL: Duration = Duration::from_mins(10);

/// How often tokens and codes that nobody used in time are deleted; the first time after one interval.
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
    pub async fn end(self) {
        for job in self.running {
            job.abort();
            // An aborted task ends with an error that says so.
            let _ = job.await;
        }
    }
}

async fn keep_sweeping(app: Arc<Context>) {
    let first = if app.directory.base().test_mode { FIRST_SWEEP_IN_TEST_MODE } else { SWEEP_INTERVAL };
    let mut due = interval_at(tokio::time::Instant::now() + first, SWEEP_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if sweep_round(&app).await.is_none() {
            due.reset();
        }
    }
}

/// Removes what has expired, a page at a time. `None`: the clock cannot be relied on; what was not removed yet waits for
/// another round.
pub async fn sweep_round(app: &Context) -> Option<Removed> {
    let mut sweep = Sweep::new();
    loop {
        let Some(now) = app.settled_now() else {
            tracing::info!("expired sessions are not removed in this round: the system's clock has jumped");
            return None;
        };
        match sweep.step(app, now).await {
            Ok(true) => sleep(BETWEEN_STEPS).await,
            Ok(false) => break,
            Err(fault) => {
                tracing::error!(error = fault.chain(), "removing expired sessions failed; trying again in a minute");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
    let removed = sweep.removed();
    tracing::info!(
        sessions = removed.sessions,
        timelines = removed.timelines,
        email_tokens = removed.email_tokens,
        audit_events = removed.audit_events,
        dashboard_sessions = removed.dashboard_sessions,
        "removed what had expired"
    );
    Some(removed)
}

async fn keep_rotating(app: Arc<Context>) {
    let mut due = interval_at(tokio::time::Instant::now() + KEYS_INTERVAL, KEYS_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        // A look at the clock, so that a jump is noticed soon and not at the next sweep.
        let _ = app.settled_now();
        // What fails is logged where it fails, and tried again by the next request or tick.
        app.keys.rotate_due(&app.directory, || app.surroundings()).await;
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
    let mut due = interval_at(tokio::time::Instant::now() + UNUSED_INTERVAL, UNUSED_INTERVAL);
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
    let tokens = delete_unused::<ResetTokens>(app, now).await;
    let attempts = delete_unused::<TotpAttempts>(app, now).await;
    let devices = delete_unused::<PasswordlessDevices>(app, now).await;
    Some(tokens + attempts + devices)
}

async fn delete_unused<E: Expiring>(app: &Context, now: UnixMillis) -> u64 {
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
