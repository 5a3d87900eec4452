//! [`RecentMarks`]: whose activity was marked lately.

use crate::domain::ids::UserId;
use crate::domain::time::SteadyMillis;
use crate::state::directory::AppEntry;
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};

/// A user that was marked is not marked again for so long, in ms.
const BETWEEN_MARKS_MS: u64 = 5 * 60_000;
/// Users remembered as marked; one that is forgotten is only marked once more.
const REMEMBERED: usize = 65_536;

/// Who was marked lately.
pub struct RecentMarks {
    marked: Cache<u64, SteadyMillis>,
    hasher: RandomState,
}

impl Default for RecentMarks {
    fn default() -> Self {
        Self { marked: Cache::new(REMEMBERED), hasher: RandomState::new() }
    }
}

impl RecentMarks {
    /// Forgets that a user (by the id that callers use) was marked: its mark is gone, or another's now.
    pub fn forget(&self, entry: &AppEntry, user: &UserId) {
        self.marked.remove(&self.place(entry, user));
    }

    /// Where a user is remembered. The serial tells an app from an earlier one of the same name, whose marks are gone.
    #[must_use]
    pub fn place(&self, entry: &AppEntry, user: &UserId) -> u64 {
        self.hasher.hash_one((entry.serial, user))
    }

    /// Whether the user at this place was marked lately.
    #[must_use]
    pub fn is_marked(&self, place: u64, now: SteadyMillis) -> bool {
        self.marked.get(&place).is_some_and(|at| at.age(now).pause_left(BETWEEN_MARKS_MS).is_some())
    }

    /// Remembers a mark that is committed.
    pub fn remember(&self, place: u64, at: SteadyMillis) {
        self.marked.insert(place, at);
    }
}
