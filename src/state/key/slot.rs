//! [`RingSlot`]: the place where an app's key ring is kept.

use super::ring::{KeyRing, Need};
use crate::domain::key::KeyRules;
use crate::domain::time::{SteadyMillis, UnixMillis};
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Mutex;

/// After a failed change, how long the old ring serves before the next attempt.
const RETRY_MS: u64 = 1000;
/// Resolution of the time of a ring's last use.
const USE_STEP_MS: u64 = 60_000;

/// The place of one app's ring; stays the same while the app exists.
pub struct RingSlot {
    pub(super) serial: u64,
    pub(super) ring: ArcSwapOption<KeyRing>,
    /// Held while keys change, so that many concurrent requests make only one key.
    pub(super) changing: Mutex<()>,
    /// An operator's change has begun and is not in `ring` yet. It may be in the store all the same, because its caller
    /// can go away at any await.
    pub(super) in_doubt: AtomicBool,
    /// When a request last used the ring, to within [`USE_STEP_MS`]; ms on the steady clock.
    used_at: AtomicU64,
    /// When a request last needed RSA, in the same form plus one millisecond; 0: never. RSA keys are replaced while
    /// they are needed.
    rsa_asked_at: AtomicU64,
    /// Whether an SDK of this app reads the JWKS document and supports RSA only; this has been logged.
    has_rsa_only_reader: AtomicBool,
    /// A ring that still serves is not replaced before this moment; ms on the steady clock.
    retry_at: AtomicU64,
}

impl RingSlot {
    pub(super) fn new(serial: u64) -> Self {
        Self {
            serial,
            ring: ArcSwapOption::empty(),
            changing: Mutex::new(()),
            in_doubt: AtomicBool::new(false),
            used_at: AtomicU64::new(0),
            rsa_asked_at: AtomicU64::new(0),
            has_rsa_only_reader: AtomicBool::new(false),
            retry_at: AtomicU64::new(0),
        }
    }

    /// Records that a request uses the ring now.
    pub(super) fn touch(&self, need: Need, now: SteadyMillis) {
        if self.last_use().age(now).has_reached(USE_STEP_MS) {
            self.used_at.store(now.0, Ordering::Relaxed);
        }
        if need == Need::Rsa && self.last_asked_for_rsa().is_none_or(|last| last.age(now).has_reached(USE_STEP_MS)) {
            self.rsa_asked_at.store(now.plus(1).0, Ordering::Relaxed);
        }
    }

    /// True for the first call.
    pub(super) fn note_rsa_only_reader(&self) -> bool {
        !self.has_rsa_only_reader.swap(true, Ordering::Relaxed)
    }

    fn last_asked_for_rsa(&self) -> Option<SteadyMillis> {
        self.rsa_asked_at.load(Ordering::Relaxed).checked_sub(1).map(SteadyMillis)
    }

    /// True when RSA was needed within the time that a dynamic key is used.
    pub(super) fn wants_rsa(&self, rules: KeyRules, now: SteadyMillis) -> bool {
        let lately = rules.update_interval_ms.max(USE_STEP_MS);
        self.last_asked_for_rsa().is_some_and(|last| !last.age(now).has_reached(lately))
    }

    /// When a request last used the ring.
    pub(super) fn last_use(&self) -> SteadyMillis {
        SteadyMillis(self.used_at.load(Ordering::Relaxed))
    }

    /// Records that an attempt to replace the ring has failed now.
    pub(super) fn wait(&self, now: SteadyMillis) {
        self.retry_at.store(now.plus(RETRY_MS).0, Ordering::Relaxed);
    }

    /// True for a short while after a failed attempt.
    pub(super) fn waits(&self, now: SteadyMillis) -> bool {
        now < SteadyMillis(self.retry_at.load(Ordering::Relaxed))
    }

    /// The ring, if it is the one that the schedule requires.
    pub(super) fn current(&self, rules: KeyRules, need: Need, now: UnixMillis) -> Option<Arc<KeyRing>> {
        let ring = self.ring.load_full().filter(|ring| ring.is_current(rules, need, now))?;
        (!self.in_doubt.load(Ordering::Acquire)).then_some(ring)
    }
}
