//! The data folder: its names, its lock, and the identity that ties its files together.

use super::io;
use crate::domain::entropy::{Entropy, random_bytes};
use crate::store::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The folder format this build reads and writes.
const FORMAT: u32 = 1;
/// Names that other parts of the server, or a killed start, may have put here before the store is opened for the first
/// time.
const NEIGHBOURS: [&str; 6] = ["lock", "logs", "config.yaml", "lost+found", "identity.new", "acked"];
/// Prefix of the names of control files.
const CONTROL: &str = "control";

/// Ties journal, snapshots and identity of one folder together, so that files of two folders never mix.
pub(super) type FolderId = [u8; 16];

/// The paths inside a data folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(super) fn snapshots(&self) -> PathBuf {
        self.root.join("snapshot")
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.join("index")
    }

    pub(super) fn index_in_work(&self) -> PathBuf {
        self.root.join("index.new")
    }

    pub(super) fn marker(&self) -> PathBuf {
        self.root.join("clean")
    }

    pub(super) fn identity(&self) -> PathBuf {
        self.root.join("identity")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The folder for the temporary files of a check.
    pub(super) fn check_in_work(&self) -> PathBuf {
        self.root.join("check.new")
    }

    pub(super) fn acknowledged(&self) -> PathBuf {
        self.root.join("acked")
    }

    /// The index that has just been replaced.
    pub(super) fn index_replaced(&self) -> PathBuf {
        self.root.join("index.old")
    }

    /// The list of a backup's files.
    pub(super) fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// The folder to which damaged files are moved instead of being deleted.
    pub(super) fn aside(&self) -> PathBuf {
        self.root.join("damaged")
    }

    /// Moves a damaged file out of the way, keeping it for `salvage` and for examination.
    pub(super) fn set_aside(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let aside = self.aside();
        io::create_directory(&aside)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let free = (0_u32..).map(|n| aside.join(format!("{name}.{n}"))).find(|target| !target.exists());
        let target = free.unwrap_or_else(|| aside.join(&name));
        std::fs::rename(path, &target).map_err(|error| io::failed("cannot set aside", path, error))?;
        io::sync_directory(&aside)?;
        path.parent().map_or(Ok(()), io::sync_directory)?;
        Ok(target)
    }
}

/// Held as long as this process owns the folder.
#[derive(Debug)]
pub(super) struct FolderLock {
    file: File,
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing is not enough: a child process between fork and exec holds the file open for a moment.
        if let Err(error) = io::unlock(&self.file) {
            tracing::warn!(%error, "cannot unlock the data folder");
        }
    }
}

impl FolderLock {
    /// Locks the folder for this process.
    pub(super) fn take(folder: &Folder) -> Result<Self, StoreError> {
        let path = folder.lock();
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|error| io::failed("cannot open the lock file", &path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(folder, &file)),
            Err(TryLockError::Error(error)) => return Err(io::failed("cannot lock", &path, error)),
        }
        let pid = format!("{}\n", std::process::id());
        let write = |file: &mut File| -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(pid.as_bytes())
        };
        // The pid only lets a second process report who holds the lock; a full disk must not prevent this one from
        // starting.
        if let Err(error) = write(&mut file) {
            tracing::warn!(%error, "cannot write the process id into the lock file");
        }
        Ok(Self { file })
    }

    /// Keeps writers out of a folder while it is only read, which does not need write permission: the server that owns
    /// it locks the same file, and a folder on a read-only mount may be written through another mount. `None` without a
    /// lock file.
    pub(super) fn share(folder: &Folder) -> Result<Option<Self>, StoreError> {
        let path = folder.lock();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io::failed("cannot open the lock file", &path, error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Err(locked(folder, &file)),
            // No server can have locked it there either.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(TryLockError::Error(error)) => Err(io::failed("cannot lock", &path, error)),
        }
    }
}

/// The error that names the process holding the folder. Readers leave no name; the file still has that of the last
/// writer.
fn locked(folder: &Folder, file: &File) -> StoreError {
    let mut holder = String::new();
    if file.try_lock_shared().is_ok() {
        let _ = file.unlock();
    } else {
        let _ = file.take(20).read_to_string(&mut holder);
    }
    let holder = holder.trim();
    let known = !holder.is_empty() && holder.bytes().all(|byte| byte.is_ascii_digit());
    let pid = if known { holder.to_owned() } else { "unknown".to_owned() };
    StoreError::Locked { path: folder.root.display().to_string(), pid }
}

