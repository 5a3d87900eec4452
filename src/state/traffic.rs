//! The number of requests to an app, by minute, for the last day (CDI: request statistics).

use crate::domain::time::UnixMillis;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The number of minutes that are remembered.
const MINUTES: u64 = 1440;
/// The same as a number of entries, plus the current minute.
const MINUTES_KEPT: usize = 1441;
const SECONDS_PER_MINUTE: u64 = 60;
/// The low bits of [`Counts::current`]: the requests of one second.
const COUNT_BITS: u32 = 24;

/// The requests of one app. Nothing is allocated before the first one.
#[derive(Default)]
pub struct Traffic {
    counts: OnceLock<Counts>,
}

struct Counts {
    /// The second, above [`COUNT_BITS`], and its requests so far.
    current: AtomicU64,
    /// The first minute with data; nothing is known of earlier ones.
    first_minute: u64,
    past: Mutex<Past>,
}

/// The minutes that had requests, oldest first: an app with few requests stores a few minutes, not a whole day.
#[derive(Default)]
struct Past(VecDeque<Minute>);

/// Compact, because each app of a crowded server can have [`MINUTES`] of these.
struct Minute {
    minute: u32,
    total: u32,
    peak: u32,
}

/// Requests per second in a minute, average and peak; `None` for a minute without data.
pub type Rate = Option<(f64, u64)>;

impl Traffic {
    /// Counts one request. Takes a lock only once per second.
    pub fn count(&self, now: UnixMillis) {
        let second = now.seconds();
        let counts = self.counts.get_or_init(|| Counts {
            current: AtomicU64::new(second << COUNT_BITS),
            first_minute: second / SECONDS_PER_MINUTE,
            past: Mutex::default(),
        });
        if counts.current.load(Ordering::Relaxed) >> COUNT_BITS != second {
            counts.turn_to(second, &mut counts.past());
        }
        counts.current.fetch_add(1, Ordering::Relaxed);
    }

    /// Average and peak per second of the 1,440 minutes before the minute of `now`, the oldest first.
    #[must_use]
    pub fn by_minute(&self, now: UnixMillis) -> Vec<Rate> {
        let this_minute = now.seconds() / SECONDS_PER_MINUTE;
        let minutes = (1..=MINUTES).rev().map(|back| this_minute.checked_sub(back));
        let Some(counts) = self.counts.get() else { return minutes.map(|_| None).collect() };
        let mut past = counts.past();
        counts.turn_to(now.seconds(), &mut past);
        let rate = |minute: u64| {
            let (total, peak) = past.of(minute).map_or((0, 0), |found| (found.total, found.peak));
            (minute >= counts.first_minute).then_some((f64::from(total) / 60.0, u64::from(peak)))
        };
        minutes.map(|minute| minute.and_then(rate)).collect()
    }
}

impl Counts {
    fn past(&self) -> MutexGuard<'_, Past> {
        // Only numbers: a panic never leaves them half-changed.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a second, and adds the previous one to its minute. The caller holds the lock.
    fn turn_to(&self, second: u64, past: &mut Past) {
        if self.current.load(Ordering::Relaxed) >> COUNT_BITS == second {
            return;
        }
        let ended = self.current.swap(second << COUNT_BITS, Ordering::Relaxed);
        let requests = ended & ((1 << COUNT_BITS) - 1);
        if requests > 0 {
            past.add((ended >> COUNT_BITS) / SECONDS_PER_MINUTE, requests);
        }
    }
}

impl Past {
    fn of(&self, minute: u64) -> Option<&Minute> {
        let place = self.0.binary_search_by_key(&minute, |kept| u64::from(kept.minute)).ok()?;
        self.0.get(place)
    }

    /// Adds a second's requests to its minute, and drops the minutes that are a day older than it.
    fn add(&mut self, minute: u64, requests: u64) {
        // Minutes fit until the year 10136, and a second's count has 24 bits.
        let (Ok(minute), Ok(requests)) = (u32::try_from(minute), u32::try_from(requests)) else { return };
        let place = self.0.partition_point(|kept| kept.minute < minute);
        if let Some(kept) = self.0.get_mut(place).filter(|kept| kept.minute == minute) {
            kept.total = kept.total.saturating_add(requests);
            kept.peak = kept.peak.max(requests);
            return;
        }
        self.0.insert(place, Minute { minute, total: requests, peak: requests });
        while self.0.front().is_some_and(|oldest| u64::from(oldest.minute) + MINUTES < u64::from(minute)) {
            self.0.pop_front();
        }
        // One too many means one is in the future: the clock was set back, and the current count must not be dropped.
        self.0.truncate(MINUTES_KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(traffic: &Traffic, minute: u64, requests: u64) {
        (0..requests).for_each(|_| traffic.count(UnixMillis(minute * 60_000)));
    }

    #[test]
    fn takes_memory_only_for_minutes_with_requests_and_forgets_them_after_a_day() {
        let traffic = Traffic::default();
        for hour in 0..100 {
            count(&traffic, 1_000_000 + hour * 60, 3);
        }
        let now = UnixMillis((1_000_000 + 99 * 60 + 1) * 60_000);
        let rates = traffic.by_minute(now);
        assert_eq!(rates.len(), 1440);
        assert_eq!(rates.iter().flatten().filter(|(_, peak)| *peak == 3).count(), 24, "one an hour");
        assert_eq!(rates.last().copied().flatten(), Some((3.0 / 60.0, 3)));
        assert!(traffic.counts.get().is_some_and(|counts| counts.past().0.len() <= 25), "older ones are gone");
    }

    #[test]
    fn a_clock_that_is_set_back_and_on_again_neither_panics_nor_grows_without_end() {
        let traffic = Traffic::default();
        for (minute, requests) in [(5_000_000, 2), (1_000_000, 1), (1_000_001, 4), (1_000_000, 1), (5_000_001, 1)] {
            count(&traffic, minute, requests);
        }
        let peaks: Vec<_> =
            traffic.by_minute(UnixMillis(1_000_002 * 60_000)).iter().flatten().map(|rate| rate.1).collect();
        assert!(peaks.is_empty(), "nothing is known before the first minute");
        for minute in (0..4000).rev() {
            count(&traffic, 1_000_000 + minute, 1);
        }
        let known = traffic.counts.get().expect("some requests").past();
        assert!(known.0.len() <= MINUTES_KEPT);
        assert!(known.of(1_000_001).is_some(), "what came last is not what was dropped");
    }
}
