//! State of the system clock and of the sweeps that outlives a process: [`ClockRecord`] and [`SweepRecord`], one of
//! each.

use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::clock_watch::WatchState;
use crate::domain::time::Reading;
use serde::{Deserialize, Serialize};

/// What is known about the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockRecord(pub WatchState);

crate::record!(ClockRecord, Meta, version 1);

/// Progress of the deletion of expired records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SweepRecord {
    /// End of the last complete sweep.
    pub finished: Option<Reading>,
    /// Keyspace and key at which the current sweep continues.
    pub next: Option<(u8, Vec<u8>)>,
}

crate::record!(SweepRecord, Meta, version 1);

impl SweepRecord {
    /// Records that a sweep is in progress and continues at `next`.
    pub fn continue_at(&mut self, next: &Key) {
        self.next = Some((next.keyspace as u8, next.bytes.clone()));
    }

    /// The key at which the current sweep continues.
    #[must_use]
    pub fn next(&self) -> Option<Key> {
        let (keyspace, bytes) = self.next.as_ref()?;
        Some(Key { keyspace: Keyspace::from_byte(*keyspace)?, bytes: bytes.clone() })
    }
}

/// The key of the record of the clock.
#[must_use]
pub fn key() -> Key {
    Key::of(Keyspace::Meta).text("clock")
}

/// The key of the record of the sweeps.
#[must_use]
pub fn sweep_key() -> Key {
    Key::of(Keyspace::Meta).text("sweep")
}

/// What is known about the clock, if it has been watched.
///
/// # Errors
/// When the store fails or the record is damaged.
pub async fn get(tx: &mut dyn Tx) -> Result<Option<WatchState>, StoreError> {
    Ok(codec::get::<ClockRecord>(tx, &key()).await?.map(|record| record.0))
}

/// Buffers a write.
///
/// # Errors
/// Never for a record of this size.
pub fn put(tx: &mut dyn Tx, state: WatchState) -> Result<(), StoreError> {
    codec::put(tx, key(), &ClockRecord(state))
}

/// The progress of sweeps; empty in a store that was never swept.
///
/// # Errors
/// When the store fails or the record is damaged.
pub async fn sweep(tx: &mut dyn Tx) -> Result<SweepRecord, StoreError> {
    Ok(codec::get(tx, &sweep_key()).await?.unwrap_or_default())
}

/// Buffers a write.
///
/// # Errors
/// Never for a record of this size.
pub fn put_sweep(tx: &mut dyn Tx, record: &SweepRecord) -> Result<(), StoreError> {
    codec::put(tx, sweep_key(), record)
}
