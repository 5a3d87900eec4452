//! When users were last active, and how many have been since when.
//!
//! A mark is read before it is written, because the counters in [`count`] depend on it: of two concurrent transactions
//! that mark the same user, the second one conflicts. Callers avoid that by claiming the user first.

pub mod count;
mod mark;

pub use mark::{ActiveRecord, key};

use super::cross_references::CrossReferences;
use super::walk::Pages;
use super::{Engine, Key, Keyspace, StoreError, Tx, codec, tally};
use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;

/// Marks read at once.
pub const PAGE: usize = 1024;

/// Records a user (by the id that callers use) as active.
///
/// # Errors
/// When the store fails.
pub async fn put(tx: &mut dyn Tx, app: &AppId, user: &UserId, at: UnixMillis) -> Result<(), StoreError> {
    let key = key(app, user);
    let before = read(tx, &key).await?;
    count::change(tx, app, before, Some(at));
    codec::put(tx, key, &ActiveRecord { at })
}

/// Removes a user's record, together with the user or when it is linked to another.
///
/// # Errors
/// When the store fails.
pub async fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    let key = key(app, user);
    let before = read(tx, &key).await?;
    count::change(tx, app, before, None);
    tx.delete(key);
    Ok(())
}

/// Moves a user's record to another id.
///
/// # Errors
/// When the store fails.
pub async fn rename_user(tx: &mut dyn Tx, app: &AppId, from: &UserId, to: &UserId) -> Result<(), StoreError> {
    if let Some(at) = read(tx, &key(app, from)).await? {
        remove_user(tx, app, from).await?;
        put(tx, app, to, at).await?;
    }
    Ok(())
}

/// The time in a record. A damaged record counts as none, because it must not keep a user from signing in.
async fn read(tx: &mut dyn Tx, key: &Key) -> Result<Option<UnixMillis>, StoreError> {
    match codec::get::<ActiveRecord>(tx, key).await {
        Ok(mark) => Ok(mark.map(|mark| mark.at)),
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::warn!(%error, "a mark of activity is replaced");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The records of an app.
#[must_use]
pub fn pages(app: &AppId) -> Pages {
    Pages::of(Key::of_app(Keyspace::UserActive, app), PAGE)
}

/// Compares the counters with the marks. Works while the server runs.
///
/// # Errors
/// When the store fails. A record that cannot be decoded is no error.
pub async fn check(engine: &dyn Engine) -> Result<CrossReferences, StoreError> {
    let mut found = CrossReferences::default();
    tally::check(engine, &count::MARKS, &mut found).await?;
    Ok(found)
}
