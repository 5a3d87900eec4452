//! How many requests an app got, by minute, for the last day (CDI: request statistics).

use crate::domain::time::UnixMillis;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Minutes that are remembered.
const MINUTES: u64 = 1440;
const SECONDS_PER_MINUTE: u64 = 60;
/// Low bits of [`Counts::current`]: requests of one second.
const COUNT_BITS: u32 = 24;

/// The requests of one app. Nothing is allocated before the first one.
#[derive(Default)]
pub struct Traffic {
    counts: OnceLock<Counts>,
}

struct Counts {
    /// The second, above [`COUNT_BITS`], and its requests so far.
    current: AtomicU64,
    /// Nothing is known of minutes before this one.
    first_minute: u64,
    past: Mutex<Box<[Minute]>>,
}

#[derive(Clone, Copy, Default)]
struct Minute {
    minute: u64,
    total: u64,
    peak: u64,
}

/// Requests per second in a minute; `None` for a minute of which nothing is known.
pub type Rate = Option<(f64, u64)>;

impl Traffic {
    /// Counts one request. Takes a lock once in a second only.
    pub fn count(&self, now: UnixMillis) {
        let second = now.seconds();
        let counts = self.counts.get_or_init(|| Counts {
            current: AtomicU64::new(second << COUNT_BITS),
            first_minute: second / SECONDS_PER_MINUTE,
            past: Mutex::new((0..MINUTES).map(|_| Minute::default()).collect()),
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
            let found = place(minute).and_then(|place| past.get(place)).filter(|found| found.minute == minute);
            let (total, peak) = found.map_or((0, 0), |found| (found.total, found.peak));
            // A minute has far fewer requests than a float has digits.
            let total = f64::from(u32::try_from(total).unwrap_or(u32::MAX));
            (minute >= counts.first_minute).then_some((total / 60.0, peak))
        };
        minutes.map(|minute| minute.and_then(rate)).collect()
    }
}

impl Counts {
    fn past(&self) -> MutexGuard<'_, Box<[Minute]>> {
        // Numbers only: no panic leaves them half-changed.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a second, and adds the one before to its minute. The caller holds the lock.
    fn turn_to(&self, second: u64, past: &mut [Minute]) {
        if self.current.load(Ordering::Relaxed) >> COUNT_BITS == second {
            return;
        }
        let ended = self.current.swap(second << COUNT_BITS, Ordering::Relaxed);
        let requests = ended & ((1 << COUNT_BITS) - 1);
        let minute = (ended >> COUNT_BITS) / SECONDS_PER_MINUTE;
        let Some(kept) = place(minute).and_then(|place| past.get_mut(place)) else { return };
        if kept.minute != minute {
            *kept = Minute { minute, ..Minute::default() };
        }
        kept.total += requests;
        kept.peak = kept.peak.max(requests);
    }
}

fn place(minute: u64) -> Option<usize> {
    usize::try_from(minute % MINUTES).ok()
}
