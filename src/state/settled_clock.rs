//! [`SettledClock`]: whether the system's clock is reliable enough for actions that cannot be undone.

use crate::domain::clock_watch::{ClockWatch, SETTLING_MS, Verdict, WatchState};
use crate::domain::time::Reading;
use crate::store::{CommitError, Engine, StoreError, clock};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// While the clock settles, its state is saved this often, in ms. Once it has settled, saving each change of the anchor
/// is enough.
const KEEP_EVERY_MS: u64 = 3_600_000;

/// A [`ClockWatch`] that every request and job consults, and whose state the store keeps for the next process.
pub struct SettledClock {
    watch: Mutex<ClockWatch>,
    /// The state in the store; `None` if it has none.
    kept: Mutex<Option<WatchState>>,
    /// Whether the clock is trusted without proof; then its state is not saved.
    is_trusting: bool,
}

impl SettledClock {
    /// Trusts the clock until it jumps.
    #[must_use]
    pub const fn trusting(now: Reading) -> Self {
        Self { watch: Mutex::new(ClockWatch::trusting(now)), kept: Mutex::new(None), is_trusting: true }
    }

    /// Continues from the state in the store.
    ///
    /// # Errors
    /// When the store fails. A damaged record is logged and treated as missing.
    pub async fn resume(store: &dyn Engine, now: Reading) -> Result<Self, StoreError> {
        let known = match clock::get(&mut *store.begin()).await {
            Err(error @ StoreError::Damaged { .. }) => {
                tracing::warn!(%error, "the stored state of the system's clock is damaged; the watch starts afresh");
                None
            }
            known => known?,
        };
        let watch = known.map_or_else(|| ClockWatch::new(now), |known| ClockWatch::resume(&known, now));
        Ok(Self { watch: Mutex::new(watch), kept: Mutex::new(known), is_trusting: false })
    }

    /// Whether this reading can be relied on; logs a jump of the clock once.
    pub fn trusts(&self, now: Reading) -> bool {
        let verdict = self.watch().judge(now);
        if let Verdict::Jumped { by_ms, ahead } = verdict {
            let way = if ahead { "ahead" } else { "back" };
            tracing::warn!(
                "the system's clock jumped {way} by {} s: what has expired is refused but not deleted until the clock \
                 has run steadily for {} h. If the time is wrong now, correct it and check the time service; if it is \
                 right (it was wrong before, or the machine was paused), nothing needs to be done",
                by_ms / 1000,
                SETTLING_MS / 3_600_000,
            );
        }
        verdict == Verdict::Settled
    }

    /// Saves the current state for the next process, if that is worth a write; at the end of a process it is if
    /// anything has changed.
    ///
    /// # Errors
    /// When the store fails; the next call tries again.
    pub async fn keep(&self, store: &dyn Engine, now: Reading, is_last: bool) -> Result<(), StoreError> {
        // Judged first: a jump since the last reading must not be saved as time in which both clocks agreed.
        self.trusts(now);
        let state = self.watch().state(now);
        let kept = *self.kept();
        if self.is_trusting || !kept.is_none_or(|kept| is_news(&kept, &state, is_last)) {
            return Ok(());
        }
        let mut tx = store.begin();
        clock::put(tx.as_mut(), state)?;
        tx.commit().await.map_err(|error| match error {
            CommitError::Store(error) => error,
            CommitError::Conflict => {
                StoreError::Stopped { reason: "a write that reads nothing had a conflict".to_owned() }
            }
        })?;
        *self.kept() = Some(state);
        Ok(())
    }

    // Plain numbers: a panic never leaves them half-changed.
    fn watch(&self) -> MutexGuard<'_, ClockWatch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Option<WatchState>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_news(kept: &WatchState, state: &WatchState, is_last: bool) -> bool {
    let step = if is_last { 1 } else { KEEP_EVERY_MS };
    // After a jump, less is agreed than before.
    kept.anchor != state.anchor
        || state.agreed_ms < kept.agreed_ms
        || state.agreed_ms >= kept.agreed_ms.saturating_add(step)
        || is_last && kept.seen != state.seen
}
