//! [`KeyVault`]: how the secret halves of keys are stored at rest.
//!
//! With a master key, each secret is sealed with AES-256-GCM under a key that HKDF-SHA256 derives from the master key
//! and a salt of this folder. App and key name are bound to it, so a sealed key that is moved elsewhere cannot be
//! opened. One record states whether a folder is sealed, and distinguishes the right master key from a wrong one. The
//! first start decides; later only `sessiond keys reseal` changes it.

use crate::crypto::sealing::{MessageKey, key_from_master};
use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::ids::AppId;
use crate::domain::secret::Secret;
use crate::domain::text;
use crate::store::key_vault::{self, KeyVaultRecord};
use crate::store::signing_key::StoredSecret;
use crate::store::{CommitError, Engine, StoreError};

const SALT_LEN: usize = 16;
/// The content of the check value.
const CHECK: &[u8] = b"sessiond";
/// The context that the check value is bound to.
const CHECK_PLACE: &[u8] = b"the master key of this data folder";

/// Seals the secret half of keys at rest, or leaves it plain when there is no master key.
#[derive(Clone)]
pub struct KeyVault {
    key: Option<std::sync::Arc<MessageKey>>,
    /// Identifies the folder's record that this vault belongs to; `None` in memory-only tests without one.
    salt: Option<[u8; SALT_LEN]>,
}

/// The operator's master key: at least 32 characters.
#[derive(Debug, Clone)]
pub struct MasterKey {
    text: Secret<String>,
    /// The text as used by version 0.1.0, including a byte order mark or similar at its ends: it still opens what was
    /// sealed with it, but nothing is sealed under it any more.
    untrimmed: Option<Secret<String>>,
}

/// Why the keys of a data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// Shorter than 32 characters.
    #[error(
        "The master key is too short. Please use at least 32 characters in SESSIOND_MASTER_KEY (or in the file that \
         SESSIOND_MASTER_KEY_FILE names)"
    )]
    TooShort,
    /// The keys are sealed and no master key was given.
    #[error(
        "The keys in this data folder are sealed under a master key, and none was given: set SESSIOND_MASTER_KEY or \
         SESSIOND_MASTER_KEY_FILE to the one they were sealed with"
    )]
    Missing,
    /// The keys are sealed under another master key.
    #[error(
        "The keys in this data folder are sealed under another master key: set SESSIOND_MASTER_KEY or \
         SESSIOND_MASTER_KEY_FILE to the one they were sealed with. To change it, start with the old one and run \
         `sessiond keys reseal`"
    )]
    Wrong,
    /// The keys are plain and a master key was given.
    #[error(
        "The keys in this data folder are not sealed, but a master key was given: to seal them, start without it and run \
         `sessiond keys reseal`"
    )]
    NotSealed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process started in the same folder at the same moment.
    #[error("Another sessiond started in this data folder at the same moment: start again")]
    Raced,
}

/// A stored secret that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the secret half of key {name} of app {app:?} does not open: {what}")]
pub struct OpenError {
    app: AppId,
    name: String,
    what: &'static str,
}

impl MasterKey {
    /// Wraps the text of `SESSIOND_MASTER_KEY` or of the file named by `SESSIOND_MASTER_KEY_FILE`; white space and
    /// invisible characters at its ends do not count.
    ///
    /// # Errors
    /// [`UnlockError::TooShort`].
    pub fn new(text: &str) -> Result<Self, UnlockError> {
        let secret = |text: &str| Secret::new(text.to_owned());
        let (trimmed, untrimmed) = (text::trim(text), text.trim());
        if trimmed.chars().count() < 32 {
            return Err(UnlockError::TooShort);
        }
        Ok(Self { text: secret(trimmed), untrimmed: (trimmed != untrimmed).then(|| secret(untrimmed)) })
    }
}

/// Opens the keys of a data folder; the first start decides whether they are sealed.
///
/// # Errors
/// A wrong, missing or unexpected master key, each with what to do about it.
pub async fn unlock(
    store: &dyn Engine,
    master: Option<&MasterKey>,
    entropy: &dyn Entropy,
) -> Result<KeyVault, UnlockError> {
    let mut tx = store.begin();
    match (key_vault::get(&mut *tx).await?, master) {
        (None, master) => {
            let (vault, record) = KeyVault::fresh(master, entropy);
            key_vault::put(&mut *tx, &record)?;
            match tx.commit().await {
                Ok(()) => Ok(vault),
                Err(CommitError::Store(error)) => Err(error.into()),
                Err(CommitError::Conflict) => Err(UnlockError::Raced),
            }
        }
        (Some(record), master) => KeyVault::of(record, master),
    }
}

