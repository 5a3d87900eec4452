//! Randomness as an argument, so that rules can be tested with a seeded stream.

use uuid::Uuid;

/// A source of unpredictable bytes. Only the composition root names the system's.
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
