//! Which refusals of sign-ins the audit log has been told of: each delay, and each full queue, once. Who is refused can come
//! again at no cost, and must not be able to fill the log.

use crate::domain::time::SteadyMillis;
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hash, RandomState};

/// Refusals remembered; one that is forgotten may be told once more.
const REMEMBERED: usize = 65_536;
/// A full queue is told once per account in so long, in ms.
const BUSY_PERIOD_MS: u64 = 5 * 60_000;

/// The refusals that have been told.
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
    /// Whether this is the first refusal of its kind: because of the same delay, say. Of several at once one is.
    pub fn is_first(&self, kind: impl Hash) -> bool {
        let mut is_first = false;
        let noted = self.noted.get_or_insert_with(&self.hasher.hash_one(kind), || {
            is_first = true;
            Ok::<_, Infallible>(())
        });
        noted.is_ok() && is_first
    }

    /// Whether this is the first refusal of this account for a full queue, lately.
    pub fn is_first_for_busy(&self, account: impl Hash, now: SteadyMillis) -> bool {
        self.is_first((account, now.0 / BUSY_PERIOD_MS))
    }
}
