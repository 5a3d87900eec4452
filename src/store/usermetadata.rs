//! Metadata of users at rest: [`Keyspace::UserMetadata`]: (domain, app, user) → [`UserMetadataRecord`].
//!
//! The user need not exist. An object that an update has emptied stays as `{}`.

use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::{AppId, UserId};
use crate::domain::json::{self, JsonObject};
use crate::store::user_data::recipe::UserData;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A user's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMetadataRecord {
    /// The user's id, because a key contains only the hash of a long id.
    pub user_id: UserId,
    /// The metadata.
    #[serde(with = "json::as_text")]
    pub metadata: JsonObject,
}

crate::record!(UserMetadataRecord, UserMetadata, version 1);

/// The key of a user's metadata.
#[must_use]
pub fn key(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::UserMetadata, app).user(user)
}

/// The user's metadata, if there ever was any.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<Option<JsonObject>, StoreError> {
    let record = codec::get::<UserMetadataRecord>(tx, &key(app, user)).await?;
    Ok(record.map(|record| record.metadata))
}

/// Writes the user's metadata.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, user: &UserId, metadata: JsonObject) -> Result<(), StoreError> {
    codec::put(tx, key(app, user), &UserMetadataRecord { user_id: user.clone(), metadata })
}

/// Removes a user's metadata.
pub fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) {
    tx.delete(key(app, user));
}

/// True if there is metadata under this id.
///
/// # Errors
/// When the store fails.
pub async fn in_use(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<bool, StoreError> {
    Ok(tx.get(&key(app, user)).await?.is_some())
}

/// Metadata as user data.
pub(super) struct MetadataUserData;

#[async_trait]
impl UserData for MetadataUserData {
    async fn in_use(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<bool, StoreError> {
        in_use(tx, app, id).await
    }

    async fn remove(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
        remove_user(tx, app, id);
        Ok(())
    }
}
