//! [`RecentMarks`]: the users whose activity was marked recently.

use crate::domain::ids::UserId;
use crate::domain::time::SteadyMillis;
use crate::state::directory::AppEntry;
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// How long a marked user is not marked again, in ms.
const BETWEEN_MARKS_MS: u64 = 5 * 60_000;
/// Maximum number of users remembered as marked; a forgotten one is just marked once more.
const REMEMBERED: usize = 65_536;

/// The users that were marked recently or are being marked.
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
    /// Claims a user (by the id that callers use) in order to mark it; `None` if it was marked recently or is already
    /// claimed. Of several concurrent requests one gets the claim, so that their transactions do not conflict in the mark.
    pub fn claim(self: &Arc<Self>, entry: &AppEntry, user: &UserId, now: SteadyMillis) -> Option<Claim> {
        self.claim_place(self.place(entry, user), now)
    }

    fn claim_place(self: &Arc<Self>, place: u64, now: SteadyMillis) -> Option<Claim> {
        let is_recent = |at: SteadyMillis| at.age(now).pause_left(BETWEEN_MARKS_MS).is_some();
        // The usual case takes no lock.
        if self.marked.get(&place).is_some_and(is_recent) {
            return None;
        }
        let found = self.marked.entry(&place, Some(Duration::ZERO), |_, at| {
            let is_free = !is_recent(*at);
            if is_free {
                *at = now;
            }
            EntryAction::Retain(is_free)
        });
        let is_claimed = match found {
            EntryResult::Retained(is_free) => is_free,
            EntryResult::Vacant(free) => {
                // If the entry is evicted at once, the user is just marked again.
                let _ = free.insert(now);
                true
            }
            EntryResult::Timeout | EntryResult::Removed(..) | EntryResult::Replaced(..) => false,
        };
        is_claimed.then(|| Claim { marks: Arc::clone(self), place, at: now, is_kept: false })
    }

    /// Forgets that a user (by the id that callers use) was marked: the mark is gone, or now belongs to another user.
    pub fn forget(&self, entry: &AppEntry, user: &UserId) {
        self.marked.remove(&self.place(entry, user));
    }

    /// Where a user is remembered. The serial tells an app from an earlier one of the same name, whose marks are gone.
    fn place(&self, entry: &AppEntry, user: &UserId) -> u64 {
        self.hasher.hash_one((entry.serial, user))
    }
}

/// The right to mark a user. If it is dropped without [`Claim::keep`], the next request marks the user.
#[must_use]
pub struct Claim {
    marks: Arc<RecentMarks>,
    place: u64,
    at: SteadyMillis,
    is_kept: bool,
}

impl Claim {
    /// Records that the mark is committed: the user is not marked again for a while.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_kept {
            self.marks.marked.remove_if(&self.place, |at| *at == self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(minutes: u64) -> SteadyMillis {
        SteadyMillis(minutes * 60_000)
    }

    #[test]
    fn one_at_a_time_marks_and_then_nobody_for_five_minutes() {
        let marks = Arc::new(RecentMarks::default());
        for begin in [10, 15] {
            let claim = marks.claim_place(7, at(begin)).expect("free");
            assert!(marks.claim_place(7, at(begin)).is_none(), "claimed");
            assert!(marks.claim_place(8, at(begin)).is_some(), "another's");
            claim.keep();
            assert!(marks.claim_place(7, at(begin + 4)).is_none(), "marked");
        }
    }

    #[test]
    fn a_claim_that_comes_to_nothing_is_free_again() {
        let marks = Arc::new(RecentMarks::default());
        let first = marks.claim_place(7, at(1));
        drop(first);
        let second = marks.claim_place(7, at(1)).expect("free again");
        // Forgotten while it is being marked, and claimed once more: the first claim to end leaves the other alone.
        marks.marked.remove(&7);
        let third = marks.claim_place(7, at(2)).expect("forgotten");
        drop(second);
        assert!(marks.claim_place(7, at(2)).is_none());
        third.keep();
        assert!(marks.claim_place(7, at(6)).is_none());
    }

    #[test]
    fn of_many_threads_one_gets_the_claim() {
        let marks = Arc::new(RecentMarks::default());
        for round in 1..200 {
            let claims = std::thread::scope(|scope| {
                let threads = [(); 4].map(|()| scope.spawn(|| marks.claim_place(7, at(10 * round))));
                threads.map(|thread| thread.join().expect("no panic"))
            });
            let mut claims: Vec<_> = claims.into_iter().flatten().collect();
            assert_eq!(claims.len(), 1, "{round}");
            claims.remove(0).keep();
        }
    }
}
