//! Small helpers: errors that name the attempted operation and the file, durable directory operations, and timing.

use super::space::Lack;
use crate::store::StoreError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Turns an OS error into ours; a full disk and a file that has reached its size limit have their own errors.
pub(super) fn failed(doing: &'static str, path: &Path, source: io::Error) -> StoreError {
    match Lack::of(&source) {
        Some(lack) => lack.error(path),
        None => StoreError::Io { doing, path: path.display().to_string(), source },
    }
}

/// True if this process lacks permission to write there, as opposed to a failing disk.
pub(super) fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}

/// Makes names created, renamed or removed in `directory` survive a power failure.
pub(super) fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    // The parent of a relative name is the empty path.
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    // Windows has no such operation; its file system journals names.
    #[cfg(unix)]
    File::open(directory)
        .and_then(|handle| handle.sync_all())
        .map_err(|error| failed("cannot sync the folder", directory, error))?;
    #[cfg(not(unix))]
    let _ = directory;
    Ok(())
}

/// Creates `directory` and its parents, durably.
pub(super) fn create_directory(directory: &Path) -> Result<(), StoreError> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_directory(parent)?;
    }
    match fs::create_dir(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(failed("cannot create the folder", directory, error));
        }
        _ => {}
    }
    sync_directory(parent.unwrap_or(Path::new("")))
}

/// Writes a small file so that after a power failure it has either its old or its new content.
pub(super) fn replace_file(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|error| failed("cannot write", &temporary, error))?;
    rename(&temporary, path)
}

/// Renames durably; both names are in the same folder.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|error| failed("cannot rename to", to, error))?;
    to.parent().map_or(Ok(()), sync_directory)
}

/// Removes a file; succeeds if it does not exist.
pub(super) fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("cannot remove", path, error)),
        _ => Ok(()),
    }
}

/// Removes a folder with everything in it; succeeds if it does not exist.
pub(super) fn remove_directory(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("cannot remove the folder", path, error)),
        _ => Ok(()),
    }
}

/// Copies a folder with everything in it, replacing existing files. Nothing may change `from` in the meantime. Not
/// durable.
pub(super) fn copy_directory(from: &Path, to: &Path) -> Result<(), StoreError> {
    create_directory(to)?;
    let entries = fs::read_dir(from).map_err(|error| failed("cannot list", from, error))?;
    for entry in entries {
        let path = entry.map_err(|error| failed("cannot list", from, error))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_directory(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|error| failed("cannot copy to", &target, error))?;
        }
    }
    Ok(())
}

/// The whole content of a small file; `None` if the file does not exist.
pub(super) fn read_small(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("cannot read", path, error)),
    }
}

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    File::open(path).map_err(|error| failed("cannot open", path, error))
}

/// Opens an existing file for reading and writing.
pub(super) fn open_to_write(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|error| failed("cannot open", path, error))
}

/// Unlocks a file. Only on Unix does a failure matter: elsewhere no process is forked, so that closing the file unlocks
/// it, and wine reports a failure although it has unlocked it.
pub(super) fn unlock(file: &File) -> io::Result<()> {
    let unlocked = file.unlock();
    if cfg!(unix) { unlocked } else { Ok(()) }
}

/// Creates a file that must not exist yet.
pub(super) fn create_new(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
    file.map_err(|error| failed("cannot create", path, error))
}

/// Length and CRC-32 of a file.
pub(super) fn fingerprint(path: &Path) -> Result<(u64, u32), StoreError> {
    let mut file = open(path)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer).map_err(|error| failed("cannot read", path, error))?;
        if count == 0 {
            return Ok((length, hasher.finalize()));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        length += count as u64;
    }
}

/// Time elapsed since `started`, in ms.
pub(super) fn milliseconds_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Takes `N` bytes off the front of `input`.
pub(super) fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*head)
}

/// Takes `count` bytes off the front of `input`.
pub(super) fn take_slice<'a>(input: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, rest) = input.split_at_checked(count)?;
    *input = rest;
    Some(head)
}

/// Files named `<20 digits><suffix>` in `directory`, by number; none if the folder does not exist.
pub(super) fn numbered(directory: &Path, suffix: &str) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("cannot list", directory, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed("cannot list", directory, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let digits = name.strip_suffix(suffix).filter(|digits| digits.len() == 20);
        if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}
