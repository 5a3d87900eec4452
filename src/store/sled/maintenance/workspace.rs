//! Temporary files of a check: runs of the journal that are too large for memory, and a copy of the index.

use crate::store::StoreError;
use crate::store::sled::folder::Folder;
use crate::store::sled::io;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A folder for temporary files, removed when dropped.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The path of the folder.
    pub(super) path: PathBuf,
    /// True if the folder being checked is not writable, so that this one is among the system's temporary files.
    pub(super) is_elsewhere: bool,
}

impl Workspace {
    /// Creates a folder inside the one being checked, or elsewhere if that is not writable.
    pub(super) fn new(folder: &Folder) -> Result<Self, StoreError> {
        let inside = folder.check_in_work();
        // Left by a check that was killed.
        let removed = std::fs::remove_dir_all(&inside);
        let removed = removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) });
        match removed.and_then(|()| create_private(&inside)) {
            Ok(()) => Ok(Self { path: inside, is_elsewhere: false }),
            Err(error) if io::is_read_only(&error) => Self::elsewhere(),
            Err(error) => Err(io::failed("cannot create the folder", &inside, error)),
        }
    }

    fn elsewhere() -> Result<Self, StoreError> {
        let name = format!("sessiond-check-{}", std::process::id());
        let mut path = std::env::temp_dir().join(&name);
        for attempt in 1.. {
            match create_private(&path) {
                Ok(()) => break,
                // Left by a process with the same pid, or created by someone else.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    path.set_file_name(format!("{name}.{attempt}"));
                }
                Err(error) => return Err(io::failed("cannot create the folder", &path, error)),
            }
        }
        Ok(Self { path, is_elsewhere: true })
    }

    /// The folder for runs of the journal.
    pub(super) fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// Copies the folder `from` into the workspace.
    pub(super) fn copy(&self, from: &Path) -> Result<PathBuf, StoreError> {
        let to = self.path.join("copy");
        io::copy_directory(from, &to)?;
        Ok(to)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Err(error) = io::remove_directory(&self.path) {
            tracing::warn!(%error, "cannot remove temporary files");
        }
    }
}

/// Creates a folder that must not exist yet, accessible only to its owner.
fn create_private(path: &Path) -> std::io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
