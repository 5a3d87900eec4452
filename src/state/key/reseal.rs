//! Changing the master key: from none to one, from one to another, from one to none. It happens in one transaction, so
//! after a crash a folder is sealed either the old way or the new way, never a mix.

use super::ring::{SEALING_KEY_NAME, V2_KEY_NAME};
use super::vault::{KeyVault, OpenError};
use super::{KeyRings, MasterKey, UnlockError};
use crate::domain::entropy::Entropy;
use crate::domain::ids::AppId;
use crate::store::signing_key::StoredSecret;
use crate::store::{CommitError, Engine, StoreError, Tx, key_vault, sealing_key, signing_key};
use std::sync::Arc;

/// Attempts before a change that keeps conflicting fails.
const ATTEMPTS: usize = 50;

/// Why keys were not resealed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// The folder does not match the vault.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// A key cannot be opened with the old master key.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys kept changing in the meantime.
    #[error("keys kept changing: try again")]
    Busy,
}

impl KeyRings {
    /// Seals every key of the installation under another master key (`None`: under none); returns how many secrets were
    /// resealed.
    ///
    /// # Errors
    /// The reason for the failure; then nothing has changed.
    pub async fn reseal(
        &self,
        store: &dyn Engine,
        new: Option<&MasterKey>,
        entropy: &dyn Entropy,
    ) -> Result<usize, ResealError> {
        let _alone = self.resealing.write().await;
        self.settle_vault(store).await?;
        let work = Reseal { store, old: &self.vault.load_full(), new, entropy };
        let (vault, count) = work.run(&|next| self.next_vault.store(Some(Arc::new(next.clone())))).await?;
        tracing::warn!(count, sealed = vault.is_sealed(), "resealed all keys");
        self.vault.store(vault.into());
        Ok(count)
    }
}

/// Seals every key in `store` under another master key, or under none; returns the matching vault, and how many secrets
/// were resealed.
///
/// # Errors
/// The reason for the failure; then nothing has changed.
pub async fn reseal(
    store: &dyn Engine,
    old: &KeyVault,
    new: Option<&MasterKey>,
    entropy: &dyn Entropy,
) -> Result<(KeyVault, usize), ResealError> {
    Reseal { store, old, new, entropy }.run(&|_| ()).await
}

struct Reseal<'a> {
    store: &'a dyn Engine,
    old: &'a KeyVault,
    new: Option<&'a MasterKey>,
    entropy: &'a dyn Entropy,
}

impl Reseal<'_> {
    /// `announce` is called with the new vault before the commit, so that the vault is not lost if this future is
    /// dropped.
    async fn run(self, announce: &(dyn Fn(&KeyVault) + Sync)) -> Result<(KeyVault, usize), ResealError> {
        for _ in 0..ATTEMPTS {
            let mut tx = self.store.begin();
            if !self.old.belongs_to(key_vault::get(&mut *tx).await?.as_ref()) {
                return Err(UnlockError::Wrong.into());
            }
            let (vault, record) = KeyVault::fresh(self.new, self.entropy);
            let mut count = 0;
            for app in sealing_key::apps(&mut *tx).await? {
                count += self.app(&mut *tx, &app, &vault).await?;
            }
            key_vault::put(&mut *tx, &record)?;
            announce(&vault);
            match tx.commit().await {
                Ok(()) => return Ok((vault, count)),
                Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(ResealError::Busy)
    }

    async fn app(&self, tx: &mut dyn Tx, app: &AppId, vault: &KeyVault) -> Result<usize, ResealError> {
        let again = |name: &str, secret: &_| -> Result<StoredSecret, OpenError> {
            Ok(vault.store(app, name, &self.old.open(app, name, secret)?, self.entropy))
        };
        let Some(mut sealing) = sealing_key::get(tx, app).await? else { return Ok(0) };
        let mut count = 1;
        sealing.secret = again(SEALING_KEY_NAME, &sealing.secret)?;
        if let Some(v2) = &mut sealing.v2 {
            v2.secret = again(V2_KEY_NAME, &v2.secret)?;
            count += 1;
        }
        // Anyone who changes this app's keys meanwhile conflicts with this.
        sealing.revision += 1;
        sealing_key::put(tx, app, sealing)?;
        for mut key in signing_key::list(tx, app).await? {
            if key.secret != StoredSecret::Gone {
                key.secret = again(key.life.kid.as_str(), &key.secret)?;
                signing_key::put(tx, app, key)?;
                count += 1;
            }
        }
        Ok(count)
    }
}
