//! Apps at rest: [`Keyspace::App`]: (domain, app) → [`AppRecord`].
//!
//! The base app exists without a record; it gets one with its first tenant.

use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::AppId;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// An app. Its settings are those of its public tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRecord {
    /// When it was created.
    pub created: UnixMillis,
    /// Counts tenants created and removed: adding or removing one writes the app, so that a removal of the app and the
    /// creation of a tenant in it conflict.
    pub changes: u64,
}

crate::record!(AppRecord, App, version 1);

/// The key of an app's record.
#[must_use]
pub fn key(id: &AppId) -> Key {
    Key::of_app(Keyspace::App, id)
}

/// The record of an app.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, id: &AppId) -> Result<Option<AppRecord>, StoreError> {
    codec::get(tx, &key(id)).await
}

/// Writes an app's record.
///
/// # Errors
/// When the id is too long for a key.
pub fn put(tx: &mut dyn Tx, id: &AppId, record: &AppRecord) -> Result<(), StoreError> {
    codec::put(tx, key(id), record)
}

/// Removes an app's record.
pub fn delete(tx: &mut dyn Tx, id: &AppId) {
    tx.delete(key(id));
}

/// Whether the app exists. A transaction that calls this fails to commit if the app is removed in the meantime, so
/// nothing it writes can outlive the app.
///
/// # Errors
/// When the store fails.
pub async fn exists(tx: &mut dyn Tx, id: &AppId) -> Result<bool, StoreError> {
    Ok(get(tx, id).await?.is_some() || *id == AppId::base())
}
