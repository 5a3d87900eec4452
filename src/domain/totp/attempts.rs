//! A user's attempts in a tenant: which codes are used up, and when there were too many wrong ones.

use super::Code;
use crate::domain::time::{Reading, UnixMillis};
use std::cmp::Reverse;

/// The limit on wrong codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong codes in a row before the pause; above 0.
    pub attempts: u32,
    /// The pause, in ms, counted from the last wrong code. Older failures no longer count.
    pub cooldown_ms: u64,
}

/// What still matters of earlier attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts {
    /// When each wrong code since the last right one was entered, oldest first.
    pub failures: Vec<Reading>,
    /// Right codes that would still be valid, and until when by the wall clock (exclusive), which is the clock that
    /// codes follow.
    pub used: Vec<(Code, UnixMillis)>,
}

/// The decision on an attempt before its code is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The code may be checked.
    Open {
        /// Wrong codes in a row so far.
        failures: u32,
    },
    /// Too many wrong codes.
    Closed {
        /// The number of wrong codes in a row.
        failures: u32,
        /// Milliseconds until the next attempt is allowed.
        retry_after_ms: u64,
    },
}

impl Attempts {
    /// Whether another attempt is allowed. A refused attempt leaves no trace: it would only lengthen the pause.
    #[must_use]
    pub fn admission(&self, limits: Limits, now: &Reading) -> Admission {
        let Some(newest) = self.failures.last() else { return Admission::Open { failures: 0 } };
        let Some(retry_after_ms) = newest.age(now).pause_left(limits.cooldown_ms) else {
            return Admission::Open { failures: 0 };
        };
        let failures = self.failures_in_a_row(newest, limits);
        if failures >= limits.attempts {
            Admission::Closed { failures, retry_after_ms }
        } else {
            Admission::Open { failures }
        }
    }

    /// Wrong codes within one pause before the newest of them, counted up to the limit.
    fn failures_in_a_row(&self, newest: &Reading, limits: Limits) -> u32 {
        let near = self.failures.iter().filter(|at| at.age(newest).pause_left(limits.cooldown_ms).is_some()).count();
        u32::try_from(near).unwrap_or(u32::MAX).min(limits.attempts)
    }

