//! A journal or snapshot damaged after a clean stop: the index still holds everything, and a new snapshot is made from
//! it.

use super::folder::{Folder, FolderId};
use super::index::Index;
use super::journal::segment;
use super::marker::Marker;
use super::shared::free_space;
use super::snapshot::{self, SnapshotEntry, SnapshotHeader, SnapshotWriter};
use super::{Options, Progress, io};
use crate::store::StoreError;
use std::path::Path;

/// Rows between two progress reports.
const PROGRESS_EVERY: u64 = 4096;

/// Writes a new snapshot from an index that is unchanged since the clean stop, then sets aside the journal and the
/// snapshots that it replaces. False if the index cannot be used after all; then nothing has changed.
///
/// Reads a copy of the index, because opening one changes sled's files. The mark and the files it covers stay as they
/// are, so this can be interrupted anywhere: the next start finds the same evidence and repeats it.
pub(super) fn from_index(
    folder: &Folder,
    id: FolderId,
    marker: &Marker,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<bool, StoreError> {
    require_space(folder)?;
    let copy = folder.index_in_work();
    let path = snapshot::path(&folder.snapshots(), marker.frame);
    let temporary = path.with_extension("new");
    io::create_directory(&folder.snapshots())?;
    let head = SnapshotHeader { id, frame: marker.frame, time: marker.time };
    let written = io::copy_directory(&folder.index(), &copy)
        .and_then(|()| write_snapshot(folder, &copy, &temporary, &head, options))
        // Rename first: after a kill from here on, the snapshot is found, and nothing that is about to be set aside is
        // needed.
        .and_then(|rows| io::rename(&temporary, &path).map(|()| rows));
    if written.is_err() {
        // Whatever went wrong, do not leave partial files on a full disk.
        let _ = io::remove_file(&temporary);
    }
    io::remove_directory(&copy)?;
    let rows = match written {
        Ok(rows) => rows,
        Err(error @ StoreError::Damaged { .. }) => {
            notes.push(format!("the index cannot replace journal and snapshots: {error}"));
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let replaced = snapshot::list(&folder.snapshots())?.into_iter().chain(segment::list(&folder.journal())?);
    for (_, old) in replaced.filter(|(_, old)| *old != path) {
        let aside = folder.set_aside(&old)?;
        notes.push(format!("{} was set aside as {}", old.display(), aside.display()));
    }
    notes.push(format!("a new snapshot with {rows} records was written from the index"));
    Ok(true)
}

fn require_space(folder: &Folder) -> Result<(), StoreError> {
    let needed = folder.index_bytes();
    if free_space(&folder.root).is_none_or(|free| free >= needed) {
        return Ok(());
    }
    let what = format!(
        "journal or snapshots are damaged, and the index can replace them. That needs {} MiB for a copy of the index, which \
         are not free: free space on the disk and start again",
        needed.div_ceil(1 << 20)
    );
    Err(StoreError::Unusable { place: folder.root.display().to_string(), what })
}

/// Writes every row of the index in `copy` into `temporary` and verifies the file; returns the number of rows.
fn write_snapshot(
    folder: &Folder,
    copy: &Path,
    temporary: &Path,
    head: &SnapshotHeader,
    options: &Options,
) -> Result<u64, StoreError> {
    let index = Index::open_copy(copy, &folder.index(), options.cache_bytes)?;
    let write = || {
        let frame = index.frame()?;
        if frame != head.frame {
            return Err(index.damaged(&format!("it ends with frame {frame}, the clean stop was after {}", head.frame)));
        }
        let mut writer = SnapshotWriter::create(temporary, head)?;
        for row in index.all() {
            let (key, (frame, value)) = row?;
            writer.push(&SnapshotEntry { key: &key, frame, value: Some(&value) })?;
            if writer.rows.is_multiple_of(PROGRESS_EVERY) {
                (options.progress)(Progress { stage: "writing a new snapshot", done: writer.rows, total: 0 });
            }
        }
        let rows = writer.rows;
        writer.finish()?;
        Ok(rows)
    };
    let written = write();
    // sled must have released the files before they are removed.
    let closed = index.close();
    let rows = written?;
    closed?;
    let (_, found) = snapshot::verify_deeply(temporary, &head.id, &mut |_| Ok(()))?;
    if found != rows {
        let what = format!("{found} entries were read back instead of {rows}");
        return Err(StoreError::Unusable { place: temporary.display().to_string(), what });
    }
    Ok(rows)
}
