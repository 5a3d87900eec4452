//! What an operator does with a data folder: check, back up, restore, compact, salvage.
//!
//! Plain functions with a progress callback and reports that can be printed or serialised. Those that take a path work on
//! a folder that no server uses (they take its lock); those on [`SledEngine`](super::SledEngine) work on a running server.

mod backup;
mod check;
mod compact;
mod restore;
mod salvage;

pub use backup::BackupReport;
pub use check::{Audit, CheckReport, Finding, NoAudit, check};
pub use compact::{CompactReport, compact};
pub use restore::{RestoreReport, Until, restore};
pub use salvage::{SalvageReport, salvage};

use super::acknowledged;
use super::folder::{Folder, FolderLock};
use super::marker::Marker;
use super::{Progress, io};
use crate::store::StoreError;
use std::path::{Path, PathBuf};

/// Called now and then during long work.
pub type ProgressFn<'a> = &'a dyn Fn(Progress);

/// Takes the lock of a folder that must exist, if it can be written at all (a backup may lie on read-only media).
fn lock_source(folder: &Folder) -> Result<Option<FolderLock>, StoreError> {
    if !folder.root.is_dir() {
        let what = "there is no such folder".to_owned();
        return Err(StoreError::Unusable { place: folder.root.display().to_string(), what });
    }
    if folder.root.join("lock").exists() { FolderLock::take(folder).map(Some) } else { Ok(None) }
}

/// The last frame that some file of the folder testifies to.
fn last_known_frame(folder: &Folder) -> Result<u64, StoreError> {
    let acknowledged = acknowledged::read(folder)?.unwrap_or(0);
    let marked = Marker::read(folder)?.map_or(0, |marker| marker.frame);
    let backed_up = backup::read_manifest(folder)?.map_or(0, |manifest| manifest.frame);
    Ok(acknowledged.max(marked).max(backed_up))
}

/// A folder under construction: it gets its name only when it is complete.
struct Target {
    path: PathBuf,
    partial: PathBuf,
}

impl Target {
    /// Refuses a target that holds anything.
    fn new(path: &Path) -> Result<Self, StoreError> {
        let empty = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(_) => false,
        };
        if !empty {
            let what = "it exists and is not an empty folder; nothing is overwritten".to_owned();
            return Err(StoreError::Unusable { place: path.display().to_string(), what });
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".partial");
        let partial = path.with_file_name(name);
        refuse_strange(&partial)?;
        io::remove_directory(&partial)?;
        io::create_directory(&partial)?;
        Ok(Self { path: path.to_owned(), partial })
    }

    /// Gives the folder its name.
    fn complete(self) -> Result<(), StoreError> {
        if self.path.is_dir() {
            std::fs::remove_dir(&self.path).map_err(|error| io::failed("cannot replace", &self.path, error))?;
        }
        io::sync_directory(&self.partial)?;
        io::rename(&self.partial, &self.path)
    }
}

/// What an unfinished folder of ours may hold.
const PARTS: [&str; 12] = [
    "journal",
    "snapshot",
    "index",
    "index.copy",
    "scratch",
    "kept",
    "identity",
    "acked",
    "lock",
    "clean",
    "manifest",
    "manifest.json",
];

/// A folder under the name of an unfinished one is removed, unless it holds what we never put there.
fn refuse_strange(partial: &Path) -> Result<(), StoreError> {
    let entries = match std::fs::read_dir(partial) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io::failed("cannot list", partial, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| io::failed("cannot list", partial, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !PARTS.contains(&name.strip_suffix(".new").unwrap_or(&name)) {
            let what = format!("it is in the way and not ours (it holds {name}): move it, or choose another target");
            return Err(StoreError::Unusable { place: partial.display().to_string(), what });
        }
    }
    Ok(())
}

impl Drop for Target {
    fn drop(&mut self) {
        // After `complete` there is nothing left to remove.
        if let Err(error) = io::remove_directory(&self.partial) {
            tracing::warn!(%error, "cannot remove an unfinished folder");
        }
    }
}
