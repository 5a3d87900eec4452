//! The folder written by a backup, restore or salvage: built under another name, so that it is complete once it
//! appears.

use crate::store::StoreError;
use crate::store::sled::folder::Folder;
use crate::store::sled::io;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Subfolder in which a target is built if it cannot be renamed on completion.
const INSIDE: &str = ".partial";

/// A folder under construction.
///
/// A new folder is built next to its final place and renamed at the end. An existing empty folder may be a mount point
/// or the working directory, which cannot be replaced: the content is built in `.partial` inside it and then moved up.
pub(super) struct Target {
    path: PathBuf,
    /// The folder in which to build.
    pub(super) partial: PathBuf,
    /// Parts of it are in their final place: nothing may be removed any more.
    moving: bool,
}

impl Target {
    /// Prepares the target; refuses one that is not empty.
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let partial = match names(path) {
            Ok(names) if names.iter().all(|name| name == INSIDE || name == "lost+found") => path.join(INSIDE),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut name = path.file_name().unwrap_or_default().to_os_string();
                name.push(".partial");
                path.with_file_name(name)
            }
            Ok(_) | Err(_) => {
                let what = "it exists and is not an empty folder; nothing is overwritten".to_owned();
                return Err(StoreError::Unusable { place: path.display().to_string(), what });
            }
        };
        remove_unless_foreign(&partial)?;
        io::remove_directory(&partial)?;
        io::create_directory(&partial)?;
        Ok(Self { path: path.to_owned(), partial, moving: false })
    }

    /// Moves the folder to its final place.
    pub(super) fn complete(mut self) -> Result<(), StoreError> {
        io::sync_directory(&self.partial)?;
        if self.partial != self.path.join(INSIDE) {
            return io::rename(&self.partial, &self.path);
        }
        self.moving = true;
        let listed = names(&self.partial).map_err(|error| io::failed("cannot list", &self.partial, error))?;
        // The identity last: without it, and with `.partial` there, the folder is recognised as unfinished.
        let (identity, parts): (Vec<_>, Vec<_>) = listed.into_iter().partition(|name| name == "identity");
        for name in parts.iter().chain(&identity) {
            io::rename(&self.partial.join(name), &self.path.join(name))?;
            io::sync_directory(&self.partial)?;
        }
        std::fs::remove_dir(&self.partial).map_err(|error| io::failed("cannot remove", &self.partial, error))?;
        io::sync_directory(&self.path)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.moving {
            return;
        }
        // After `complete` there is nothing left to remove.
        if let Err(error) = io::remove_directory(&self.partial) {
            tracing::warn!(%error, "cannot remove an unfinished folder");
        }
    }
}

/// Refuses a folder in which a restore or backup was interrupted.
pub(super) fn refuse_unfinished(folder: &Folder) -> Result<(), StoreError> {
    if folder.identity().exists() || names(&folder.root.join(INSIDE)).is_err() {
        return Ok(());
    }
    let what = format!(
        "a restore or backup into this folder was interrupted: remove everything in it (including {INSIDE}), and \
         repeat the operation; its source is unchanged"
    );
    Err(StoreError::Unusable { place: folder.root.display().to_string(), what })
}

/// Like [`refuse_unfinished`], but if only the empty `.partial` is left after the last move, removes it.
pub(in crate::store::sled) fn settle_unfinished(folder: &Folder) -> Result<(), StoreError> {
    refuse_unfinished(folder)?;
    // Fails if something foreign has this name and is not empty; leave it alone.
    let _ = std::fs::remove_dir(folder.root.join(INSIDE));
    Ok(())
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

/// Removes a folder under the name of an unfinished one, unless it holds something that we never put there.
fn remove_unless_foreign(partial: &Path) -> Result<(), StoreError> {
    let names = match names(partial) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io::failed("cannot list", partial, error)),
    };
    for name in names {
        let name = name.to_string_lossy();
        if !PARTS.contains(&name.strip_suffix(".new").unwrap_or(&name)) {
            let what = format!("it is in the way and not ours (it holds {name}): move it, or choose another target");
            return Err(StoreError::Unusable { place: partial.display().to_string(), what });
        }
    }
    Ok(())
}

fn names(directory: &Path) -> std::io::Result<Vec<OsString>> {
    let name = |entry: std::io::Result<DirEntry>| entry.map(|entry| entry.file_name());
    std::fs::read_dir(directory)?.map(name).collect()
}
