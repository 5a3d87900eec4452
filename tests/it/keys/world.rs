//! A store, a clock that only the test moves, and seeded randomness.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sessiond::domain::entropy::Entropy;
use sessiond::domain::ids::AppId;
use sessiond::domain::key::{KeyRules, RefreshTokenFormat, SigningAlgorithm};
use sessiond::domain::time::{SteadyMillis, UnixMillis};
use sessiond::state::key::{KeyContext, KeyRing, KeyRings, KeyVault};
use sessiond::store::Engine;
use sessiond::store::app::AppRecord;
use sessiond::store::memory::MemoryEngine;
use std::sync::{Arc, Mutex};

pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const START: UnixMillis = UnixMillis(1_700_000_000_123);

/// The protocol's defaults: U = 168 h, V = 1 h, overlap 60 s.
pub(crate) const DEFAULTS: KeyRules = KeyRules {
    algorithm: SigningAlgorithm::EdDSA,
    is_algorithm_chosen: true,
    refresh_tokens: RefreshTokenFormat::Sealed,
    update_interval_ms: 168 * HOUR,
    access_token_validity_ms: HOUR,
    overlap_ms: 60_000,
};

pub(crate) struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

pub(crate) struct World {
    pub(crate) store: MemoryEngine,
    pub(crate) entropy: Seeded,
    pub(crate) rings: KeyRings,
    pub(crate) rules: KeyRules,
    pub(crate) app: AppId,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryEngine::new(),
            entropy: Seeded::new(1),
            rings: KeyRings::new(KeyVault::plain()),
            rules: DEFAULTS,
            app: AppId::base(),
        }
    }

    pub(crate) fn at(&self, now: UnixMillis) -> KeyContext<'_> {
        KeyContext { store: &self.store, entropy: &self.entropy, now, steady: SteadyMillis(now.0), settled: true }
    }

    pub(crate) async fn ring(&self, now: UnixMillis) -> Arc<KeyRing> {
        self.rings.ring_in(self.at(now), &self.app, self.rules).await.unwrap()
    }

    /// The ring for SDKs that support only RSA.
    pub(crate) async fn rsa_ring(&self, now: UnixMillis) -> Arc<KeyRing> {
        self.rings.rsa_ring_in(self.at(now), &self.app, self.rules).await.unwrap()
    }

    /// Registers an app in the store; keys are created only for apps that exist.
    pub(crate) async fn add_app(&self, app: &AppId) {
        let mut tx = self.store.begin();
        sessiond::store::app::put(&mut *tx, app, &AppRecord { created: START, changes: 0 }).unwrap();
        tx.commit().await.unwrap();
    }
}
