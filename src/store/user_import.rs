//! Imports of users that are under way: [`Keyspace::UserImport`]: (domain, app, import's id) → [`ImportRecord`].
//!
//! Written in the transaction of each step. So a step that is asked for again, because nobody heard how it ended, is not
//! done again; and an import does not go on in a store that has not seen its last step: an older state, or another store.

use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::AppId;
use crate::domain::import::Imported;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far an import has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRecord {
    /// The last step that was done; the first is 0.
    pub step: u64,
    /// SHA-256 of its lines.
    pub lines: [u8; 32],
    /// When.
    pub at: UnixMillis,
    /// What became of its lines, in their order.
    pub outcomes: Vec<Imported>,
}

crate::record!(ImportRecord, UserImport, version 1);

/// An import of which nothing was heard for so long was given up, in ms.
pub const GIVEN_UP_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Where an import lives.
#[must_use]
pub fn key(app: &AppId, import: Uuid) -> Key {
    Key::of_app(Keyspace::UserImport, app).raw(import.as_bytes())
}

/// The last step of an import.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, import: Uuid) -> Result<Option<ImportRecord>, StoreError> {
    codec::get(tx, &key(app, import)).await
}

/// Notes a step as done.
///
/// # Errors
/// When its outcomes are too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, import: Uuid, record: &ImportRecord) -> Result<(), StoreError> {
    codec::put(tx, key(app, import), record)
}

/// Forgets imports that were given up.
///
/// # Errors
/// When the store fails.
pub async fn delete_given_up(tx: &mut dyn Tx, app: &AppId, now: UnixMillis) -> Result<(), StoreError> {
    let start = Key::of_app(Keyspace::UserImport, app);
    let all = Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX };
    for (key, record) in codec::scan::<ImportRecord>(tx, &all).await? {
        if record.at.age(now).has_reached(GIVEN_UP_MS) {
            tx.delete(key);
        }
    }
    Ok(())
}
