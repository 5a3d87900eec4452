//! Which refusals of sign-ins are already in the audit log: each delay, and each full queue, is logged once. A refused
//! caller can retry at no cost, and must not be able to fill the log.

use crate::domain::time::SteadyMillis;
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hash, RandomState};

/// Maximum number of refusals remembered; a forgotten one may be logged once more.
const REMEMBERED: usize = 65_536;
/// The interval at which a full queue is logged again for an account, in ms.
const BUSY_PERIOD_MS: u64 = 5 * 60_000;

/// The refusals that have been logged.
pub struct Refusals {
    noted: Cache<u64, ()>,
    hasher: RandomState,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { noted: Cache::new(REMEMBERED), hasher: RandomState::new() }
    }
}

impl Refusals {
    /// Whether this is the first refusal of its kind, such as by the same delay. Of several concurrent calls, exactly
    /// one returns true.
    pub fn is_first(&self, kind: impl Hash) -> bool {
        let mut is_first = false;
        let noted = self.noted.get_or_insert_with(&self.hasher.hash_one(kind), || {
            is_first = true;
            Ok::<_, Infallible>(())
        });
        noted.is_ok() && is_first
    }

    /// Whether this is the first recent refusal of this account because of a full queue.
    pub fn is_first_for_busy(&self, account: impl Hash, now: SteadyMillis) -> bool {
        self.is_first((account, now.0 / BUSY_PERIOD_MS))
    }
}