    /// These together with others of the same person, as of now.
    #[must_use]
    pub fn together_with<'a>(&self, others: impl Iterator<Item = &'a Self>, now: &Reading) -> Self {
        let mut all = self.clone();
        for other in others {
            all.failures.extend(&other.failures);
            all.used.extend(&other.used);
        }
        if all.failures.len() > self.failures.len() {
            // What is dated in the future is not the newest: it would be the end of every pause.
            all.failures.sort_by_key(|at| Reverse(at.age(now).known().unwrap_or(u64::MAX)));
        }
        all
    }

    /// True while a right code that has been used must not be accepted again.
    #[must_use]
    pub fn is_used(&self, code: Code, now: UnixMillis) -> bool {
        self.used.iter().any(|(used, until)| *used == code && *until > now)
    }

    /// Records a wrong code.
    pub fn fail(&mut self, limits: Limits, now: Reading) {
        self.failures.retain(|at| at.age(&now).pause_left(limits.cooldown_ms).is_some());
        self.failures.push(now);
        self.forget_over(now.wall);
    }

    /// Records a right code, which is used up for `window_ms`.
    pub fn succeed(&mut self, code: Code, window_ms: u64, now: UnixMillis) {
        self.failures.clear();
        self.forget_over(now);
        self.used.push((code, now.plus(window_ms)));
    }

    fn forget_over(&mut self, now: UnixMillis) {
        self.used.retain(|(_, until)| *until > now);
    }

    /// True when nothing here matters any more.
    #[must_use]
    pub fn are_over(&self, cooldown_ms: u64, now: &Reading) -> bool {
        let counts = self.failures.last().is_some_and(|newest| newest.age(now).pause_left(cooldown_ms).is_some());
        !counts && self.used.iter().all(|(_, until)| *until <= now.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{BootId, SteadyMillis};

    const LIMITS: Limits = Limits { attempts: 3, cooldown_ms: 1000 };
    const HERE: BootId = BootId([1; 16]);

    fn code(text: &str) -> Code {
        Code::parse(text).unwrap()
    }

    /// A moment at which both clocks agree.
    const fn at(ms: u64) -> Reading {
        both(ms, ms)
    }

    const fn both(wall: u64, steady: u64) -> Reading {
        Reading { wall: UnixMillis(wall), steady: SteadyMillis(steady), boot: HERE }
    }

    fn failed_at(times: &[u64]) -> Attempts {
        let mut attempts = Attempts::default();
        for time in times {
            attempts.fail(LIMITS, at(*time));
        }
        attempts
    }

    fn admission(times: &[u64], now: u64) -> Admission {
        failed_at(times).admission(LIMITS, &at(now))
    }

    #[test]
    fn the_allowed_number_in_a_row_closes_for_a_pause_after_the_last() {
        assert_eq!(admission(&[], 0), Admission::Open { failures: 0 });
        assert_eq!(admission(&[10, 20], 20), Admission::Open { failures: 2 });
        assert_eq!(admission(&[10, 20, 30], 30), Admission::Closed { failures: 3, retry_after_ms: 1000 });
        assert_eq!(admission(&[10, 20, 30], 1029), Admission::Closed { failures: 3, retry_after_ms: 1 });
        assert_eq!(admission(&[10, 20, 30], 1030), Admission::Open { failures: 0 });
    }

    #[test]
    fn what_is_a_pause_older_than_the_newest_does_not_count() {
        assert_eq!(admission(&[10, 900, 1010], 1010), Admission::Open { failures: 2 });
        assert_eq!(admission(&[11, 900, 1010], 1010), Admission::Closed { failures: 3, retry_after_ms: 1000 });
        assert_eq!(failed_at(&[1, 2, 3000]).failures, [at(3000)]);
    }

    #[test]
    fn a_right_code_ends_the_row_and_is_used_up_for_its_window() {
        let mut attempts = failed_at(&[10, 20]);
        attempts.succeed(code("123456"), 90, UnixMillis(30));
        assert_eq!(attempts.admission(LIMITS, &at(30)), Admission::Open { failures: 0 });
        assert!(attempts.is_used(code("123456"), UnixMillis(119)));
        assert!(!attempts.is_used(code("123456"), UnixMillis(120)));
        assert!(!attempts.is_used(code("123457"), UnixMillis(30)));
        attempts.fail(LIMITS, at(200));
        assert_eq!(attempts.used, []);
    }

    #[test]
    fn attempts_elsewhere_count_in_the_order_in_which_they_were_made() {
        let (here, mut there) = (failed_at(&[10, 30]), failed_at(&[20]));
        let all = |there: &Attempts, now| here.together_with([there].into_iter(), &at(now));
        assert_eq!(all(&there, 30).failures, [at(10), at(20), at(30)]);
        let closed = Admission::Closed { failures: 3, retry_after_ms: 999 };
        assert_eq!(all(&there, 31).admission(LIMITS, &at(31)), closed);
        there.failures.push(at(5000));
        assert_eq!(all(&there, 31).admission(LIMITS, &at(31)), closed, "one that is yet to come ends no pause");
        there.succeed(code("123456"), 90, UnixMillis(30));
        assert!(all(&there, 40).is_used(code("123456"), UnixMillis(40)));
        assert_eq!(all(&there, 31).admission(LIMITS, &at(31)), Admission::Open { failures: 2 });
    }

    #[test]
    fn other_limits_from_now_on_are_minded() {
        let attempts = failed_at(&[10, 20, 30]);
        let limits = |attempts: u32, cooldown_ms| Limits { attempts, cooldown_ms };
        assert_eq!(attempts.admission(limits(4, 1000), &at(30)), Admission::Open { failures: 3 });
        let closed = Admission::Closed { failures: 2, retry_after_ms: 500 };
        assert_eq!(attempts.admission(limits(2, 500), &at(30)), closed);
        assert_eq!(attempts.admission(limits(2, 10), &at(30)), Admission::Open { failures: 1 });
    }

    /// Milliseconds that an attempt at `now` still has to wait.
    fn wait(attempts: &Attempts, now: &Reading) -> u64 {
        match attempts.admission(LIMITS, now) {
            Admission::Open { .. } => 0,
            Admission::Closed { retry_after_ms, .. } => retry_after_ms,
        }
    }

    #[test]
    fn a_clock_that_goes_back_lengthens_no_pause() {
        let attempts = failed_at(&[5000, 5000, 5000]);
        for wall in [0, 10, 4_999, 5_000, 5_001, 1_000_000] {
            for passed in 0..=2000 {
                let now = both(wall + passed, 5_000 + passed);
                assert_eq!(wait(&attempts, &now), LIMITS.cooldown_ms.saturating_sub(passed), "{wall} and {passed}");
            }
        }
    }

    #[test]
    fn a_pause_is_over_at_its_length_after_a_boot_at_the_latest() {
        let attempts = failed_at(&[5000, 5000, 5000]);
        let after_boot = |wall, steady| Reading { boot: BootId([2; 16]), ..both(wall, steady) };
        for wall in (0..=10_000).step_by(50) {
            let mut was_open = false;
            for passed in (0..=2_000).step_by(50) {
                let left = wait(&attempts, &after_boot(wall + passed, passed));
                assert!(left <= LIMITS.cooldown_ms.saturating_sub(passed), "{left} ms, {passed} after {wall}");
                assert!(left == 0 || !was_open, "closed again, {passed} after {wall}");
                was_open = left == 0;
            }
        }
        assert_eq!(wait(&attempts, &after_boot(5_001, 0)), 999, "a boot alone ends no pause");
    }

    #[test]
    fn what_an_older_version_wrote_is_told_by_the_wall_clock() {
        let failures = [5000; 3].map(|wall| Reading::of_wall(UnixMillis(wall))).to_vec();
        let attempts = Attempts { failures, used: Vec::new() };
        assert_eq!(wait(&attempts, &both(5_001, 9)), 999);
        assert_eq!(wait(&attempts, &both(6_000, 9)), 0);
        assert_eq!(wait(&attempts, &both(4_999, 9)), 0);
    }

    #[test]
    fn attempts_are_over_when_neither_row_nor_code_counts() {
        assert!(Attempts::default().are_over(1000, &at(0)));
        let failed = failed_at(&[10]);
        assert!(!failed.are_over(1000, &at(1009)));
        assert!(failed.are_over(1000, &at(1010)));
        let mut used = Attempts::default();
        used.succeed(code("000000"), 90, UnixMillis(10));
        assert!(!used.are_over(1000, &at(99)));
        assert!(used.are_over(1000, &at(100)));
    }
}
