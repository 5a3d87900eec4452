//! Signing and sealing keys of each app: making, publishing, rotating, revoking.

use crate::app::App;
use crate::command::tenancy::AppEntry;
use crate::crypto::access_token::TokenKeys;
use crate::crypto::sealing::SealingKey;
use crate::fault::Fault;
use std::sync::Arc;

/// The key rings of all apps, loaded on first use, rotated when due.
pub struct KeyRings {}

/// One app's keys at one moment; immutable, replaced as a whole.
pub struct KeyRing {
    /// Keys that sign and verify access tokens and custom JWTs.
    pub tokens: TokenKeys,
    /// Seals refresh tokens.
    pub refresh_sealing: SealingKey,
    /// The JWKS document as text, computed once per change: `{"keys":[…]}`.
    pub jwks: Arc<str>,
    /// When the JWKS document may change next by schedule (for `Cache-Control`): see protocol 01 §5.
    pub jwks_max_age_anchor: crate::domain::time::UnixMillis,
}

impl KeyRings {
    /// The ring to use now. Makes, publishes, promotes and retires keys as the clock demands.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn ring(&self, _app: &App, _entry: &AppEntry) -> Result<Arc<KeyRing>, Fault> {
        todo!()
    }
}
