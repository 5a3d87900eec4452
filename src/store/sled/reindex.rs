//! Rebuilds the index online, to reclaim space that sled holds on to: the space of replaced or removed rows, which it
//! consolidates more slowly than a large import leaves it behind.
//!
//! The new index is made from the newest snapshot and the journal, brought up to date while the old one is in use, and
//! swapped in by the committer, between two frames. A kill at any moment costs at most the rebuilding of an index.

use super::background::{Pausing, closed_segments, rotate};
use super::batch::Batch;
use super::index::Index;
use super::journal::Frames;
use super::merge::Merge;
use super::queue::{Control, Replacement};
use super::shared::{self, SledShared, unshared};
use super::snapshot::{self, SnapshotReader};
use super::{Progress, io};
use crate::store::StoreError;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// An index this many times as large as its rows is worth rebuilding: a new one takes about 1.3 times their size.
const MIN_GROWTH: u64 = 3;
/// A new index may take up this many times the size of its rows while it is being written.
const SPACE_FACTOR: u64 = 2;
/// Rounds of catching up, each with what was written during the one before. The committer does the last one while
/// commits wait: this takes about as long as the round before it.
const ROUNDS: usize = 20;
/// Commits may wait this long without anyone noticing.
const UNNOTICED_WAIT: Duration = Duration::from_millis(50);
/// The longest acceptable wait, if writes arrive so fast that no round is short.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// How long readers of the old index may take to finish.
const PATIENCE: Duration = Duration::from_secs(60);

/// True if the index takes up much more disk space than its content. The content is that of the newest snapshot, so it
/// may have grown since.
pub(super) fn is_due(shared: &SledShared) -> Result<bool, StoreError> {
    let bytes = shared.folder.index_bytes();
    let Some((_, path)) = snapshot::list(&shared.folder.snapshots())?.pop() else { return Ok(false) };
    Ok(bytes > shared.reindex_above_bytes && bytes > MIN_GROWTH * snapshot::unpacked_bytes(&path)?)
}

/// Rebuilds the index from the snapshot of frame `base`; the caller holds [`SledShared::maintain`]. Returns the number of
/// records in it.
pub(super) fn run(
    shared: &SledShared,
    base: u64,
    pace: &dyn Pausing,
    progress: &dyn Fn(Progress),
) -> Result<u64, StoreError> {
    let folder = &shared.folder;
    let base = snapshot::path(&folder.snapshots(), base);
    let bytes = snapshot::unpacked_bytes(&base)?;
    if !shared.has_space_for(SPACE_FACTOR * bytes) {
        let mib = (SPACE_FACTOR * bytes) >> 20;
        let what = format!("a new index needs {mib} MiB in addition to the old one for a while, which are not free");
        return Err(StoreError::Unusable { place: folder.root.display().to_string(), what });
    }
    let started = Instant::now();
    let before = folder.index_bytes();
    let index = Arc::new(Index::create_in(&folder.index_in_work(), &folder.index(), shared.cache_bytes)?);
    let report = |done: u64| progress(Progress { stage: "rebuilding the index", done: done.min(bytes), total: bytes });
    let taken = build(shared, &index, &base, pace, &report)
        .and_then(|(records, frame)| Ok((records, exchange(shared, &index, frame)?)));
    let (records, old) = match taken {
        Ok(taken) => taken,
        Err(error) => {
            drop(index);
            io::remove_directory(&folder.index_in_work())?;
            return Err(error);
        }
    };
    put_in_place(shared, &index)?;
    report(bytes);
    match unshared(old, PATIENCE) {
        Ok(old) => old.end()?,
        // Ended by its last reader.
        Err(error) => tracing::warn!(%error, "the replaced index is still in use"),
    }
    let milliseconds = io::milliseconds_since(started);
    tracing::info!(records, before, after = folder.index_bytes(), milliseconds, "index rebuilt");
    Ok(records)
}

