//! What outlives a process of the system's clock and of the sweeps: [`ClockRecord`] and [`SweepRecord`], one of each.

use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::clock_watch::WatchState;
use crate::domain::time::Reading;
use serde::{Deserialize, Serialize};

/// What is known of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockRecord(pub WatchState);

crate::record!(ClockRecord, Meta, version 1);

/// How far removing what has expired has come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SweepRecord {
    /// When the last whole sweep ended.
    pub finished: Option<Reading>,
    /// Where the sweep that is under way goes on: keyspace and key.
    pub next: Option<(u8, Vec<u8>)>,
}

crate::record!(SweepRecord, Meta, version 1);

impl SweepRecord {
    /// A sweep is under way and goes on at `next`.
    pub fn go_on_at(&mut self, next: &Key) {
        self.next = Some((next.keyspace as u8, next.bytes.clone()));
    }

    /// Where the sweep that is under way goes on.
    #[must_use]
    pub fn next(&self) -> Option<Key> {
        let (keyspace, bytes) = self.next.as_ref()?;
        Some(Key { keyspace: Keyspace::from_byte(*keyspace)?, bytes: bytes.clone() })
    }
}

/// Where the record of the clock lives.
#[must_use]
pub fn key() -> Key {
    Key::of(Keyspace::Meta).text("clock")
}

/// Where the record of the sweeps lives.
#[must_use]
pub fn sweep_key() -> Key {
    Key::of(Keyspace::Meta).text("sweep")
}

/// What is known of the clock, if it has been watched.
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

/// How far sweeps have come; nowhere in a store that was never swept.
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
