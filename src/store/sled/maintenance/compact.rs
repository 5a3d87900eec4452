//! `compact`: reclaims the space held by the index, old snapshots and old journal.

use crate::store::StoreError;
use crate::store::maintenance::{CompactReport, ProgressFn};
use crate::store::sled::background::{self, Pace};
use crate::store::sled::{self as engine, Options, SledEngine, io, reindex};
use std::path::Path;
use std::time::Instant;

/// Compacts a folder that no server uses, like [`SledEngine::compact`].
///
/// # Errors
/// As for [`engine::open`].
pub fn compact(path: &Path, options: &Options, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError> {
    let (opened, _) = engine::open(path, options)?;
    let report = opened.compact(progress);
    opened.close_now()?;
    report
}

impl SledEngine {
    /// Makes a snapshot, rebuilds the index, and removes older snapshots and journal, all while the store is in use. A
    /// kill at any moment loses nothing: the old snapshots and journal are kept until the new ones are complete, and
    /// the index can be rebuilt. Afterwards, earlier moments can no longer be restored from the folder.
    ///
    /// # Errors
    /// [`StoreError`] if a system call fails, there is no space for two indexes, or the engine is closed.
    pub fn compact(&self, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError> {
        let started = Instant::now();
        let shared = &self.shared;
        let _alone = shared.maintain();
        let before = shared.folder.sizes().1;
        let pace = Pace::new(shared, false);
        let frame = background::snapshot_now(shared, &pace)?;
        let records = if frame == 0 { 0 } else { reindex::run(shared, frame, &pace, progress)? };
        // Last, so that a failed compaction has removed nothing.
        background::prune(&shared.folder, 1)?;
        let after = shared.folder.sizes().1;
        let milliseconds = io::milliseconds_since(started);
        Ok(CompactReport { before, after, records, milliseconds })
    }
}
