//! Randomness as an argument, so that rules can be tested with a seeded stream.

use crate::domain::time::UnixMillis;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;
use zeroize::Zeroize;

/// A source of unpredictable bytes. Only the composition root names the system's source.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes.
#[must_use]
pub fn random_bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// A random (version 4) UUID.
#[must_use]
pub fn random_uuid(entropy: &dyn Entropy) -> Uuid {
    uuid::Builder::from_random_bytes(random_bytes(entropy)).into_uuid()
}

/// A UUID that begins with its time (version 7, RFC 9562): 74 random bits. UUIDs made at about the same time are
/// adjacent in an ordered store.
#[must_use]
pub fn time_ordered_uuid(entropy: &dyn Entropy, now: UnixMillis) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(now.0, &random_bytes(entropy)).into_uuid()
}

/// Random bytes drawn all at once: one call to the system per request instead of one per value.
pub struct RandomPool<'a, const N: usize> {
    source: &'a dyn Entropy,
    pool: [u8; N],
    used: AtomicUsize,
}

impl<'a, const N: usize> RandomPool<'a, N> {
    /// Draws `N` bytes; anything beyond that is read from the source again.
    #[must_use]
    pub fn new(source: &'a dyn Entropy) -> Self {
        Self { source, pool: random_bytes(source), used: AtomicUsize::new(0) }
    }
}

impl<const N: usize> Entropy for RandomPool<'_, N> {
    fn fill(&self, bytes: &mut [u8]) {
        let start = self.used.fetch_add(bytes.len(), Ordering::Relaxed);
        match start.checked_add(bytes.len()).and_then(|end| self.pool.get(start..end)) {
            Some(drawn) => bytes.copy_from_slice(drawn),
            None => self.source.fill(bytes),
        }
    }
}

impl<const N: usize> Drop for RandomPool<'_, N> {
    fn drop(&mut self) {
        self.pool.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up, and counts its calls.
    #[derive(Default)]
    struct Counting {
        next: AtomicUsize,
        calls: AtomicUsize,
    }

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            self.calls.fetch_add(1, Ordering::Relaxed);
            for byte in bytes {
                *byte = u8::try_from(self.next.fetch_add(1, Ordering::Relaxed) % 251).unwrap();
            }
        }
    }

    #[test]
    fn a_pool_never_hands_out_a_byte_twice_and_asks_once_while_it_lasts() {
        let source = Counting::default();
        let random_pool = RandomPool::<24>::new(&source);
        let [first, second]: [[u8; 12]; 2] = [random_bytes(&random_pool), random_bytes(&random_pool)];
        assert_eq!(source.calls.load(Ordering::Relaxed), 1);
        let third: [u8; 12] = random_bytes(&random_pool);
        assert_eq!(source.calls.load(Ordering::Relaxed), 2);
        let all: std::collections::BTreeSet<u8> = [first, second, third].concat().into_iter().collect();
        assert_eq!(all.len(), 36);
    }
}
