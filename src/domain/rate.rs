//! Rates, and what has been used of them: the generic cell rate algorithm (GCRA; ITU-T I.371, annex A).
//!
//! What is used ends with the process, so it is measured on the steady clock.

use crate::domain::time::SteadyMillis;
use std::fmt;

/// Longest period, in ms: a day.
const MAX_PERIOD_MS: u64 = 86_400_000;
/// Most uses in a period.
const MAX_COUNT: u32 = 100_000;
/// Units of a period, with their lengths in ms; longest first.
const UNITS: [(char, u64); 4] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)];

/// So many uses in a period: all at once, and then one more whenever its share of the period has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period_ms: u64,
}

impl Rate {
    /// `count` uses in `period_ms`; `None` unless that is 1 to 100,000 uses in 1 second to 1 day.
    #[must_use]
    pub const fn new(count: u32, period_ms: u64) -> Option<Self> {
        let is_valid = 1 <= count && count <= MAX_COUNT && 1_000 <= period_ms && period_ms <= MAX_PERIOD_MS;
        if is_valid { Some(Self { count, period_ms }) } else { None }
    }

    /// Parses `<count>/<period>`: `5/s`, `100/10m`, `20/h`, `1000/d`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
        let (count, period) = text.split_once('/')?;
        let unit = period.chars().next_back()?;
        let (_, unit_ms) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
        let units = match period.strip_suffix(unit)? {
            "" => 1,
            units => digits(units)?,
        };
        Self::new(digits(count)?, unit_ms.checked_mul(units.into())?)
    }

    /// The length of its period, in ms.
    #[must_use]
    pub const fn period_ms(self) -> u64 {
        self.period_ms
    }

    /// The same with twice as many uses.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self { count: self.count * 2, ..self }
    }

    /// The share of one use, in µs.
    const fn share_us(self) -> u64 {
        self.period_ms * 1_000 / self.count as u64
    }

    /// The most that can be used at once, in µs.
    const fn full_us(self) -> u64 {
        self.share_us() * self.count as u64
    }
}

/// As [`Rate::parse`] reads it.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.into_iter().find(|(_, ms)| self.period_ms.is_multiple_of(*ms));
        match unit {
            Some((unit, ms)) if self.period_ms == ms => write!(f, "{}/{unit}", self.count),
            Some((unit, ms)) => write!(f, "{}/{}{unit}", self.count, self.period_ms / ms),
            None => write!(f, "{}/{} ms", self.count, self.period_ms),
        }
    }
}

/// What has been used of a rate: the moment on the steady clock at which nothing of it will be left, in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used(u64);

impl Used {
    /// The same after one more use.
    ///
    /// # Errors
    /// When the rate is used up: ms to wait, at most one share of the period.
    pub fn with_one(self, rate: Rate, now: SteadyMillis) -> Result<Self, u64> {
        let now_us = micros(now);
        // The rate may be another one than before, and the clock of a machine that was reset may be behind.
        let full_at = now_us.saturating_add(rate.full_us());
        let used_until = self.0.clamp(now_us, full_at).saturating_add(rate.share_us());
        match used_until.checked_sub(full_at).filter(|above| *above > 0) {
            Some(above) => Err(above.div_ceil(1_000)),
            None => Ok(Self(used_until)),
        }
    }

    /// The same after tenths of one use are given back.
    #[must_use]
    pub const fn without(self, rate: Rate, tenths: u64) -> Self {
        Self(self.0.saturating_sub(rate.share_us() / 10 * tenths))
    }

    /// How long, in µs, until nothing of it is left.
    #[must_use]
    pub const fn left_us(self, now: SteadyMillis) -> u64 {
        self.0.saturating_sub(micros(now))
    }
}

const fn micros(time: SteadyMillis) -> u64 {
    time.0.saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn rates_are_read_and_shown_alike() {
        for text in ["1/s", "5/s", "100/10m", "20/h", "100000/d", "3/90s", "7/23h"] {
            assert_eq!(rate(text).to_string(), text);
        }
        assert_eq!(rate("5/60s"), rate("5/1m"));
        assert_eq!(rate("5/60m").to_string(), "5/h");
        for bad in
            ["", "5", "/h", "5/", "0/h", "5/0h", "5/w", "-5/h", "+5/h", "5/2d", "100001/d", "5/+1h", "5 / h", "5/hh"]
        {
            assert_eq!(Rate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn everything_at_once_and_then_one_by_one() {
        let five = rate("5/m");
        let mut used = Used::default();
        let mut now = SteadyMillis(1_000_000);
        for _ in 0..5 {
            used = used.with_one(five, now).unwrap();
        }
        assert_eq!(used.with_one(five, now), Err(12_000));
        now = now.plus(11_999);
        assert_eq!(used.with_one(five, now), Err(1));
        now = now.plus(1);
        used = used.with_one(five, now).unwrap();
        assert_eq!(used.with_one(five, now), Err(12_000));
        assert_eq!(used.left_us(now), 60_000_000);
        assert_eq!(used.left_us(now.plus(60_000)), 0);
    }

    #[test]
    fn a_success_costs_a_tenth() {
        let ten = rate("10/m");
        let now = SteadyMillis(5);
        let mut used = Used::default();
        let mut successes = 0;
        while let Ok(more) = used.with_one(ten, now) {
            used = more.without(ten, 9);
            successes += 1;
        }
        assert_eq!(successes, 91, "and a tenth is left of the last one");
        assert_eq!(Used::default().with_one(ten, now).unwrap().without(ten, 10).left_us(now), 0);
    }

    #[test]
    fn a_stricter_rate_makes_nobody_wait_longer_than_its_own_share() {
        let mut used = Used::default();
        let now = SteadyMillis(0);
        for _ in 0..5 {
            used = used.with_one(rate("5/d"), now).unwrap();
        }
        assert_eq!(used.with_one(rate("60/m"), now), Err(1_000));
    }

    proptest! {
        /// Of any requests, no more pass in any window than the rate allows at once and in that time; and whoever waits
        /// as long as they are told passes.
        #[test]
        fn no_window_has_more_than_its_share(
            count in 1_u32..50,
            period_s in 1_u64..1_000,
            pauses in proptest::collection::vec(0_u64..30_000, 1..200),
        ) {
            let rate = Rate::new(count, period_s * 1_000).unwrap();
            let (mut used, mut now, mut passed) = (Used::default(), SteadyMillis(0), Vec::new());
            for pause in pauses {
                now = now.plus(pause);
                match used.with_one(rate, now) {
                    Ok(more) => {
                        used = more;
                        passed.push(now.0);
                    }
                    Err(wait) => {
                        prop_assert!(wait > 0 && wait <= rate.share_us().div_ceil(1_000));
                        prop_assert!(used.with_one(rate, now.plus(wait)).is_ok());
                        prop_assert!(used.with_one(rate, now.plus(wait - 1)).is_err());
                    }
                }
            }
            for (first, from) in passed.iter().enumerate() {
                for (last, to) in passed.iter().enumerate().skip(first) {
                    let allowed = u64::from(count) + (to - from) * 1_000 / rate.share_us();
                    prop_assert!((last - first + 1) as u64 <= allowed);
                }
            }
        }
    }
}
