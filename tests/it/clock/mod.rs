//! A wall clock that is set forwards and back, by seconds, days and years, under everything that depends on time.
//!
//! The rule is that of `domain/time.rs`: no pause gets longer, what is refused while the clock is wrong is accepted
//! again when it is right, nothing is deleted before its time, and everything due is deleted once the clock is
//! reliable.

mod dates;
mod pauses;
mod records;
mod restarts;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// Ways in which the wall clock is set, in ms: each ends at the right time.
fn walks() -> Vec<Vec<i64>> {
    let steps = [SECOND, 10 * SECOND, 10 * MINUTE, HOUR, DAY, 40 * DAY, YEAR, 40 * YEAR];
    let steps = steps.map(|step| i64::try_from(step).unwrap());
    steps.into_iter().flat_map(|step| [vec![step, -step], vec![-step, step], vec![step, -2 * step, step]]).collect()
}
