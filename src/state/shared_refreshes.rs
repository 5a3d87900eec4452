//! [`SharedRefreshes`]: of many page loads that arrive with the same refresh token, one exchanges it; the others wait,
//! and get the same tokens.
//!
//! A browser that opens its tabs again loads all of them at once, each with the same expired session. Exchanging the
//! token for each would write a hundred times, and leave the browser with one of a hundred tokens.

use crate::domain::session::IssuedSession;
use crate::domain::time::SteadyMillis;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Maximum number of tokens that are remembered. Whoever comes for one that was forgotten exchanges it again.
const REMEMBERED: usize = 4096;

type Slot = Arc<Mutex<Option<Exchanged>>>;

/// Tokens that are being exchanged, or were recently.
pub struct SharedRefreshes {
    slots: Cache<[u8; 32], Slot>,
}

struct Exchanged {
    at: SteadyMillis,
    issued: Arc<IssuedSession>,
}

/// The right to exchange a token, which only one has at a time. If it is dropped, the next one gets it.
#[must_use]
pub struct Turn {
    slot: OwnedMutexGuard<Option<Exchanged>>,
}

impl Default for SharedRefreshes {
    fn default() -> Self {
        Self { slots: Cache::new(REMEMBERED) }
    }
}

impl SharedRefreshes {
    /// Waits until nobody else is exchanging this token of the app with this serial.
    pub async fn turn(&self, serial: u64, token: &str) -> Turn {
        let hash = Sha256::new().chain_update(serial.to_le_bytes()).chain_update(token.as_bytes()).finalize();
        let hash: [u8; 32] = hash.into();
        let slot = self.slots.get_or_insert_with(&hash, || Ok::<Slot, Infallible>(Slot::default()));
        let slot = slot.unwrap_or_else(|never| match never {});
        Turn { slot: slot.lock_owned().await }
    }
}

impl Turn {
    /// What the token was exchanged for within the last `grace_ms`.
    #[must_use]
    pub fn exchanged(&self, grace_ms: u64, now: SteadyMillis) -> Option<Arc<IssuedSession>> {
        let recent = self.slot.as_ref().filter(|done| done.at.age(now).pause_left(grace_ms).is_some());
        recent.map(|done| Arc::clone(&done.issued))
    }

    /// Leaves the result to those who wait.
    pub fn finish(mut self, issued: Arc<IssuedSession>, now: SteadyMillis) {
        *self.slot = Some(Exchanged { at: now, issued });
    }
}
