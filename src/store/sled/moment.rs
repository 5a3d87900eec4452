//! All rows as of one moment, read from snapshots and journal while the store is in use.

use super::background;
use super::shared::{self, SledShared};
use super::truth::Truth;
use crate::store::{EachRow, Key, Keyspace, StoreError};

/// Rows between two checks for the end of the engine.
const CHECK_EVERY: u64 = 4096;

/// Calls `row` with every row, in key order, as of the last frame before now. The index is not read, so damage in it
/// has no effect.
pub(super) fn read(shared: &SledShared, row: EachRow<'_>) -> Result<(), StoreError> {
    // No snapshot is made and no segment removed in the meantime.
    let _alone = shared.maintain();
    let last = background::rotate(shared)?;
    let truth = Truth::find(&shared.folder, &shared.id, last, last, &|_| {})?;
    let mut merge = truth.merge(last)?;
    let mut seen: u64 = 0;
    while merge.advance()? {
        seen += 1;
        if seen.is_multiple_of(CHECK_EVERY) && shared.housekeeping.is_finished() {
            return Err(shared::closed());
        }
        let entry = merge.entry();
        let (Some((byte, bytes)), Some(value)) = (entry.key.split_first(), entry.value) else { continue };
        if let Some(keyspace) = Keyspace::from_byte(*byte) {
            row(&Key { keyspace, bytes: bytes.to_vec() }, value)?;
        }
    }
    Ok(())
}