/// Fills the new index and closely follows ongoing writes; returns the initial number of records, and the frame up to
/// which the index is complete.
fn build(
    shared: &SledShared,
    index: &Index,
    base: &Path,
    pace: &dyn Pausing,
    report: &dyn Fn(u64),
) -> Result<(u64, u64), StoreError> {
    let mut frame = rotate(shared)?;
    let reader = SnapshotReader::open(base, Some(&shared.id))?;
    let from = reader.head.frame;
    let mut merge = merge(shared, Some(reader), from, frame)?;
    let records = fill(&mut merge, &mut |batch, records, bytes| {
        report(bytes);
        write_at(pace, batch, index, records)
    })?;
    drop(merge);
    index.flush()?;
    let mut before = Duration::MAX;
    for round in 1..=ROUNDS {
        pace.pause(records, Duration::ZERO)?;
        let started = Instant::now();
        let last = rotate(shared)?;
        catch_up(index, shared, frame, last)?;
        frame = last;
        let took = started.elapsed();
        if took <= UNNOTICED_WAIT || took <= MAX_WAIT && round == ROUNDS {
            return Ok((records, frame));
        }
        if took > MAX_WAIT && took >= before {
            break;
        }
        before = took;
    }
    let what = "writes come faster than a new index can follow: try again when there are fewer writes".to_owned();
    Err(StoreError::Unusable { place: shared.folder.root.display().to_string(), what })
}

/// Brings an index that is complete up to frame `from` up to frame `last`. Those frames are in closed segments.
pub(super) fn catch_up(index: &Index, shared: &SledShared, from: u64, last: u64) -> Result<(), StoreError> {
    fill(&mut merge(shared, None, from, last)?, &mut |batch, _, _| batch.write(index))?;
    index.set_frame(last)
}

/// The resulting rows of the frames after `from` up to `last`, applied to a snapshot of frame `from` or on their own.
fn merge(shared: &SledShared, base: Option<SnapshotReader>, from: u64, last: u64) -> Result<Merge, StoreError> {
    let run = closed_segments(&shared.folder, from + 1, last)?;
    let mut frames = Frames::new(&run, shared.id, last);
    Merge::new(base, &mut frames, &shared.folder.snapshots().join("scratch"))
}

/// Writes a batch at a given pace.
fn write_at(pace: &dyn Pausing, batch: &mut Batch, index: &Index, records: u64) -> Result<(), StoreError> {
    if !pace.is_gentle() {
        pace.pause(records, Duration::ZERO)?;
        return batch.write(index);
    }
    let mut since = Instant::now();
    batch.write_gently(index, &mut || {
        pace.pause(records, since.elapsed())?;
        since = Instant::now();
        Ok(())
    })
}

/// Passes all of `merge` in batches to `write`, together with the number of records and bytes so far; returns the
/// number of records.
fn fill(
    merge: &mut Merge,
    write: &mut dyn FnMut(&mut Batch, u64, u64) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut batch = Batch::default();
    let (mut records, mut bytes) = (0, 0);
    while merge.advance()? {
        let entry = merge.entry();
        records += u64::from(entry.value.is_some());
        bytes += entry.size();
        if batch.add(&entry) {
            write(&mut batch, records, bytes)?;
        }
    }
    write(&mut batch, records, bytes)?;
    Ok(records)
}

/// Makes the committer take the new index into use; returns the old one.
fn exchange(shared: &SledShared, index: &Arc<Index>, frame: u64) -> Result<Arc<Index>, StoreError> {
    let (reply, answer) = mpsc::channel();
    let index = Arc::clone(index);
    shared.queue.control(Control::Exchange(Replacement { index, frame, reply }))?;
    answer.recv().unwrap_or_else(|_| Err(shared::closed()))
}

/// Renames the new index and removes the files of the old one, which may still be read. If that fails, the new one
/// stays in use under its temporary name, and the next start compares what it finds with snapshot and journal.
fn put_in_place(shared: &SledShared, index: &Index) -> Result<(), StoreError> {
    let folder = &shared.folder;
    // Left by an earlier attempt that failed half-way.
    io::remove_directory(&folder.index_replaced())?;
    if folder.index().exists() {
        io::rename(&folder.index(), &folder.index_replaced())?;
    }
    io::rename(&folder.index_in_work(), &folder.index())?;
    index.set_in_place();
    io::remove_directory(&folder.index_replaced())
}
