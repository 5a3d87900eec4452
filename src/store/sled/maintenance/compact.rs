//! `compact`: gives back the space that the index, old snapshots and old journal hold.

use crate::store::StoreError;
use crate::store::maintenance::{CompactReport, ProgressFn};
use crate::store::sled::background::{self, Pace};
use crate::store::sled::{self as engine, Options, SledEngine, io, reindex};
use std::path::Path;
use std::time::Instant;

/// Compacts a folder that no server uses, as [`SledEngine::compact`].
///
/// # Errors
/// As [`engine::open`].
pub fn compact(path: &Path, options: &Options, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError> {
    let (opened, _) = engine::open(path, options)?;
    let report = opened.compact(progress);
    opened.close_now()?;
    report
}

impl SledEngine {
    /// Makes a snapshot, writes the index anew, and removes older snapshots and journal, beside the traffic. A kill at any
    /// moment loses nothing: snapshot and journal stay whole until the new ones are, and the index can be rebuilt. Moments
    /// before now can no longer be restored from the folder.
    ///
    /// # Errors
    /// [`StoreError`] when the system refuses, there is no space for two indexes, or the engine is closed.
    pub fn compact(&self, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError> {
        let started = Instant::now();
        let shared = &self.shared;
        let _alone = shared.maintain();
        let before = shared.folder.sizes().1;
        let pace = Pace::new(shared, false);
        let frame = background::snapshot_now(shared, &pace)?;
        let records = if frame == 0 { 0 } else { reindex::run(shared, frame, &pace, progress)? };
        // Last, so that a compaction that fails has taken nothing away.
        background::prune(&shared.folder, 1)?;
        let after = shared.folder.sizes().1;
        let milliseconds = io::milliseconds_since(started);
        Ok(CompactReport { before, after, records, milliseconds })
    }
}
