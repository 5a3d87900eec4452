//! Operations on a data folder: check, back up, restore, compact, salvage.
//!
//! Plain functions with a progress callback and reports that can be printed or serialised. Those that take a path work
//! on a folder that no server uses (they take its lock); those on [`SledEngine`] work on a running server.

mod backup;
mod check;
mod compact;
mod restore;
mod salvage;
mod target;
mod workspace;

pub use crate::store::maintenance::{Finding, NoAudit, Until};
pub use check::check;
pub use compact::compact;
pub use restore::restore;
pub use salvage::salvage;
pub(super) use target::settle_unfinished;

use self::target::Target;
use super::SledEngine;
use super::acknowledged;
use super::folder::{Folder, FolderLock};
use super::io;
use super::marker::Marker;
use crate::store::StoreError;
use crate::store::maintenance::{Audit, BackupReport, CheckReport, CompactReport, Maintain, ProgressFn};
use std::path::Path;

/// Locks a folder, which must exist. A folder that this process may not write to is locked as a reader; one without a
/// lock file, such as a backup on read-only media, is not locked.
fn lock_source(folder: &Folder) -> Result<Option<FolderLock>, StoreError> {
    if !folder.root.is_dir() {
        let what = "there is no such folder".to_owned();
        return Err(StoreError::Unusable { place: folder.root.display().to_string(), what });
    }
    target::refuse_unfinished(folder)?;
    if !folder.lock().exists() {
        return Ok(None);
    }
    match FolderLock::take(folder) {
        Err(StoreError::Io { source, .. }) if io::is_read_only(&source) => FolderLock::share(folder),
        taken => taken.map(Some),
    }
}

/// The last frame that any file of the folder gives evidence of.
fn last_known_frame(folder: &Folder) -> Result<u64, StoreError> {
    let acknowledged = acknowledged::read(folder)?.unwrap_or(0);
    let marked = Marker::read(folder)?.map_or(0, |marker| marker.frame);
    let backed_up = backup::read_manifest(folder)?.map_or(0, |manifest| manifest.frame);
    Ok(acknowledged.max(marked).max(backed_up))
}

impl Maintain for SledEngine {
    fn backup(&self, to: &Path, progress: ProgressFn<'_>) -> Result<BackupReport, StoreError> {
        Self::backup(self, to, progress)
    }

    fn check(&self, audit: &mut dyn Audit, progress: ProgressFn<'_>) -> Result<CheckReport, StoreError> {
        Self::check(self, audit, progress)
    }

    fn compact(&self, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError> {
        Self::compact(self, progress)
    }
}
