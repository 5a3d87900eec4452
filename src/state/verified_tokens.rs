//! Access tokens whose signature has already been checked, by the hash of the whole token.
//!
//! A signature check takes nine tenths of a verification, and applications present the same token for an hour. All that
//! is remembered is that *this text, signature included,* was signed by *that key of that app*: expiry and the key's
//! state are checked on every hit, so a revoked key ends its tokens at once.

use crate::crypto::access_token::{AccessToken, MAX_TOKEN, TokenRefusal};
use crate::domain::key::Kid;
use crate::domain::time::UnixMillis;
use crate::state::key::KeyRing;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The memory for a cached token besides its texts: hash, structs, pointers and the cache's own book-keeping.
const ENTRY_OVERHEAD: u64 = 500;
/// The estimated size of an entry, to reserve room for the first ones; the limit is by weight.
const TYPICAL_ENTRY: u64 = 1000;

/// A bounded cache; every hit is still checked for expiry and key state.
pub struct VerifiedTokens {
    cache: Option<Cache<[u8; 32], Remembered, BytesHeld>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Remembered {
    token: Arc<AccessToken>,
    kid: Arc<Kid>,
}

#[derive(Clone)]
struct BytesHeld;

impl Weighter<[u8; 32], Remembered> for BytesHeld {
    fn weight(&self, _: &[u8; 32], remembered: &Remembered) -> u64 {
        let token = &remembered.token;
        let texts = token.session.user_data_in_jwt.as_str().len()
            + token.session.user_id.as_str().len()
            + token.session.recipe_user_id.as_str().len()
            + token.anti_csrf_token.as_ref().map_or(0, String::len);
        ENTRY_OVERHEAD + texts as u64
    }
}

impl VerifiedTokens {
    /// A cache of at most about `capacity_bytes` of memory; 0 remembers nothing.
    #[must_use]
    pub fn new(capacity_bytes: u64) -> Self {
        let items = usize::try_from(capacity_bytes / TYPICAL_ENTRY).unwrap_or(usize::MAX).max(1);
        let cache = (capacity_bytes > 0).then(|| Cache::with_weighter(items, capacity_bytes, BytesHeld));
        Self { cache, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The content of the token, if it is valid now; a cache look-up if it was checked before.
    ///
    /// # Errors
    /// Why the token is not valid.
    pub fn verify(&self, ring: &KeyRing, token: &str, now: UnixMillis) -> Result<Arc<AccessToken>, TokenRefusal> {
        if token.len() > MAX_TOKEN {
            return Err(TokenRefusal::Unparsable);
        }
        let Some(cache) = &self.cache else {
            self.misses.fetch_add(1, Ordering::Relaxed);
            return ring.tokens.verify(token, now).map(Arc::new);
        };
        let hash = Self::hash(ring.serial, token);
        if let Some(known) = cache.get(&hash) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            if !ring.tokens.verifies(&known.kid) {
                cache.remove(&hash);
                return Err(TokenRefusal::UnknownKey);
            }
            known.token.check_expiry(now)?;
            return Ok(known.token);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let (checked, kid) = ring.tokens.verify_whenever(token)?;
        checked.check_expiry(now)?;
        let token = Arc::new(checked);
        cache.insert(hash, Remembered { token: Arc::clone(&token), kid: Arc::new(kid.clone()) });
        Ok(token)
    }

    /// Look-ups answered from the cache, since the start.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Look-ups that required a signature check, since the start.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    /// Bytes held now, by the cache's own estimate.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.cache.as_ref().map_or(0, Cache::weight)
    }

    /// `serial` distinguishes apps, including an app from an earlier one with the same name.
    fn hash(serial: u64, token: &str) -> [u8; 32] {
        Sha256::new().chain_update(serial.to_le_bytes()).chain_update(token.as_bytes()).finalize().into()
    }
}