impl KeyVault {
    /// A vault without a master key and without a record, for stores that nothing else opens.
    #[must_use]
    pub const fn plain() -> Self {
        Self { key: None, salt: None }
    }

    /// The vault described by a record.
    ///
    /// # Errors
    /// A wrong, missing or unexpected master key.
    pub(super) fn of(record: KeyVaultRecord, master: Option<&MasterKey>) -> Result<Self, UnlockError> {
        match (record, master) {
            (KeyVaultRecord { salt, check: None }, None) => Ok(Self { key: None, salt: Some(salt) }),
            (KeyVaultRecord { check: None, .. }, Some(_)) => Err(UnlockError::NotSealed),
            (KeyVaultRecord { check: Some(_), .. }, None) => Err(UnlockError::Missing),
            (KeyVaultRecord { salt, check: Some(check) }, Some(master)) => {
                let texts = std::iter::once(&master.text).chain(&master.untrimmed);
                let mut keys = texts.map(|text| MessageKey::new(&key_from_master(text, &salt)));
                let key = keys.find(|key| key.open_at_rest(CHECK_PLACE, &check).is_some_and(|text| text == CHECK));
                let key = key.ok_or(UnlockError::Wrong)?;
                Ok(Self { key: Some(key.into()), salt: Some(salt) })
            }
        }
    }

    /// True when secrets are sealed under a master key.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.key.is_some()
    }

    /// A vault with a new salt, and the record that goes with it.
    pub(super) fn fresh(master: Option<&MasterKey>, entropy: &dyn Entropy) -> (Self, KeyVaultRecord) {
        let salt = random_bytes(entropy);
        let key = master.map(|master| std::sync::Arc::new(MessageKey::new(&key_from_master(&master.text, &salt))));
        let check = key.as_ref().map(|key| key.seal_at_rest(CHECK_PLACE, CHECK, entropy));
        (Self { key, salt: Some(salt) }, KeyVaultRecord { salt, check })
    }

    /// True while the folder's record is the one this vault was made for; false after another process has resealed it.
    pub(super) fn belongs_to(&self, record: Option<&KeyVaultRecord>) -> bool {
        record.map(|record| record.salt) == self.salt
    }

    /// The form in which a secret is stored.
    pub(super) fn store(
        &self,
        app: &AppId,
        name: &str,
        secret: &Secret<Vec<u8>>,
        entropy: &dyn Entropy,
    ) -> StoredSecret {
        match &self.key {
            None => StoredSecret::Plain(secret.expose().clone()),
            Some(key) => StoredSecret::Sealed(key.seal_at_rest(&place(app, name), secret.expose(), entropy)),
        }
    }

    /// The secret in its plain form.
    pub(super) fn open(&self, app: &AppId, name: &str, stored: &StoredSecret) -> Result<Secret<Vec<u8>>, OpenError> {
        let failed = |what| OpenError { app: app.clone(), name: name.to_owned(), what };
        match (&self.key, stored) {
            (_, StoredSecret::Gone) => Err(failed("it was wiped")),
            (None, StoredSecret::Plain(secret)) => Ok(Secret::new(secret.clone())),
            (None, StoredSecret::Sealed(_)) => Err(failed("it is sealed and there is no master key")),
            // Otherwise anyone who can write to the store could plant a key of their own.
            (Some(_), StoredSecret::Plain(_)) => Err(failed("it is plain where sealed ones are expected")),
            (Some(key), StoredSecret::Sealed(sealed)) => key
                .open_at_rest(&place(app, name), sealed)
                .map(Secret::new)
                .ok_or_else(|| failed("it was sealed under another master key, or for another place")),
        }
    }
}

/// The context that a sealed secret is bound to: app and name, each with its length.
fn place(app: &AppId, name: &str) -> Vec<u8> {
    let mut place = Vec::new();
    for part in [app.connection_uri_domain.as_str(), app.app_id.as_str(), name] {
        place.extend((part.len() as u64).to_le_bytes());
        place.extend(part.as_bytes());
    }
    place
}
