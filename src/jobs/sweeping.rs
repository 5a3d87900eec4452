//! When sweeps are done, and how far the one under way has come: both outlive the process, so that a server that is
//! restarted often sweeps as often as one that is not, and comes to the end of a large store.

use super::step::{AFTER_FAILURE, BETWEEN_STEPS};
use super::sweep::{Removed, Sweep};
use crate::context::Context;
use crate::domain::clock_watch::SETTLING_MS;
use crate::fault::Fault;
use crate::store::CommitError;
use crate::store::clock::{self, SweepRecord};
use tokio::time::sleep;

/// How long after a sweep the next one is due, in ms.
const SWEEP_INTERVAL_MS: u64 = SETTLING_MS;

/// Steps after which it is written down how far a sweep has come: about every 25 s.
const STEPS_BETWEEN_NOTES: u32 = 1000;

/// Sweeps if the last sweep was long enough ago, or has not come to its end. `None`: it was not, or the clock cannot be
/// relied on.
pub async fn sweep_if_due(app: &Context) -> Option<Removed> {
    let now = app.settled_now()?;
    let record = record(app).await;
    let is_due = record.next.is_some()
        || record.finished.is_none_or(|finished| finished.age(&now).pause_left(SWEEP_INTERVAL_MS).is_none());
    if is_due { sweep_round(app).await } else { None }
}

/// Removes what has expired, a page at a time, from where the last round ended if that was not the end. `None`: the clock
/// cannot be relied on; what was not removed yet waits for another round.
pub async fn sweep_round(app: &Context) -> Option<Removed> {
    let mut note = record(app).await;
    let mut sweep = note.next().map_or_else(Sweep::new, Sweep::starting_at);
    let mut steps: u32 = 0;
    loop {
        let Some(now) = app.settled_now() else {
            if steps > 0 {
                tracing::info!("removing what has expired was given up: the system's clock has jumped");
            }
            return None;
        };
        match sweep.step(app, now.wall).await {
            Ok(true) => {
                steps = steps.wrapping_add(1);
                if steps.is_multiple_of(STEPS_BETWEEN_NOTES)
                    && let Some(next) = sweep.next_key()
                {
                    note.go_on_at(next);
                    write_down(app, &note).await;
                }
                sleep(BETWEEN_STEPS).await;
            }
            Ok(false) => {
                write_down(app, &SweepRecord { finished: Some(now), next: None }).await;
                break;
            }
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

/// How far sweeps have come. What cannot be read counts as nothing: a sweep too many does no harm.
async fn record(app: &Context) -> SweepRecord {
    let found = clock::sweep(app.store.begin().as_mut()).await;
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "how far removing what has expired has come is not known; it begins anew");
        SweepRecord::default()
    })
}

async fn write_down(app: &Context, record: &SweepRecord) {
    let mut tx = app.store.begin();
    let written = clock::put_sweep(tx.as_mut(), record).map_err(CommitError::Store);
    let written = match written {
        Ok(()) => tx.commit().await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        let fault = Fault::new("noting how far removing what has expired has come", error);
        tracing::error!(error = fault.chain(), "a part of it will be done again");
    }
}
