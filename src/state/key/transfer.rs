//! Moving an app's secrets into an archive or out of it: they are opened with one vault and stored with another.

use super::ring::{SEALING_KEY_NAME, V2_KEY_NAME};
use super::vault::{KeyVault, OpenError};
use super::{KeyRings, MasterKey, UnlockError};
use crate::domain::entropy::Entropy;
use crate::domain::ids::AppId;
use crate::store::key_vault::KeyVaultRecord;
use crate::store::signing_key::StoredSecret;
use crate::store::{Encoding, Engine, Key, Keyspace, StoreError, codec, sealing_key, signing_key};
use std::sync::Arc;
use tokio::sync::RwLockReadGuard;

/// Transfers rows of one app from one installation to another, or into an archive: keys are renamed, secrets resealed.
pub struct Rewrap {
    /// The vault that opens the secrets.
    pub from: KeyVault,
    /// The app that the rows belong to.
    pub from_app: AppId,
    /// The vault that seals the secrets again.
    pub to: KeyVault,
    /// The app that the rows will belong to.
    pub to_app: AppId,
    /// The source of nonces.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a row was not transferred.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// Its secret cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Rewrap {
    /// True for the rows of the app that are transferred.
    #[must_use]
    pub fn is_of_app(&self, key: &Key) -> bool {
        key.bytes.starts_with(&Key::of_app(key.keyspace, &self.from_app).bytes)
    }

    /// The row in the form it has at its destination.
    ///
    /// # Errors
    /// When it is damaged, or its secret cannot be opened.
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
                if let Some(v2) = &mut entry.v2 {
                    v2.secret = self.secret(V2_KEY_NAME, &v2.secret)?;
                }
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

/// A vault for a new archive, and the record of it in the archive.
#[must_use]
pub fn archive_seal(key: Option<&MasterKey>, entropy: &dyn Entropy) -> (KeyVault, KeyVaultRecord) {
    KeyVault::fresh(key, entropy)
}

/// The vault of an archive. For an archive that is not sealed a key is not needed, and ignored.
///
/// # Errors
/// A wrong or missing key.
pub fn open_archive_seal(seal: KeyVaultRecord, key: Option<&MasterKey>) -> Result<KeyVault, UnlockError> {
    let key = key.filter(|_| seal.check.is_some());
    KeyVault::of(seal, key)
}

impl KeyRings {
    /// The vault of this folder; the master key does not change while the guard is held.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn vault_as_it_is(&self, store: &dyn Engine) -> Result<(RwLockReadGuard<'_, ()>, KeyVault), StoreError> {
        let guard = self.resealing.read().await;
        self.settle_vault(store).await?;
        Ok((guard, KeyVault::clone(&self.vault.load_full())))
    }
}
