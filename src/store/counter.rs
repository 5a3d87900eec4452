//! Counters: records that transactions change by a difference, without reading them and without conflicts.
//!
//! - binary: version byte 1, CRC-32 as in every record, the number as 8 bytes, big endian.
//! - JSON: `{"v":1,"record":…}`.
//!
//! A counter of 0 is not stored, so nothing is left behind by what has been removed.

use super::codec::{Written, checked, damaged, sealed};
use super::{Encoding, Key, StoreError, Tx};

const VERSION: u8 = 1;

/// The counter at `key`; 0 if there is none. Read through the transaction like any record: additions by others before
/// the commit are a conflict.
///
/// # Errors
/// [`StoreError::Damaged`] if the bytes are not a counter.
pub async fn get(tx: &mut dyn Tx, key: &Key) -> Result<i64, StoreError> {
    let stored = tx.get(key).await?;
    decode(tx.encoding(), key, stored.as_deref())
}

/// The number in the bytes stored at `key`.
///
/// # Errors
/// [`StoreError::Damaged`] if the bytes are not a counter.
pub fn decode(encoding: Encoding, key: &Key, stored: Option<&[u8]>) -> Result<i64, StoreError> {
    let Some(bytes) = stored else { return Ok(0) };
    let number = match encoding {
        Encoding::Binary => match checked(key, bytes)? {
            (VERSION, content) => content.try_into().ok().map(i64::from_be_bytes),
            _ => None,
        },
        Encoding::Json => serde_json::from_slice::<serde_json::Value>(bytes)
            .ok()
            .filter(|envelope| envelope.get("v").and_then(serde_json::Value::as_u64) == Some(u64::from(VERSION)))
            .and_then(|envelope| envelope.get("record")?.as_i64()),
    };
    number.ok_or_else(|| damaged(key, "it is not a counter".to_owned()))
}

/// The bytes to store for `number`; `None` (no record) for 0.
#[must_use]
pub fn encode(encoding: Encoding, key: &Key, number: i64) -> Option<Vec<u8>> {
    let bytes = || match encoding {
        Encoding::Binary => sealed(key, VERSION, &number.to_be_bytes()),
        // A struct of two numbers can always be serialised.
        Encoding::Json => serde_json::to_vec(&Written { v: VERSION, record: &number }).unwrap_or_default(),
    };
    (number != 0).then(bytes)
}
