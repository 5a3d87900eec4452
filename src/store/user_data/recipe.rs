//! [`UserData`]: the interface to the data that a recipe keeps under users' ids.

use crate::domain::ids::{AppId, TenantId, UserId};
use crate::store::{StoreError, Tx};
use async_trait::async_trait;

/// The data that a recipe keeps under users' ids, in its own store.
#[async_trait]
pub trait UserData: Sync {
    /// Whether anything is kept under exactly this id.
    ///
    /// # Errors
    /// When the store fails.
    async fn in_use(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<bool, StoreError>;

    /// Removes what is kept under exactly this id, in all tenants.
    ///
    /// # Errors
    /// When the store fails.
    async fn remove(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError>;

    /// Removes everything kept under exactly this id in one tenant. Data of the whole app stays.
    ///
    /// # Errors
    /// When the store fails.
    async fn remove_in(
        &self,
        _tx: &mut dyn Tx,
        _app: &AppId,
        _tenant: &TenantId,
        _id: &UserId,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}
