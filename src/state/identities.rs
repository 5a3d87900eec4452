//! [`Identities`]: what the gate has told applications about access tokens, so that it need not read and sign the same
//! for every picture of a page.

use crate::domain::session::claims::SessionClaims;
use crate::domain::time::UnixMillis;
use http::{HeaderName, HeaderValue};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Maximum number of tokens that are remembered.
const REMEMBERED: usize = 16_384;

/// What is known of an access token that was verified.
pub struct Identity {
    /// The claims.
    pub claims: SessionClaims,
    /// The headers for the application.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// From when on they may be handed out.
    pub from: UnixMillis,
    /// Until when they may be handed out.
    pub until: UnixMillis,
}

/// A bounded cache.
pub struct Identities {
    known: Cache<String, Arc<Identity>>,
}

impl Default for Identities {
    fn default() -> Self {
        Self { known: Cache::new(REMEMBERED) }
    }
}

impl Identities {
    /// What is known of an access token, for an application.
    ///
    /// `key` tells apps, applications and tokens apart: nothing of one may be told of another.
    #[must_use]
    pub fn get(&self, key: &str, now: UnixMillis) -> Option<Arc<Identity>> {
        self.known.get(key).filter(|known| (known.from..known.until).contains(&now))
    }

    /// Remembers it.
    pub fn put(&self, key: String, identity: Arc<Identity>) {
        self.known.insert(key, identity);
    }
}
