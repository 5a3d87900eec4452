//! The way an installation's keys are stored: plain, or sealed under a master key. One record.

use crate::record;
use crate::store::{Key, Keyspace, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};

/// Version 1 of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyVaultRecord {
    /// Salt for this folder; new with every change of the master key, so that it also identifies the state.
    pub salt: [u8; 16],
    /// A known text sealed under the master key, which distinguishes the right key from a wrong one; `None` if keys are
    /// plain.
    pub check: Option<Vec<u8>>,
}

record!(KeyVaultRecord, Meta, version 1);

pub(super) const NAME: &str = "key_vault";

/// The record, if the folder has been started before.
///
/// # Errors
/// When the store fails or the record is damaged.
pub async fn get(tx: &mut dyn Tx) -> Result<Option<KeyVaultRecord>, StoreError> {
    codec::get(tx, &place()).await
}

/// Buffers a write.
///
/// # Errors
/// Never for a record of this size.
pub fn put(tx: &mut dyn Tx, record: &KeyVaultRecord) -> Result<(), StoreError> {
    codec::put(tx, place(), record)
}

fn place() -> Key {
    Key::of(Keyspace::Meta).text(NAME)
}
