//! [`RecentMarks`]: the users whose activity was marked recently.

use crate::domain::ids::UserId;
use crate::domain::time::SteadyMillis;
use crate::state::directory::AppEntry;
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};

/// How long a marked user is not marked again, in ms.
const BETWEEN_MARKS_MS: u64 = 5 * 60_000;
/// Maximum number of users remembered as marked; a forgotten one is just marked once more.
const REMEMBERED: usize = 65_536;

/// The users that were marked recently.
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
    /// Forgets that a user (by the id that callers use) was marked: the mark is gone, or now belongs to another user.
    pub fn forget(&self, entry: &AppEntry, user: &UserId) {
        self.marked.remove(&self.place(entry, user));
    }

    /// The key for a user. The serial distinguishes an app from an earlier one with the same name, whose marks are
    /// gone.
    #[must_use]
    pub fn place(&self, entry: &AppEntry, user: &UserId) -> u64 {
        self.hasher.hash_one((entry.serial, user))
    }

    /// Whether the user with this key was marked recently.
    #[must_use]
    pub fn is_marked(&self, place: u64, now: SteadyMillis) -> bool {
        self.marked.get(&place).is_some_and(|at| at.age(now).pause_left(BETWEEN_MARKS_MS).is_some())
    }

    /// Remembers a committed mark.
    pub fn remember(&self, place: u64, at: SteadyMillis) {
        self.marked.insert(place, at);
    }
}
