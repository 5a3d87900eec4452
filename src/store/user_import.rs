//! Imports of users in progress: [`Keyspace::UserImport`]: (domain, app, import's id) → [`ImportRecord`].
//!
//! Written in the transaction of each step. So a step that is requested again, because its result was not received, is
//! not repeated; and an import does not continue in a store that has not seen its last step: an older state, or another
//! store.

use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::AppId;
use crate::domain::import::Imported;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The progress of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRecord {
    /// The last completed step; the first is 0.
    pub step: u64,
    /// SHA-256 of its lines.
    pub lines: [u8; 32],
    /// The time of the step.
    pub at: UnixMillis,
    /// The outcomes of its lines, in order.
    pub outcomes: Vec<Imported>,
}

crate::record!(ImportRecord, UserImport, version 1);

/// Imports without a step for this long have been abandoned, in ms.
pub const ABANDONED_AFTER_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The key of an import.
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

/// Records a step as completed.
///
/// # Errors
/// When its outcomes are too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, import: Uuid, record: &ImportRecord) -> Result<(), StoreError> {
    codec::put(tx, key(app, import), record)
}

/// Deletes imports that have been abandoned.
///
/// # Errors
/// When the store fails.
pub async fn delete_abandoned(tx: &mut dyn Tx, app: &AppId, now: UnixMillis) -> Result<(), StoreError> {
    let start = Key::of_app(Keyspace::UserImport, app);
    let all = Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX };
    for (key, record) in codec::scan::<ImportRecord>(tx, &all).await? {
        if record.at.age(now).has_reached(ABANDONED_AFTER_MS) {
            tx.delete(key);
        }
    }
    Ok(())
}
