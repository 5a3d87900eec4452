//! The mark of a clean stop: length and CRC-32 of every file, so that the next start can tell that nothing has changed.

use super::folder::Folder;
use super::io;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The content of the mark.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    /// The last frame; the index holds exactly the state after it.
    pub(super) frame: u64,
    /// Time of the last frame.
    pub(super) time: u64,
    files: Vec<Fingerprint>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
struct Fingerprint {
    /// Path relative to the folder, with `/` as the separator.
    path: String,
    length: u64,
    crc: u32,
}

/// Files that differ from the mark.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Differences in journal and snapshots.
    pub(super) truth: Vec<String>,
    /// Differences in the index.
    pub(super) index: Vec<String>,
}

/// The folders whose files are covered.
const COVERED: [&str; 3] = ["index", "journal", "snapshot"];

impl Marker {
    /// Describes the current state of the folder; nothing may change it in the meantime.
    pub(super) fn of(folder: &Folder, frame: u64, time: u64) -> Result<Self, StoreError> {
        let mut files = Vec::new();
        for name in COVERED {
            for path in files_below(&folder.root.join(name))? {
                let (length, crc) = io::fingerprint(&path)?;
                files.push(Fingerprint { path: relative(folder, &path), length, crc });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { frame, time, files })
    }

    /// Writes the mark durably.
    pub(super) fn write(&self, folder: &Folder) -> Result<(), StoreError> {
        let body = serde_json::to_string(self).unwrap_or_default();
        let text = format!("{body}\n{:08x}\n", crc32fast::hash(body.as_bytes()));
        io::replace_file(&folder.marker(), text.as_bytes())
    }

    /// Reads the mark; `Ok(None)` if there is none or it is damaged (which is logged).
    pub(super) fn read(folder: &Folder) -> Result<Option<Self>, StoreError> {
        let Some(content) = io::read_small(&folder.marker())? else { return Ok(None) };
        let text = String::from_utf8_lossy(&content);
        let parse = || {
            let (body, sum) = text.strip_suffix('\n')?.split_once('\n')?;
            let whole = sum == format!("{:08x}", crc32fast::hash(body.as_bytes()));
            if whole { serde_json::from_str(body).ok() } else { None }
        };
        let marker = parse();
        if marker.is_none() {
            tracing::warn!(file = %folder.marker().display(), "the mark of the clean stop is damaged: verifying everything");
        }
        Ok(marker)
    }

    /// Removes the mark durably, before the folder changes.
    pub(super) fn remove(folder: &Folder) -> Result<(), StoreError> {
        if folder.marker().exists() {
            io::remove_file(&folder.marker())?;
            io::sync_directory(&folder.root)?;
        }
        Ok(())
    }

    /// Compares the folder with the mark.
    pub(super) fn changes(&self, folder: &Folder) -> Result<Changes, StoreError> {
        let index: Vec<_> = self.files.iter().filter(|file| file.path.starts_with("index/")).collect();
        let truth: Vec<_> = self.files.iter().filter(|file| !file.path.starts_with("index/")).collect();
        let (index, truth) = std::thread::scope(|scope| {
            let other = scope.spawn(|| compare(folder, &truth));
            let index = compare(folder, &index);
            let truth = other.join().unwrap_or_else(|_| Ok(vec!["a file could not be compared".to_owned()]));
            (index, truth)
        });
        let mut changes = Changes { index: index?, truth: truth? };
        // Files that were not there before: sled must not pick up foreign ones, and the journal must not gain segments.
        for name in COVERED {
            for path in files_below(&folder.root.join(name))? {
                let path = relative(folder, &path);
                if !self.files.iter().any(|file| file.path == path) {
                    let into = if name == "index" { &mut changes.index } else { &mut changes.truth };
                    into.push(format!("{path} was not there at the clean stop"));
                }
            }
        }
        Ok(changes)
    }
}

fn compare(folder: &Folder, files: &[&Fingerprint]) -> Result<Vec<String>, StoreError> {
    let mut changed = Vec::new();
    for file in files {
        let path = folder.root.join(&file.path);
        if !path.is_file() {
            changed.push(format!("{} is missing", file.path));
            continue;
        }
        if io::fingerprint(&path)? != (file.length, file.crc) {
            changed.push(format!("{} has changed since the clean stop", file.path));
        }
    }
    Ok(changed)
}

fn relative(folder: &Folder, path: &Path) -> String {
    let path = path.strip_prefix(&folder.root).unwrap_or(path);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn files_below(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    if !directory.is_dir() {
        return Ok(found);
    }
    let entries = std::fs::read_dir(directory).map_err(|error| io::failed("cannot list", directory, error))?;
    for entry in entries {
        let path = entry.map_err(|error| io::failed("cannot list", directory, error))?.path();
        if path.is_dir() {
            found.extend(files_below(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
