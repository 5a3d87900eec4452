//! Time as the protocol counts it, milliseconds since the Unix epoch, and how long ago something was.
//!
//! People and time services set the wall clock, forwards and back, so the difference of two of its readings need not be
//! the time that has passed. These rules apply everywhere:
//!
//! - What ends with the process is measured on the steady clock, which nobody sets ([`SteadyMillis`]).
//! - What outlives the process and makes someone wait is stored with both clocks ([`Reading`]). It is measured on the
//!   steady clock while that keeps running, also across restarts. After a reboot the wall clock counts, as long as it
//!   does not contradict the steady one.
//! - Where the clocks contradict each other, or something is dated in the future, its [`Age`] is unknown, and the user
//!   gets the benefit of the doubt: a pause is over, a grace period is not, and nothing is deleted.
//! - A date that was promised or that others check too (the end of a token, of a session, of a key) is compared with
//!   the wall clock as it is: that is not an age.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds, rounded down (JWT `iat` and `exp`).
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// This moment rounded down to the second.
    #[must_use]
    pub const fn floor_to_second(self) -> Self {
        Self(self.0 - self.0 % 1000)
    }

    /// `millis` later; the end of time instead of an overflow.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// `millis` earlier; the epoch instead of an underflow.
    #[must_use]
    pub const fn minus(self, millis: u64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// Milliseconds from this moment to `date`; 0 when that has passed.
    #[must_use]
    pub const fn until(self, date: Self) -> u64 {
        date.0.saturating_sub(self.0)
    }

    /// How long ago this was, by the wall clock alone.
    #[must_use]
    pub const fn age(self, now: Self) -> Age {
        Age(now.0.checked_sub(self.0))
    }
}

/// How long ago something was, if known; see the rules of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(Option<u64>);

impl Age {
    /// Milliseconds left of a pause of `length_ms` that began at that moment; `None` when it is over. A step of the
    /// clock never makes it longer.
    #[must_use]
    pub const fn pause_left(self, length_ms: u64) -> Option<u64> {
        match self.0 {
            Some(age) if age < length_ms => Some(length_ms - age),
            _ => None,
        }
    }

    /// True when it was certainly `length_ms` ago or longer. Deletions that depend on this come late rather than early.
    #[must_use]
    pub const fn has_reached(self, length_ms: u64) -> bool {
        matches!(self.0, Some(age) if age >= length_ms)
    }

    /// Milliseconds; `None` when it is dated in the future.
    #[must_use]
    pub const fn known(self) -> Option<u64> {
        self.0
    }

    /// Milliseconds that have certainly passed: 0 when it is dated in the future.
    #[must_use]
    pub const fn at_least(self) -> u64 {
        match self.0 {
            Some(age) => age,
            None => 0,
        }
    }
}

