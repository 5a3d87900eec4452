//! Counters: records that transactions change by a difference, without reading them and without conflicts.
//!
//! - binary: version byte 1, CRC-32 as in every record, the number as 8 bytes, big endian.
//! - JSON: `{"v":1,"record":…}`.
//!
//! A counter at 0 is not stored, so what is gone leaves nothing behind.

use super::codec::{Written, checked, damaged, sealed};
use super::{Encoding, Key, StoreError, Tx};

const VERSION: u8 = 1;

/// The counter at `key`; 0 where there is none. Read through the transaction like any record: others' additions until
/// the commit are a conflict.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are no counter.
pub async fn get(tx: &mut dyn Tx, key: &Key) -> Result<i64, StoreError> {
    let stored = tx.get(key).await?;
    decode(tx.encoding(), key, stored.as_deref())
}

/// The number in the bytes stored at `key`.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are no counter.
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
    number.ok_or_else(|| damaged(key, "it is no counter".to_owned()))
}

/// What to store for `number`; `None` (nothing) at 0.
#[must_use]
pub fn encode(encoding: Encoding, key: &Key, number: i64) -> Option<Vec<u8>> {
    let bytes = || match encoding {
        Encoding::Binary => sealed(key, VERSION, &number.to_be_bytes()),
        // A number under a name can always be written.
        Encoding::Json => serde_json::to_vec(&Written { v: VERSION, record: &number }).unwrap_or_default(),
    };
    (number != 0).then(bytes)
}
