//! When users were last active: [`Keyspace::UserActive`]: (domain, app, user) → [`ActiveRecord`].

use super::codec;
use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx};
use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// A user's last activity; it lags by up to five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRecord {
    /// The time of the activity.
    pub at: UnixMillis,
}

crate::record!(ActiveRecord, UserActive, version 1);

/// Rows read at once.
const PAGE: usize = 1024;

/// The key of a user's record.
#[must_use]
pub fn key(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::UserActive, app).user(user)
}

/// Records a user (by the id that callers use) as active.
///
/// # Errors
/// When a key is too long.
pub fn put(tx: &mut dyn Tx, app: &AppId, user: &UserId, at: UnixMillis) -> Result<(), StoreError> {
    codec::put(tx, key(app, user), &ActiveRecord { at })
}

/// Removes a user's record, together with the user or when it is linked to another.
pub fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) {
    tx.delete(key(app, user));
}

/// Moves a user's record to another id.
///
/// # Errors
/// When the store fails.
pub async fn rename_user(tx: &mut dyn Tx, app: &AppId, from: &UserId, to: &UserId) -> Result<(), StoreError> {
    let mark: Option<ActiveRecord> = codec::get(tx, &key(app, from)).await?;
    if let Some(mark) = mark {
        remove_user(tx, app, from);
        put(tx, app, to, mark.at)?;
    }
    Ok(())
}

/// The records of an app.
#[must_use]
pub fn pages(app: &AppId) -> Pages {
    Pages::of(Key::of_app(Keyspace::UserActive, app), PAGE)
}
