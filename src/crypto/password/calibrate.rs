//! Finds the parameters with which one hash takes the desired time on this machine (CDI: `hashingCalibrate`).

use super::StoredHash;
use crate::domain::password::HashParameters;
use crate::domain::password::limits::{MAX_ARGON2_MEMORY_KIB, MAX_ARGON2_WORK, MAX_BCRYPT_COST};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Measures one hash with these parameters.
pub type Measure<'a> = &'a mut dyn FnMut(HashParameters) -> Duration;

/// Below this an argon2 hash is no better than a bcrypt one, in KiB.
const ARGON2_MEMORY_KIB_MIN: u32 = 15 * 1024;
/// How often to try to meet the time with less memory.
const ARGON2_ATTEMPTS: u32 = 12;
/// How far a hash may exceed the desired time, as a factor.
const TOLERANCE: f64 = 1.05;

/// Parameters, and the time a hash takes with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The parameters.
    pub parameters: HashParameters,
    /// The time of one hash.
    pub took: Duration,
}

/// Limits for argon2.
#[derive(Debug, Clone, Copy)]
pub struct Argon2Limits {
    /// Memory for all concurrent hashes, in KiB.
    pub memory_kib: u32,
    /// The number of concurrent hashes.
    pub pool_size: u32,
    /// The lanes of a hash.
    pub parallelism: u32,
}

/// The bcrypt cost whose time is nearest to `target`.
pub fn bcrypt(target: Duration, measure: Measure<'_>) -> Found {
    let mut timed = |cost| {
        let parameters = HashParameters::Bcrypt { cost };
        Found { parameters, took: measure(parameters) }
    };
    let mut below = timed(4);
    for cost in 5..=MAX_BCRYPT_COST {
        if below.took >= target {
            break;
        }
        let above = timed(cost);
        if above.took >= target {
            let nearer = above.took - target < target.saturating_sub(below.took);
            return if nearer { above } else { below };
        }
        below = above;
    }
    below
}

/// The most memory, and then the most passes, with which an argon2 hash takes at most `target`. `None` when even the
/// least sensible memory takes longer.
pub fn argon2(target: Duration, limits: Argon2Limits, measure: Measure<'_>) -> Option<Found> {
    let mut timed = |memory_kib, iterations| {
        let parameters = HashParameters::Argon2 { iterations, memory_kib, parallelism: limits.parallelism };
        Found { parameters, took: measure(parameters) }
    };
    let allowed = target.mul_f64(TOLERANCE);
    let mut memory_kib = (limits.memory_kib / limits.pool_size.max(1)).min(MAX_ARGON2_MEMORY_KIB);
    let mut found = timed(memory_kib, 1);
    for _ in 0..ARGON2_ATTEMPTS {
        if found.took <= allowed || memory_kib <= ARGON2_MEMORY_KIB_MIN {
            break;
        }
        memory_kib = scaled(memory_kib, target, found.took).max(ARGON2_MEMORY_KIB_MIN);
        found = timed(memory_kib, 1);
    }
    if found.took > allowed {
        return None;
    }
    let most = u32::try_from(MAX_ARGON2_WORK / u64::from(memory_kib.max(1))).unwrap_or(u32::MAX);
    let mut iterations = scaled(1, target, found.took).min(most);
    while iterations > 1 {
        let more = timed(memory_kib, iterations);
        if more.took <= allowed {
            return Some(more);
        }
        iterations -= 1;
    }
    Some(found)
}

/// `count` times `wanted / took`, rounded down, but always a different number when it has to go down.
fn scaled(count: u32, wanted: Duration, took: Duration) -> u32 {
    let took_us = took.as_micros().max(1);
    let scaled = u128::from(count) * wanted.as_micros() / took_us;
    let scaled = u32::try_from(scaled).unwrap_or(u32::MAX);
    if took > wanted { scaled.min(count - count / 20) } else { scaled }
}

/// Measures hashes on this machine: `at_once` of them in parallel, of which the slowest counts, and of `rounds` rounds
/// the fastest, because other load on the machine only makes them slower.
#[must_use]
pub fn on_this_machine(parameters: HashParameters, at_once: usize, rounds: u32) -> Duration {
    let round = || {
        let start = Barrier::new(at_once.max(1));
        let hash = || {
            start.wait();
            let started = Instant::now();
            let made = StoredHash::new(b"a password to be timed", parameters, [0; super::SALT_BYTES]);
            std::hint::black_box(made.is_ok()).then(|| started.elapsed())
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..at_once).map(|_| scope.spawn(hash)).collect();
            let own = hash();
            let all = std::iter::once(own).chain(others.into_iter().map(|other| other.join().ok().flatten()));
            // A hash for which there was not enough memory counts as slower than any target.
            all.map(|took| took.unwrap_or(Duration::MAX)).max().unwrap_or_default()
        })
    };
    (0..rounds.max(1)).map(|_| round()).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn bcrypt_in(target: u64, at_cost_10: u64) -> (u32, Duration) {
        let mut measure = |parameters| match parameters {
            HashParameters::Bcrypt { cost } => ms(at_cost_10 << cost) / 1024,
            HashParameters::Argon2 { .. } => panic!("only bcrypt is timed"),
        };
        match bcrypt(ms(target), &mut measure) {
            Found { parameters: HashParameters::Bcrypt { cost }, took } => (cost, took),
            found => panic!("{found:?}"),
        }
    }

    #[test]
    fn the_nearest_bcrypt_cost_is_found() {
        assert_eq!(bcrypt_in(300, 64), (12, ms(256)));
        assert_eq!(bcrypt_in(400, 64), (13, ms(512)));
        assert_eq!(bcrypt_in(256, 64), (12, ms(256)));
        assert_eq!(bcrypt_in(1, 6400).0, 4);
        assert_eq!(bcrypt_in(u64::MAX >> 12, 1).0, MAX_BCRYPT_COST);
    }

    /// Argon2 on a machine that processes this many KiB per ms.
    fn argon2_in(target: u64, limits: Argon2Limits, per_ms: u32) -> Option<(u32, u32)> {
        let mut measure = |parameters| match parameters {
            HashParameters::Argon2 { iterations, memory_kib, .. } => {
                Duration::from_micros(u64::from(memory_kib) * u64::from(iterations) * 1000 / u64::from(per_ms))
            }
            HashParameters::Bcrypt { .. } => panic!("only argon2 is timed"),
        };
        let found = argon2(ms(target), limits, &mut measure)?;
        assert!(found.took <= ms(target).mul_f64(TOLERANCE));
        match found.parameters {
            HashParameters::Argon2 { iterations, memory_kib, parallelism } => {
                assert_eq!(parallelism, limits.parallelism);
                Some((memory_kib, iterations))
            }
            HashParameters::Bcrypt { .. } => None,
        }
    }

    #[test]
    fn argon2_takes_memory_first_and_passes_after_that() {
        let limits = |pool_size| Argon2Limits { memory_kib: 1 << 20, pool_size, parallelism: 4 };
        let (memory, passes) = argon2_in(300, limits(1), 1000).unwrap();
        assert!((290_000..=315_000).contains(&memory), "{memory}");
        assert_eq!(passes, 1);
        assert_eq!(argon2_in(300, limits(16), 1000), Some((1 << 16, 4)));
        assert_eq!(argon2_in(10, limits(1), 1000), None, "15 MiB take 15 ms there");
    }

    #[test]
    fn hashes_take_time() {
        assert!(on_this_machine(HashParameters::Bcrypt { cost: 4 }, 2, 2) > Duration::ZERO);
    }
}
