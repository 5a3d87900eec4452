//! Failure budgets: after a few failed sign-ins, each further failure makes the next wait longer. Budgets end with the
//! process, so they are measured on the steady clock.

use crate::domain::time::SteadyMillis;

/// The rules of a kind of budget.
#[derive(Debug, Clone, Copy)]
pub struct BudgetRules {
    /// Number of failures without a delay.
    pub free: u32,
    /// Delay after the first failure beyond those, in ms; doubles with each further failure.
    pub first_delay_ms: u64,
    /// Longest delay, in ms.
    pub longest_delay_ms: u64,
    /// After this long without a failure, in ms, one failure is forgotten; after twice as long two, and so on.
    pub forget_one_after_ms: u64,
}

/// The budget of one account (tenant and e-mail address).
pub const ACCOUNT: BudgetRules =
    BudgetRules { free: 5, first_delay_ms: 1_000, longest_delay_ms: 900_000, forget_one_after_ms: 900_000 };

/// The budget of one client address: larger, because many people may share an address.
pub const ADDRESS: BudgetRules =
    BudgetRules { free: 50, first_delay_ms: 1_000, longest_delay_ms: 900_000, forget_one_after_ms: 60_000 };

/// The failures of one account or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    count: u32,
    last: SteadyMillis,
}

impl Failures {
    /// How long after the latest failure the next attempt has to wait, in ms.
    #[must_use]
    pub fn delay_ms(&self, rules: &BudgetRules) -> u64 {
        let Some(above) = self.count.checked_sub(rules.free + 1) else { return 0 };
        rules.first_delay_ms.checked_shl(above.min(40)).unwrap_or(u64::MAX).min(rules.longest_delay_ms)
    }

    /// How long an attempt at `now` still has to wait, in ms; `None` when it is allowed.
    #[must_use]
    pub fn wait(&self, rules: &BudgetRules, now: SteadyMillis) -> Option<u64> {
        self.last.age(now).pause_left(self.delay_ms(rules))
    }

    /// Adds the attempt that is being made. It counts as failed until it is known to have succeeded, so that parallel
    /// attempts do not get more tries than sequential ones.
    #[must_use]
    pub fn with_attempt(self, rules: &BudgetRules, now: SteadyMillis) -> Self {
        Self { count: self.remembered(rules, now).saturating_add(1), last: now }
    }

    /// Takes back one attempt that turned out not to be a failure.
    #[must_use]
    pub const fn without_attempt(self) -> Self {
        Self { count: self.count.saturating_sub(1), last: self.last }
    }

    /// The number of failures that still count at `now`.
    #[must_use]
    pub fn remembered(&self, rules: &BudgetRules, now: SteadyMillis) -> u32 {
        let since_delay = self.last.age(now).at_least().saturating_sub(self.delay_ms(rules));
        let forgotten = since_delay / rules.forget_one_after_ms.max(1);
        self.count.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    /// The time of the latest failure.
    #[must_use]
    pub const fn last(&self) -> SteadyMillis {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: BudgetRules =
        BudgetRules { free: 2, first_delay_ms: 1_000, longest_delay_ms: 5_000, forget_one_after_ms: 10_000 };

    #[test]
    fn delays_grow_from_the_first_failure_above_the_free_ones() {
        let mut failures = Failures::default();
        let mut now = SteadyMillis(1_000_000);
        let mut waits = Vec::new();
        for _ in 0..7 {
            assert_eq!(failures.wait(&RULES, now), None);
            failures = failures.with_attempt(&RULES, now);
            waits.push(failures.wait(&RULES, now).unwrap_or(0));
            now = now.plus(failures.delay_ms(&RULES));
        }
        assert_eq!(waits, [0, 0, 1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[test]
    fn attempts_at_the_same_moment_share_the_budget() {
        let now = SteadyMillis(5);
        let mut failures = Failures::default();
        let mut made = 0;
        for _ in 0..10 {
            if failures.wait(&RULES, now).is_none() {
                failures = failures.with_attempt(&RULES, now);
                made += 1;
            }
        }
        assert_eq!(made, 3);
        failures = failures.without_attempt();
        assert_eq!(failures.wait(&RULES, now), None, "one of them was no failure after all");
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        let mut failures = Failures::default();
        for _ in 0..3 {
            failures = failures.with_attempt(&RULES, SteadyMillis(0));
        }
        let open = failures.last().plus(failures.delay_ms(&RULES));
        assert_eq!(open, SteadyMillis(1_000));
        let counts =
            [0, 9_999, 10_000, 20_000, 30_000, u64::MAX].map(|later| failures.remembered(&RULES, open.plus(later)));
        assert_eq!(counts, [3, 3, 2, 1, 0, 0]);
    }

    #[test]
    fn no_number_of_failures_overflows() {
        let mut failures = Failures { count: u32::MAX - 1, last: SteadyMillis(0) };
        for _ in 0..3 {
            failures = failures.with_attempt(&RULES, SteadyMillis(0));
        }
        assert_eq!(failures.wait(&RULES, SteadyMillis(0)), Some(RULES.longest_delay_ms));
    }
}
