//! [`Place`]: a new data folder, built beside its place and put there when it is complete.

use crate::system::create_private;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file that marks the folder in which the new one is built; locked while that goes on.
const MARK: &str = "moving-in";

/// A new data folder on its way.
pub(super) struct Place {
    target: PathBuf,
    beside: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes room for a folder that becomes `target`. What an interrupted attempt left is deleted.
    pub(super) fn beside(target: &Path) -> Result<Self> {
        let target = std::path::absolute(target).with_context(|| format!("cannot use {}", target.display()))?;
        if !is_free(&target)? {
            bail!("{} holds something already: move into a new folder, and name it with --data-dir", target.display());
        }
        let mut name = target.file_name().map(OsString::from).unwrap_or_default();
        name.push(".moving-in");
        let beside = target.with_file_name(name);
        let lock = Self::lock(&beside)?;
        let place = Self { target, beside, _lock: lock };
        for left in [place.data(), place.dump()] {
            remove(&left).with_context(|| format!("cannot delete {}", left.display()))?;
        }
        create_private(&place.data()).with_context(|| format!("cannot make {}", place.data().display()))?;
        Ok(place)
    }

    fn lock(beside: &Path) -> Result<File> {
        let mark = beside.join(MARK);
        if beside.exists() && !mark.exists() {
            bail!("{} is in the way: delete or rename it", beside.display());
        }
        create_private(beside).with_context(|| format!("cannot make {}", beside.display()))?;
        let file = File::options().create(true).truncate(false).write(true).open(&mark);
        let file = file.with_context(|| format!("cannot make {}", mark.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!("another \"sessiond move in\" is at work on {}", beside.display()),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", mark.display())),
        }
    }

    /// The folder to build.
    pub(super) fn data(&self) -> PathBuf {
        self.beside.join("data")
    }

    /// Where a dump from standard input is kept meanwhile.
    pub(super) fn dump(&self) -> PathBuf {
        self.beside.join("dump")
    }

    /// Where the folder will be.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Puts the complete folder into its place.
    pub(super) fn finish(self) -> Result<()> {
        let failed = || format!("cannot rename {} to {}", self.data().display(), self.target.display());
        if self.target.exists() {
            fs::remove_dir(&self.target).with_context(failed)?;
        }
        fs::rename(self.data(), &self.target).with_context(failed)?;
        if let Some(parent) = self.target.parent() {
            File::open(parent).and_then(|parent| parent.sync_all()).with_context(failed)?;
        }
        self.discard();
        Ok(())
    }

    /// Deletes what was built.
    pub(super) fn discard(self) {
        // What stays is deleted by the next attempt.
        let _ = fs::remove_dir_all(&self.beside);
    }
}

/// True for a folder that does not exist or is empty.
fn is_free(target: &Path) -> Result<bool> {
    match fs::read_dir(target) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot use {}", target.display())),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
