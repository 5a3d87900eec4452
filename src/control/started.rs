//! `.started/<host>-<port>`: how our command line, and tools written for the original, find running instances.
//!
//! A file holds two lines, the process id and the base path. It is written once the server answers and removed when the
//! server ends. Nothing else lives in that folder, because those tools take every file in it for an instance.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder's name inside the data folder.
const FOLDER: &str = ".started";

/// The content of one file. Its server may be gone: see [`list`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Host as configured.
    pub host: String,
    /// Port that it listens on.
    pub port: u16,
    /// Its process id.
    pub pid: u32,
    /// Normalised base path; empty for none.
    pub base_path: String,
}

/// A server's own file. Dropping it removes the file.
pub struct StartedFile(PathBuf);

impl StartedFile {
    /// Writes the file in `data_dir`, replacing one that a killed server left behind.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(data_dir: &Path, started: &Started) -> io::Result<Self> {
        let folder = data_dir.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let path = folder.join(started.file_name());
        fs::write(&path, format!("{}\n{}", started.pid, started.base_path))?;
        Ok(Self(path))
    }
}

impl Drop for StartedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Started {
    fn file_name(&self) -> String {
        format!("{}-{}", if cfg!(windows) { self.host.replace(':', "_") } else { self.host.clone() }, self.port)
    }

    fn read(path: &Path) -> Option<Self> {
        let (host, port) = path.file_name()?.to_str()?.rsplit_once('-')?;
        let text = fs::read_to_string(path).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let base_path = lines.next().unwrap_or_default().to_owned();
        Some(Self { host: host.to_owned(), port: port.parse().ok()?, pid, base_path })
    }
}

/// Instances whose server answers (according to `alive`, by process id). Files of other instances are removed.
#[must_use]
pub fn list(data_dir: &Path, alive: impl Fn(u32) -> bool) -> Vec<Started> {
    let mut found = Vec::new();
    for entry in fs::read_dir(data_dir.join(FOLDER)).into_iter().flatten().flatten() {
        match Started::read(&entry.path()) {
            Some(started) if alive(started.pid) => found.push(started),
            Some(_) => {
                let _ = fs::remove_file(entry.path());
            }
            None => {} // not ours: leave it
        }
    }
    found.sort_by(|a, b| (&a.host, a.port).cmp(&(&b.host, b.port)));
    found
}
