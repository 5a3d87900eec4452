//! A user's attempts in a tenant: which codes are used up, and when there were too many wrong ones.

use super::Code;
use crate::domain::time::UnixMillis;

/// When wrong codes stop being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong codes in a row before the pause; above 0.
    pub attempts: u32,
    /// The pause, in ms, counted from the last wrong code. What is older than that counts no more.
    pub cooldown_ms: u64,
}

/// What still matters of earlier attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts {
    /// When the wrong codes since the last right one came, oldest first.
    pub failures: Vec<UnixMillis>,
    /// Right codes that would still be taken for right, and until when (that moment excluded).
    pub used: Vec<(Code, UnixMillis)>,
}

/// The answer to an attempt before the code is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The code may be looked at.
    Open {
        /// Wrong codes in a row so far.
        failures: u32,
    },
    /// Too many wrong codes.
    Closed {
        /// How many there were.
        failures: u32,
        /// ms until the next attempt.
        retry_after_ms: u64,
    },
}

impl Attempts {
    /// Whether another attempt is taken. One that is not leaves no trace: it would only lengthen the pause.
    #[must_use]
    pub fn admission(&self, limits: Limits, now: UnixMillis) -> Admission {
        let failures = self.failures_in_a_row(limits, now);
        match self.failures.last() {
            Some(newest) if failures >= limits.attempts => {
                Admission::Closed { failures, retry_after_ms: limits.cooldown_ms - now.since(*newest) }
            }
            _ => Admission::Open { failures },
        }
    }

    /// Wrong codes within one pause before the newest of them, at most as many as are allowed; none once a pause has gone
    /// by since.
    fn failures_in_a_row(&self, limits: Limits, now: UnixMillis) -> u32 {
        let Some(newest) = self.failures.last().copied() else { return 0 };
        if now.since(newest) >= limits.cooldown_ms {
            return 0;
        }
        let near = self.failures.iter().filter(|at| newest.since(**at) < limits.cooldown_ms).count();
        u32::try_from(near).unwrap_or(u32::MAX).min(limits.attempts)
    }

    /// True while a code that was right before must not be taken again.
    #[must_use]
    pub fn is_used(&self, code: Code, now: UnixMillis) -> bool {
        self.used.iter().any(|(used, until)| *used == code && *until > now)
    }

    /// Notes a wrong code.
    pub fn fail(&mut self, limits: Limits, now: UnixMillis) {
        self.failures.retain(|at| now.since(*at) < limits.cooldown_ms);
        self.failures.push(now);
        self.forget_over(now);
    }

    /// Notes a right code, which is used up for `window_ms`.
    pub fn succeed(&mut self, code: Code, window_ms: u64, now: UnixMillis) {
        self.failures.clear();
        self.forget_over(now);
        self.used.push((code, now.plus(window_ms)));
    }

    fn forget_over(&mut self, now: UnixMillis) {
        self.used.retain(|(_, until)| *until > now);
    }

    /// True when nothing of it matters any more.
    #[must_use]
    pub fn are_over(&self, cooldown_ms: u64, now: UnixMillis) -> bool {
        let counts = self.failures.last().is_some_and(|newest| now.since(*newest) < cooldown_ms);
        !counts && self.used.iter().all(|(_, until)| *until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { attempts: 3, cooldown_ms: 1000 };

    fn code(text: &str) -> Code {
        Code::parse(text).unwrap()
    }

    fn failed_at(times: &[u64]) -> Attempts {
        let mut attempts = Attempts::default();
        for at in times {
            attempts.fail(LIMITS, UnixMillis(*at));
        }
        attempts
    }

    fn admission(times: &[u64], now: u64) -> Admission {
        failed_at(times).admission(LIMITS, UnixMillis(now))
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
        assert_eq!(failed_at(&[1, 2, 3000]).failures, [UnixMillis(3000)]);
    }

    #[test]
    fn a_right_code_ends_the_row_and_is_used_up_for_its_window() {
        let mut attempts = failed_at(&[10, 20]);
        attempts.succeed(code("123456"), 90, UnixMillis(30));
        assert_eq!(attempts.admission(LIMITS, UnixMillis(30)), Admission::Open { failures: 0 });
        assert!(attempts.is_used(code("123456"), UnixMillis(119)));
        assert!(!attempts.is_used(code("123456"), UnixMillis(120)));
        assert!(!attempts.is_used(code("123457"), UnixMillis(30)));
        attempts.fail(LIMITS, UnixMillis(200));
        assert_eq!(attempts.used, []);
    }

    #[test]
    fn other_limits_from_now_on_are_minded() {
        let attempts = failed_at(&[10, 20, 30]);
        let at = |attempts: u32, cooldown_ms| Limits { attempts, cooldown_ms };
        assert_eq!(attempts.admission(at(4, 1000), UnixMillis(30)), Admission::Open { failures: 3 });
        let closed = Admission::Closed { failures: 2, retry_after_ms: 500 };
        assert_eq!(attempts.admission(at(2, 500), UnixMillis(30)), closed);
        assert_eq!(attempts.admission(at(2, 10), UnixMillis(30)), Admission::Open { failures: 1 });
    }

    #[test]
    fn a_clock_that_goes_back_lengthens_no_pause() {
        assert_eq!(admission(&[5000, 5000, 5000], 10), Admission::Closed { failures: 3, retry_after_ms: 1000 });
    }

    #[test]
    fn attempts_are_over_when_neither_row_nor_code_counts() {
        assert!(Attempts::default().are_over(1000, UnixMillis(0)));
        let failed = failed_at(&[10]);
        assert!(!failed.are_over(1000, UnixMillis(1009)));
        assert!(failed.are_over(1000, UnixMillis(1010)));
        let mut used = Attempts::default();
        used.succeed(code("000000"), 90, UnixMillis(10));
        assert!(!used.are_over(1000, UnixMillis(99)));
        assert!(used.are_over(1000, UnixMillis(100)));
    }
}
