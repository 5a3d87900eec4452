//! `backup`: a consistent copy of a running server's snapshots and journal.

use super::Target;
use crate::store::StoreError;
use crate::store::maintenance::{BackupReport, ProgressFn};
use crate::store::sled::acknowledged::Acknowledged;
use crate::store::sled::folder::Folder;
use crate::store::sled::journal::segment;
use crate::store::sled::truth::Truth;
use crate::store::sled::{Progress, SledEngine, background, io, snapshot};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use std::time::Instant;

/// Lists a backup's files; written last.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The last frame in the backup.
    pub(super) frame: u64,
    /// Time of that frame.
    pub(super) time: u64,
    files: Vec<ListedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ListedFile {
    path: String,
    length: u64,
    crc: u32,
}

/// Reads a backup's manifest; `None` in a folder that is not a backup.
pub(super) fn read_manifest(folder: &Folder) -> Result<Option<Manifest>, StoreError> {
    let path = folder.manifest();
    let Some(content) = io::read_small(&path)? else { return Ok(None) };
    match serde_json::from_slice(&content) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => Err(StoreError::Damaged {
            place: path.display().to_string(),
            what: format!("the backup's manifest cannot be read: {error}"),
            way_out: "Use another backup, or `sessiond salvage` on this one".to_owned(),
        }),
    }
}

impl SledEngine {
    /// Copies everything up to now into a new folder `to` while the store is in use. The copy can be restored to any
    /// point in time since the older of the two snapshots it holds.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if `to` is not empty; [`StoreError::Damaged`] if the copy fails verification.
    pub fn backup(&self, to: &Path, progress: ProgressFn<'_>) -> Result<BackupReport, StoreError> {
        let started = Instant::now();
        let target = Target::new(to)?;
        let copy = Folder::new(&target.partial);
        // No snapshot is made and no segment is removed until the copy is complete.
        let _alone = self.shared.maintain();
        let folder = &self.shared.folder;
        let frame = background::rotate(&self.shared)?;
        io::create_directory(&copy.journal())?;
        io::create_directory(&copy.snapshots())?;
        let mut sources: Vec<_> = segment::list(&folder.journal())?;
        sources.retain(|(first, _)| *first <= frame);
        sources.extend(snapshot::list(&folder.snapshots())?);
        sources.push((0, folder.identity()));
        let total = sources.len() as u64;
        let mut files = Vec::new();
        for (done, (_, path)) in (0..).zip(&sources) {
            progress(Progress { stage: "copying", done, total });
            if self.shared.housekeeping.is_finished() {
                return Err(crate::store::sled::shared::closed());
            }
            files.push(copy_file(folder, path, &copy)?);
        }
        let truth = Truth::find(&copy, &self.shared.id, frame, u64::MAX, progress)?;
        let time = truth.time();
        let bytes = files.iter().map(|file| file.length).sum();
        let manifest = Manifest { frame, time, files };
        let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
        io::replace_file(&copy.manifest(), &text)?;
        Acknowledged::open(&copy, frame)?;
        io::sync_directory(&copy.journal())?;
        io::sync_directory(&copy.snapshots())?;
        target.complete()?;
        let milliseconds = io::milliseconds_since(started);
        Ok(BackupReport { frame, time, files: total, bytes, milliseconds })
    }
}

fn copy_file(folder: &Folder, path: &Path, copy: &Folder) -> Result<ListedFile, StoreError> {
    let relative = path.strip_prefix(&folder.root).unwrap_or(path);
    let target = copy.root.join(relative);
    std::fs::copy(path, &target).map_err(|error| io::failed("cannot copy to", &target, error))?;
    File::options()
        .write(true)
        .open(&target)
        .and_then(|file| file.sync_all())
        .map_err(|error| io::failed("cannot sync", &target, error))?;
    let (length, crc) = io::fingerprint(&target)?;
    let path = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    Ok(ListedFile { path, length, crc })
}

impl Manifest {
    /// The files of a backup that differ from the manifest.
    pub(super) fn changed(&self, folder: &Folder) -> Result<Vec<String>, StoreError> {
        let mut changed = Vec::new();
        for file in &self.files {
            let path = folder.root.join(&file.path);
            if !path.is_file() {
                changed.push(format!("{} is missing", file.path));
            } else if io::fingerprint(&path)? != (file.length, file.crc) {
                changed.push(format!("{} has changed since the backup", file.path));
            }
        }
        Ok(changed)
    }
}
