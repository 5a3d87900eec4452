//! The secrets of an app on their way into an archive or out of it: opened with one vault, stored with another.

use super::ring::SEALING_KEY_NAME;
use super::vault::{KeyVault, OpenError};
use super::{KeyRings, MasterKey, UnlockError};
use crate::domain::entropy::Entropy;
use crate::domain::ids::AppId;
use crate::store::key_vault::KeyVaultRecord;
use crate::store::signing_key::StoredSecret;
use crate::store::{Encoding, Engine, Key, Keyspace, StoreError, codec, sealing_key, signing_key};
use std::sync::Arc;
use tokio::sync::RwLockReadGuard;

/// Carries rows of one app from one installation to another, or into an archive: keys are renamed, secrets sealed anew.
pub struct Rewrap {
    /// With what secrets open.
    pub from: KeyVault,
    /// Whose rows they are.
    pub from_app: AppId,
    /// With what they are sealed.
    pub to: KeyVault,
    /// Whose they become.
    pub to_app: AppId,
    /// For nonces.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a row was not carried over.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// Its secret does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Rewrap {
    /// True for the rows of the app that are carried.
    #[must_use]
    pub fn is_of_app(&self, key: &Key) -> bool {
        key.bytes.starts_with(&Key::of_app(key.keyspace, &self.from_app).bytes)
    }

    /// The row as it stands at its new place.
    ///
    /// # Errors
    /// When it is damaged, or its secret does not open.
    pub fn row(&self, encoding: Encoding, at: &Key, bytes: &[u8]) -> Result<(Key, Vec<u8>), RewrapError> {
        match at.keyspace {
            Keyspace::SigningKey => {
                let mut key = signing_key::read_row(encoding, at, bytes)?;
                if key.secret != StoredSecret::Gone {
                    key.secret = self.secret(key.life.kid.as_str(), &key.secret)?;
                }
                Ok(signing_key::write_row(encoding, &self.to_app, key)?)
            }
            Keyspace::SealingKey => {
                let mut entry = sealing_key::read_row(encoding, at, bytes)?;
                entry.secret = self.secret(SEALING_KEY_NAME, &entry.secret)?;
                Ok(sealing_key::write_row(encoding, &self.to_app, entry)?)
            }
            keyspace => {
                let prefix = Key::of_app(keyspace, &self.from_app).bytes.len();
                let to = Key::of_app(keyspace, &self.to_app).raw(at.bytes.get(prefix..).unwrap_or_default());
                let moved = codec::moved(encoding, at, &to, bytes)?;
                Ok((to, moved))
            }
        }
    }

    fn secret(&self, name: &str, secret: &StoredSecret) -> Result<StoredSecret, OpenError> {
        Ok(self.to.store(&self.to_app, name, &self.from.open(&self.from_app, name, secret)?, &*self.entropy))
    }
}

/// A vault for a new archive, and what the archive says of it.
#[must_use]
pub fn archive_seal(key: Option<&MasterKey>, entropy: &dyn Entropy) -> (KeyVault, KeyVaultRecord) {
    KeyVault::fresh(key, entropy)
}

/// The vault of an archive. A key for one that is not sealed is not needed and does no harm.
///
/// # Errors
/// A wrong or missing key.
pub fn open_archive_seal(seal: KeyVaultRecord, key: Option<&MasterKey>) -> Result<KeyVault, UnlockError> {
    let key = key.filter(|_| seal.check.is_some());
    KeyVault::of(seal, key)
}

impl KeyRings {
    /// The vault of this folder; the master key does not change while the guard lives.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn vault_as_it_is(&self, store: &dyn Engine) -> Result<(RwLockReadGuard<'_, ()>, KeyVault), StoreError> {
        let guard = self.resealing.read().await;
        self.settle_vault(store).await?;
        Ok((guard, KeyVault::clone(&self.vault.load_full())))
    }
}
