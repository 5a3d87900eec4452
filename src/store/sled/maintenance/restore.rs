//! `restore`: a fresh, compact folder from a backup or a stopped data folder, complete or up to a point in time.

use super::backup::read_manifest;
use super::{Target, last_known_frame, lock_source};
use crate::store::StoreError;
use crate::store::maintenance::{ProgressFn, RestoreReport, Until};
use crate::store::sled::acknowledged::Acknowledged;
use crate::store::sled::background::{Pausing, write_snapshot};
use crate::store::sled::folder::{self, Folder, FolderId, Identity};
use crate::store::sled::journal::segment;
use crate::store::sled::merge::Merge;
use crate::store::sled::snapshot::SnapshotHeader;
use crate::store::sled::truth::Truth;
use crate::store::sled::{self as engine, Options, Progress, io, snapshot};
use std::path::Path;
use std::time::{Duration, Instant};

/// Restores the content of `from` into a new folder `to`. `from` is only read.
///
/// # Errors
/// [`StoreError::Unusable`] if `to` is not empty, if `from` does not go back as far as `until`, or if the frame meant
/// by `until` cannot be determined; [`StoreError::Damaged`] if the content of `from` cannot be reconstructed.
pub fn restore(
    from: &Path,
    to: &Path,
    until: Until,
    options: &Options,
    progress: ProgressFn<'_>,
) -> Result<RestoreReport, StoreError> {
    let started = Instant::now();
    let source = Folder::new(from);
    let _lock = lock_source(&source)?;
    let id = source_id(&source)?;
    let mut notes = Vec::new();
    if let Some(manifest) = read_manifest(&source)? {
        notes.extend(manifest.changed(&source)?);
    }
    let target = Target::new(to)?;
    let (truth, point) = Truth::find_until(&source, &id, last_known_frame(&source)?, until, progress)?;
    notes.extend(truth.bad_snapshots.iter().map(|(path, what)| format!("{}: {what}", path.display())));
    notes.extend(point.notes);
    let (frame, time) = (point.frame, point.time);
    let mut merge = truth.merge_into(frame, &target.partial.join("scratch"))?;
    let records = write_folder(&target, &mut merge, frame, time, options, progress)?;
    target.complete()?;
    let milliseconds = io::milliseconds_since(started);
    Ok(RestoreReport { frame, time, records, notes, milliseconds })
}

/// The folder id of the source.
pub(super) fn source_id(source: &Folder) -> Result<FolderId, StoreError> {
    if let Identity::Known(id) = folder::read_identity(source)? {
        return Ok(id);
    }
    let segments = segment::list(&source.journal())?;
    let snapshots = snapshot::list(&source.snapshots())?;
    let id = segments.iter().find_map(|(first, path)| segment::folder_id(path, *first));
    let id = id.or_else(|| {
        snapshots.iter().find_map(|(_, path)| Some(snapshot::SnapshotReader::open(path, None).ok()?.head.id))
    });
    id.ok_or_else(|| StoreError::Unusable {
        place: source.root.display().to_string(),
        what: "this is neither a data folder of sessiond nor a backup of one".to_owned(),
    })
}

/// Makes the target a complete data folder with the records of `merge`; returns their number.
pub(super) fn write_folder(
    target: &Target,
    merge: &mut Merge,
    frame: u64,
    time: u64,
    options: &Options,
    progress: ProgressFn<'_>,
) -> Result<u64, StoreError> {
    let folder = Folder::new(&target.partial);
    let id = folder::new_identity(options.entropy.as_ref());
    let base = write_snapshot(&folder, &SnapshotHeader { id, frame, time }, merge, &Reporting(progress))?;
    *merge = Merge::default();
    Acknowledged::open(&folder, frame)?;
    folder::write_identity(&folder, &id)?;
    let (built, _) = engine::open(&target.partial, options)?;
    built.close_now()?;
    Ok(base.rows)
}

/// Runs at full speed and reports progress from time to time.
struct Reporting<'a>(ProgressFn<'a>);

impl Pausing for Reporting<'_> {
    fn pause(&self, rows: u64, _took: Duration) -> Result<(), StoreError> {
        (self.0)(Progress { stage: "writing records", done: rows, total: 0 });
        Ok(())
    }
}