/// RFC 3339 in UTC, to the millisecond: `2026-01-31T23:59:59.999Z`.
impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, in_day) = (self.0 / DAY_MS, self.0 % DAY_MS);
        let (year, month, day) = civil_date(days);
        let (seconds, millis) = (in_day / 1000, in_day % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl UnixMillis {
    /// The moment as HTTP writes it, in whole seconds: `Sat, 31 Jan 2026 23:59:59 GMT` (RFC 9110, 5.6.7).
    #[must_use]
    pub fn http_date(self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let name = |names: &[&'static str], place: u64| {
            usize::try_from(place).ok().and_then(|place| names.get(place).copied()).unwrap_or_default()
        };
        let (days, seconds) = (self.0 / DAY_MS, self.0 % DAY_MS / 1000);
        let (year, month, day) = civil_date(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let month = name(&MONTHS, month - 1);
        // By hand, because formatting takes longer and replies with cookies have several dates.
        let mut date = String::with_capacity(29);
        date.extend([name(&DAYS, days % 7), ", "]);
        push_padded(&mut date, day, 2);
        date.extend([" ", month, " "]);
        push_padded(&mut date, year, 4);
        for (before, number) in [(' ', hour), (':', minute), (':', second)] {
            date.push(before);
            push_padded(&mut date, number, 2);
        }
        date.push_str(" GMT");
        date
    }
}

/// Appends a number with at least this many digits.
fn push_padded(text: &mut String, number: u64, digits: u32) {
    if number >= 10_u64.pow(digits) {
        text.push_str(&number.to_string());
        return;
    }
    for place in (0..digits).rev() {
        // invariant: what is left of a division by ten is a digit
        let digit = u32::try_from(number / 10_u64.pow(place) % 10).ok();
        text.extend(digit.and_then(|digit| char::from_digit(digit, 10)));
    }
}

const DAY_MS: u64 = 86_400_000;

/// Year, month and day, in the Gregorian calendar, of a day counted from 1970. Years are counted from March, so that
/// the leap day comes last.
const fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097; // 400 years
    let since_year_0 = days + 719_468; // 0000-03-01
    let (era, day_of_era) = (since_year_0 / DAYS_PER_ERA, since_year_0 % DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// A length of time for display: in its largest unit, rounded down.
#[must_use]
pub fn roughly(ms: u64) -> String {
    let units = [("year", 365 * DAY_MS), ("day", DAY_MS), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000)];
    let (unit, length) = units.into_iter().find(|(_, length)| ms >= *length).unwrap_or(("ms", 1));
    match ms / length {
        count if unit == "ms" => format!("{count} ms"),
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}

/// Milliseconds since an arbitrary moment, by a clock that nobody sets. Comparable within one [`BootId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SteadyMillis(pub u64);

impl SteadyMillis {
    /// `millis` later; the end of time instead of an overflow.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// How long ago this was.
    #[must_use]
    pub const fn age(self, now: Self) -> Age {
        Age(Some(now.0.saturating_sub(self.0)))
    }
}

/// The run of the steady clock that a moment belongs to: from one boot of the machine to the next where the system
/// identifies its boots, otherwise one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub [u8; 16]);

impl BootId {
    /// An unknown run: its moments cannot be compared with any others.
    pub const UNKNOWN: Self = Self([0; 16]);
}

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The wall clock's time.
    pub wall: UnixMillis,
    /// The steady clock's time.
    pub steady: SteadyMillis,
    /// The run of the steady clock.
    pub boot: BootId,
}

impl Reading {
    /// A moment for which only the wall clock's time is known.
    #[must_use]
    pub const fn of_wall(wall: UnixMillis) -> Self {
        Self { wall, steady: SteadyMillis(0), boot: BootId::UNKNOWN }
    }

    /// Milliseconds on the steady clock from this moment to `now`; `None` when it did not run all the time.
    #[must_use]
    pub fn steadily_passed(&self, now: &Self) -> Option<u64> {
        let same_run = self.boot == now.boot && self.boot != BootId::UNKNOWN;
        // A virtual machine that is reset to an earlier state keeps its boot id.
        if same_run { now.steady.0.checked_sub(self.steady.0) } else { None }
    }

    /// How long ago this was: by the steady clock if it has run since then, otherwise by the wall clock.
    #[must_use]
    pub fn age(&self, now: &Self) -> Age {
        if let Some(passed) = self.steadily_passed(now) {
            return Age(Some(passed));
        }
        let by_wall = self.wall.age(now.wall);
        let is_of_earlier_run = self.boot != now.boot && self.boot != BootId::UNKNOWN;
        // The moment lies before this run. If less time than the run has passed on the wall clock, that clock was set
        // back since, and stays wrong about this age even when it reaches the same time again.
        if is_of_earlier_run && !by_wall.has_reached(now.steady.0) { Age(None) } else { by_wall }
    }
}

/// The source of the present time. Only the composition root names the real one.
pub trait Clock: Send + Sync {
    /// The wall clock's time. It can jump: people and time services set it.
    fn now(&self) -> UnixMillis;

    /// The steady clock's time; it keeps running while the machine is suspended, where the system supports that.
    fn steady(&self) -> SteadyMillis;

    /// The run of the steady clock.
    fn boot(&self) -> BootId;

    /// Both at once.
    fn reading(&self) -> Reading {
        Reading { wall: self.now(), steady: self.steady(), boot: self.boot() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_http_dates() {
        for (ms, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_868_799_000, "Tue, 29 Feb 2000 23:59:59 GMT"),
            (253_402_300_800_000, "Sat, 01 Jan 10000 00:00:00 GMT"),
        ] {
            assert_eq!(UnixMillis(ms).http_date(), text);
        }
    }

    #[test]
    fn times_are_shown_as_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (ms, text) in cases {
            assert_eq!(UnixMillis(ms).to_string(), text);
        }
    }
    #[test]
    fn lengths_are_told_in_their_largest_unit() {
        let cases = [(0, "0 ms"), (999, "999 ms"), (1_999, "1 second"), (119_999, "1 minute"), (7_200_000, "2 hours")];
        for (ms, text) in cases.into_iter().chain([(3 * DAY_MS, "3 days"), (56 * 366 * DAY_MS, "56 years")]) {
            assert_eq!(roughly(ms), text);
        }
    }

    const HERE: BootId = BootId([1; 16]);

    const fn read(wall: u64, steady: u64, boot: BootId) -> Reading {
        Reading { wall: UnixMillis(wall), steady: SteadyMillis(steady), boot }
    }

    #[test]
    fn a_pause_counts_down_and_is_over_when_it_is_dated_in_the_future() {
        let left = |now| UnixMillis(1000).age(UnixMillis(now)).pause_left(100);
        assert_eq!([left(1000), left(1099), left(1100), left(u64::MAX)], [Some(100), Some(1), None, None]);
        assert_eq!([left(999), left(0)], [None, None]);
        assert_eq!(UnixMillis(1000).age(UnixMillis(1000)).pause_left(0), None);
    }

    #[test]
    fn what_is_dated_in_the_future_has_reached_no_age() {
        let reached = |now| UnixMillis(1000).age(UnixMillis(now)).has_reached(100);
        assert_eq!([reached(0), reached(999), reached(1099), reached(1100)], [false, false, false, true]);
        assert_eq!(UnixMillis(1000).age(UnixMillis(999)).known(), None);
        assert_eq!(UnixMillis(1000).age(UnixMillis(999)).at_least(), 0);
    }

    #[test]
    fn the_steady_clock_tells_an_age_while_it_goes_on_and_the_wall_clock_after_that() {
        let began = read(5_000, 100, HERE);
        for wall in [0, 4_999, 5_000, u64::MAX] {
            assert_eq!(began.age(&read(wall, 130, HERE)).known(), Some(30), "{wall}");
        }
        let rebooted = |wall, steady| read(wall, steady, BootId([2; 16]));
        for later in [rebooted(5_040, 0), rebooted(5_040, 40), read(5_040, 99, HERE)] {
            assert_eq!(began.age(&later).known(), Some(40), "{later:?}");
        }
        assert_eq!(Reading::of_wall(UnixMillis(5_000)).age(&rebooted(5_040, 130)).known(), Some(40));
    }

    #[test]
    fn a_wall_clock_that_says_less_than_has_passed_since_the_boot_was_set_back() {
        let began = read(5_000, 100, HERE);
        for (wall, steady) in [(4_999, 0), (5_000, 1), (5_040, 41)] {
            assert_eq!(began.age(&read(wall, steady, BootId([2; 16]))).known(), None, "{wall}");
        }
    }
}
