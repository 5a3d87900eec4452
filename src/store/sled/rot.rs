//! Snapshots that go bad on disk while the server runs: detected before each new snapshot, and replaced by it.

use super::background::{self, Pausing};
use super::journal::Frames;
use super::merge::{Collector, Merge};
use super::shared::{self, SledShared};
use super::snapshot::{self, SnapshotEntry};
use crate::store::StoreError;
use std::path::PathBuf;
use std::time::Instant;

/// Snapshots of a folder, oldest first.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Snapshots that were just verified, with their frames.
    pub(super) good: Vec<(u64, PathBuf)>,
    /// Snapshots that are damaged.
    pub(super) bad: Vec<PathBuf>,
}

/// Verifies every snapshot; logs the damaged ones.
pub(super) fn sort(shared: &SledShared, pace: &dyn Pausing) -> Result<Sorted, StoreError> {
    let mut sorted = Sorted::default();
    for (frame, path) in snapshot::list(&shared.folder.snapshots())? {
        let mut since = Instant::now();
        let read = snapshot::verify(&path, &shared.id, &mut || {
            pace.pause(0, since.elapsed())?;
            since = Instant::now();
            Ok(())
        });
        match read {
            Ok(_) => sorted.good.push((frame, path)),
            Err(StoreError::Damaged { what, .. }) => {
                tracing::error!(file = %path.display(), what, "a snapshot has gone bad on disk: making a new one");
                sorted.bad.push(path);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(sorted)
}

/// Moves bad snapshots out of the way, once they are no longer needed.
pub(super) fn set_aside(shared: &SledShared, bad: &[PathBuf]) -> Result<(), StoreError> {
    for path in bad.iter().filter(|path| path.exists()) {
        let aside = shared.folder.set_aside(path)?;
        tracing::warn!(file = %aside.display(), "the bad snapshot was set aside");
    }
    Ok(())
}

/// Returns all records from the index while it is in use, and the frame as of which they are: for when no snapshot is
/// intact and the journal does not go back to the first frame. Then there is no other source of the records.
///
/// The walk sees some of the writes made in the meantime; the frames since its beginning supply all of them.
pub(super) fn from_index(shared: &SledShared, before: u64, pace: &dyn Pausing) -> Result<(Merge, u64), StoreError> {
    tracing::error!("no snapshot is intact: making a new one from the index");
    let mut collector = Collector::new(&shared.folder.snapshots().join("scratch"));
    let view = shared.view()?;
    let Some(view) = view.as_ref() else { return Err(shared::closed()) };
    let mut since = Instant::now();
    for (walked, row) in (1..).zip(view.all()) {
        let (key, (frame, value)) = row?;
        collector.add(&SnapshotEntry { key: &key, frame, value: Some(&value) })?;
        if walked % 512 == 0 {
            pace.pause(walked, since.elapsed())?;
            since = Instant::now();
        }
    }
    let last = background::rotate(shared)?;
    let run = background::closed_segments(&shared.folder, before + 1, last)?;
    let mut frames = Frames::new(&run, shared.id, last);
    let mut body = Vec::new();
    while let Some((number, _)) = frames.next(&mut body)? {
        collector.add_frame(number, &body)?;
    }
    Ok((collector.merge(Vec::new())?, last))
}