/// The content of the identity file.
pub(super) enum Identity {
    /// A good identity.
    Known(FolderId),
    /// No identity file, or an unreadable one.
    Missing(&'static str),
}

/// Reads the identity; refuses a folder of a newer format.
pub(super) fn read_identity(folder: &Folder) -> Result<Identity, StoreError> {
    let path = folder.identity();
    let Some(content) = io::read_small(&path)? else { return Ok(Identity::Missing("is missing")) };
    let text = String::from_utf8_lossy(&content);
    let parse = || -> Option<(u32, FolderId)> {
        let (body, sum) = text.strip_suffix('\n')?.rsplit_once("\nchecksum ")?;
        let expected = format!("{:08x}", crc32fast::hash(body.as_bytes()));
        let mut lines = body.lines();
        let named = lines.next()? == "sessiond data folder" && sum == expected;
        let format = lines.next()?.strip_prefix("format ")?.parse().ok()?;
        let id = u128::from_str_radix(lines.next()?.strip_prefix("folder ")?, 16).ok()?;
        named.then_some((format, id.to_be_bytes()))
    };
    match parse() {
        Some((FORMAT, id)) => Ok(Identity::Known(id)),
        Some((format, _)) => Err(StoreError::Unusable {
            place: path.display().to_string(),
            what: format!(
                "the folder has format {format}, this sessiond knows format {FORMAT}: start the version that wrote it, \
                 or choose another --data-dir"
            ),
        }),
        None => Ok(Identity::Missing("is damaged")),
    }
}

/// Writes the identity durably.
pub(super) fn write_identity(folder: &Folder, id: &FolderId) -> Result<(), StoreError> {
    let body = format!("sessiond data folder\nformat {FORMAT}\nfolder {:032x}", u128::from_be_bytes(*id));
    let text = format!("{body}\nchecksum {:08x}\n", crc32fast::hash(body.as_bytes()));
    io::replace_file(&folder.identity(), text.as_bytes())
}

/// Generates the identity of a new folder.
pub(super) fn new_identity(entropy: &dyn Entropy) -> FolderId {
    random_bytes(entropy)
}

/// Refuses a folder that holds foreign files; hidden files are ignored.
pub(super) fn refuse_foreign(folder: &Folder) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(&folder.root).map_err(|error| io::failed("cannot list", &folder.root, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| io::failed("cannot list", &folder.root, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let empty = || std::fs::read_dir(entry.path()).is_ok_and(|mut inside| inside.next().is_none());
        let ours_and_empty = ["journal", "snapshot", "index"].contains(&name.as_str()) && empty();
        let ours = name.starts_with(CONTROL) || name.starts_with('.');
        if !ours && !NEIGHBOURS.contains(&name.as_str()) && !ours_and_empty {
            return Err(StoreError::Unusable {
                place: folder.root.display().to_string(),
                what: format!(
                    "this is not a data folder of sessiond, but it holds files ({name}): choose an empty or new folder \
                     with --data-dir"
                ),
            });
        }
    }
    Ok(())
}

impl Folder {
    /// Bytes in the journal, and bytes in total.
    pub(super) fn sizes(&self) -> (u64, u64) {
        let journal = size_of_directory(&self.journal());
        (journal, journal + size_of_directory(&self.snapshots()) + self.index_bytes())
    }

    /// Bytes in the index, including a new one that is being written.
    pub(super) fn index_bytes(&self) -> u64 {
        size_of_directory(&self.index()) + size_of_directory(&self.index_in_work())
    }
}

fn size_of_directory(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_of_directory(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_ends_although_a_forked_child_still_has_the_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let lock = FolderLock::take(&folder).unwrap();
        let _inherited = lock.file.try_clone().unwrap();
        assert!(matches!(FolderLock::take(&folder), Err(StoreError::Locked { .. })));
        drop(lock);
        FolderLock::take(&folder).unwrap();
    }

    #[test]
    fn readers_share_the_lock_and_a_writer_keeps_them_out() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        assert!(FolderLock::share(&folder).unwrap().is_none(), "there is no lock file");
        let writer = FolderLock::take(&folder).unwrap();
        let pid_of_holder = |error| match error {
            StoreError::Locked { pid, .. } => pid,
            other => panic!("{other}"),
        };
        assert_eq!(pid_of_holder(FolderLock::share(&folder).unwrap_err()), std::process::id().to_string());
        drop(writer);
        let readers = [FolderLock::share(&folder).unwrap().unwrap(), FolderLock::share(&folder).unwrap().unwrap()];
        assert_eq!(pid_of_holder(FolderLock::take(&folder).unwrap_err()), "unknown");
        drop(readers);
        FolderLock::take(&folder).unwrap();
    }
}
