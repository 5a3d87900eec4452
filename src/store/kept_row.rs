//! Rows of an original core for which there is no recipe here yet: [`Keyspace::KeptRow`]: (domain, app, table, number)
//! → [`KeptRowRecord`]. They are kept as they came, so that a later version can read them.

use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::AppId;
use serde::{Deserialize, Serialize};

/// A kept row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRowRecord {
    /// The row as a JSON object of texts and nulls, sealed under a key of the app: it may hold secrets.
    pub sealed_row: Vec<u8>,
}

crate::record!(KeptRowRecord, KeptRow, version 1);

/// The key of a row; the number is its place in the table.
#[must_use]
pub fn key(app: &AppId, table: &str, number: u64) -> Key {
    of_table(app, table).raw(&number.to_be_bytes())
}

fn of_table(app: &AppId, table: &str) -> Key {
    Key::of_app(Keyspace::KeptRow, app).text(table)
}

/// Buffers a write of a row.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, key: Key, sealed_row: Vec<u8>) -> Result<(), StoreError> {
    codec::put(tx, key, &KeptRowRecord { sealed_row })
}

/// The kept rows of a table, with their keys.
///
/// # Errors
/// When the store fails.
pub async fn of(tx: &mut dyn Tx, app: &AppId, table: &str) -> Result<Vec<(Key, KeptRowRecord)>, StoreError> {
    let start = of_table(app, table);
    codec::scan(tx, &Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX }).await
}
