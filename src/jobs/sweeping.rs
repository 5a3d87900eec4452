//! When sweeps are due, and how far the current one has got: both outlive the process, so that a server that is
//! restarted often sweeps as often as any other, and finishes with a large store.

use super::step::{AFTER_FAILURE, BETWEEN_STEPS};
use super::sweep::{Sweep, SweepCounts};
use crate::context::Context;
use crate::domain::clock_watch::SETTLING_MS;
use crate::fault::Fault;
use crate::store::CommitError;
use crate::store::clock::{self, SweepRecord};
use tokio::time::sleep;

/// How long after a sweep the next one is due, in ms.
const SWEEP_INTERVAL_MS: u64 = SETTLING_MS;

/// Number of steps after which a sweep's position is saved: about every 25 s.
const STEPS_BETWEEN_NOTES: u32 = 1000;

/// Sweeps if the last sweep was long enough ago or has not finished. `None`: it was not due, or the clock cannot be
/// relied on.
pub async fn sweep_if_due(context: &Context) -> Option<SweepCounts> {
    let now = context.settled_now()?;
    let record = record(context).await;
    let is_due = record.next.is_some()
        || record.finished.is_none_or(|finished| finished.age(&now).pause_left(SWEEP_INTERVAL_MS).is_none());
    if is_due { sweep_round(context).await } else { None }
}

/// Removes expired rows, a page at a time, from where the last round stopped if it did not finish. `None`: the clock
/// cannot be relied on; what was not removed yet waits for another round.
pub async fn sweep_round(context: &Context) -> Option<SweepCounts> {
    let mut note = record(context).await;
    let mut sweep = note.next().map_or_else(Sweep::new, Sweep::starting_at);
    let mut steps: u32 = 0;
    loop {
        let Some(now) = context.settled_now() else {
            if steps > 0 {
                tracing::info!("removing expired records was stopped: the system's clock has jumped");
            }
            return None;
        };
        match sweep.step(context, now.wall).await {
            Ok(true) => {
                steps = steps.wrapping_add(1);
                if steps.is_multiple_of(STEPS_BETWEEN_NOTES)
                    && let Some(next) = sweep.next_key()
                {
                    note.continue_at(next);
                    write_down(context, &note).await;
                }
                sleep(BETWEEN_STEPS).await;
            }
            Ok(false) => {
                write_down(context, &SweepRecord { finished: Some(now), next: None }).await;
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
        "removed expired records"
    );
    Some(removed)
}

/// How far sweeps have got. What cannot be read counts as nothing: an extra sweep does no harm.
async fn record(context: &Context) -> SweepRecord {
    let found = clock::sweep(context.store.begin().as_mut()).await;
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "the position of the last sweep is not known; it starts over");
        SweepRecord::default()
    })
}

async fn write_down(context: &Context, record: &SweepRecord) {
    let mut tx = context.store.begin();
    let written = clock::put_sweep(tx.as_mut(), record).map_err(CommitError::Store);
    let written = match written {
        Ok(()) => tx.commit().await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        let fault = Fault::new("saving the position of a sweep", error);
        tracing::error!(error = fault.chain(), "part of the sweep will be repeated");
    }
}
