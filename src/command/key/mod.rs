//! Signing and sealing keys of each app: making, publishing, rotating, revoking.

use crate::app::App;
use crate::command::tenancy::AppEntry;
use crate::crypto::access_token::TokenKeys;
use crate::crypto::sealing::SealingKey;
use crate::domain::ids::AppId;
use crate::domain::key::KeyKind;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::Engine;
use std::sync::Arc;

/// The key rings of all apps, loaded on first use, rotated when due.
pub struct KeyRings {}

/// One app's keys at one moment; immutable, replaced as a whole.
pub struct KeyRing {
    /// Tells rings of different apps apart, also of an app made again under an old name.
    pub serial: u64,
    /// Keys that sign and verify access tokens and custom JWTs.
    pub tokens: TokenKeys,
    /// Seals refresh tokens.
    pub refresh_sealing: SealingKey,
    /// The JWKS document as text, computed once per change: `{"keys":[…]}`.
    pub jwks: Arc<str>,
    /// When the JWKS document may change next by schedule; see [`KeyRing::jwks_max_age_s`].
    pub jwks_max_age_anchor: UnixMillis,
}

/// What CDI < 2.21 says about keys.
#[derive(Debug, Clone)]
pub struct LegacyKeyInfo {
    /// `jwtSigningPublicKey`: base64 DER (SPKI) of the key that signs now.
    pub public_key: String,
    /// `jwtSigningPublicKeyExpiryTime`.
    pub expiry: UnixMillis,
    /// `jwtSigningPublicKeyList` (CDI ≥ 2.9), newest first.
    pub list: Vec<LegacyKey>,
}

/// One entry of `jwtSigningPublicKeyList`.
#[derive(Debug, Clone)]
pub struct LegacyKey {
    /// base64 DER (SPKI).
    pub public_key: String,
    /// Until when it verifies.
    pub expiry: UnixMillis,
    /// Creation.
    pub created: UnixMillis,
}

impl KeyRings {
    /// Rings whose secret parts are stored through `vault`.
    #[must_use]
    pub fn new(_vault: KeyVault) -> Self {
        todo!()
    }

    /// The ring to use now. Makes, publishes, promotes and retires keys as the clock demands.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn ring(&self, _app: &App, _entry: &AppEntry) -> Result<Arc<KeyRing>, Fault> {
        todo!()
    }

    /// Drops what is remembered of an app that was removed.
    pub fn forget(&self, _app: &AppId) {
        todo!()
    }
}

impl KeyRing {
    /// `max-age` of the JWKS document in seconds: until a new key may be published, at least 1.
    #[must_use]
    pub fn jwks_max_age_s(&self, now: UnixMillis) -> u64 {
        (self.jwks_max_age_anchor.since(now) / 1000).max(1)
    }

    /// Public keys as CDI < 2.21 has them.
    #[must_use]
    pub fn legacy_key_info(&self, _kind: KeyKind) -> LegacyKeyInfo {
        todo!()
    }
}

/// Seals the secret part of keys at rest, or leaves it plain when there is no master key.
pub struct KeyVault {}

/// The operator's master key: at least 32 characters.
#[derive(Debug, Clone)]
pub struct MasterKey(#[expect(dead_code, reason = "used by unlock")] Secret<String>);

/// Why the keys of a data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// Shorter than 32 characters.
    #[error("SESSIOND_MASTER_KEY is too short. Please use at least 32 characters")]
    TooShort,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl MasterKey {
    /// Takes the text of `SESSIOND_MASTER_KEY` or of the file named by `SESSIOND_MASTER_KEY_FILE` (trimmed).
    ///
    /// # Errors
    /// [`UnlockError::TooShort`].
    pub fn new(_text: &str) -> Result<Self, UnlockError> {
        todo!()
    }
}

/// Opens the keys of a data folder; the first start decides whether they are sealed.
///
/// # Errors
/// A wrong, missing or unexpected master key, each with what to do about it.
pub async fn unlock(
    _store: &dyn Engine,
    _master: Option<&MasterKey>,
    _entropy: &dyn crate::domain::entropy::Entropy,
) -> Result<KeyVault, UnlockError> {
    todo!()
}
