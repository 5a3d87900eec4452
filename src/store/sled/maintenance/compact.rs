//! `compact`: gives back the space that sled and old snapshots hold. The index is built anew beside the old one.

use super::{ProgressFn, last_known_frame};
use crate::store::StoreError;
use crate::store::sled::index::Index;
use crate::store::sled::marker::Marker;
use crate::store::sled::reconcile::reconcile;
use crate::store::sled::truth::Truth;
use crate::store::sled::{self as engine, Options, background, io};
use serde::Serialize;
use std::path::Path;
use std::time::Instant;

/// What was gained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// Bytes on disk before.
    pub before: u64,
    /// Bytes on disk after.
    pub after: u64,
    /// Records kept.
    pub records: u64,
    /// How long it took.
    pub milliseconds: u64,
}

/// Compacts a folder that no server uses. A kill at any moment loses nothing: snapshot and journal stay whole until the
/// new ones are, and the index can be rebuilt. Points in time before now can no longer be restored from the folder.
///
/// # Errors
/// As [`engine::open`].
pub fn compact(path: &Path, options: &Options, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError> {
    let started = Instant::now();
    let (opened, _) = engine::open(path, options)?;
    let folder = opened.shared.folder.clone();
    let before = folder.sizes().1;
    opened.snapshot()?;
    let Some((lock, (last, _), index)) = opened.end()? else { return Err(engine::shared::closed()) };
    index.close()?;
    background::prune(&folder, 1)?;
    let truth = Truth::find(&folder, &opened.shared.id, last.max(last_known_frame(&folder)?), u64::MAX, progress)?;
    let new = Index::open(&folder.index_in_work(), options.cache_bytes)?;
    let records = reconcile(&new, &truth, 0, progress)?.rows;
    new.close()?;
    io::rename(&folder.index(), &folder.index_replaced())?;
    io::rename(&folder.index_in_work(), &folder.index())?;
    io::remove_directory(&folder.index_replaced())?;
    Marker::of(&folder, truth.last(), truth.time())?.write(&folder)?;
    let after = folder.sizes().1;
    drop(lock);
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(CompactReport { before, after, records, milliseconds })
}
