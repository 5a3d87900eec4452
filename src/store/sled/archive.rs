//! Archives: rows of one app in one file, to be carried to another installation.
//!
//! An archive has the form of a snapshot: blocks with checksums and a trailer with the totals, so that truncation and
//! damage are detected. Its first entry is not a row but a label that describes the file.

use super::io;
use super::journal::frames::Damage;
use super::snapshot::{SnapshotEntry, SnapshotHeader, SnapshotReader, SnapshotWriter};
use crate::domain::time::UnixMillis;
use crate::store::{Key, Keyspace, StoreError};
use std::path::{Path, PathBuf};

/// The key of the first entry; no row of an app has it.
const LABEL: &[u8] = b"archive of an app";
/// Advice for an archive that is damaged or incomplete.
const WAY_OUT: &str = "Nothing was changed: export the app again, or copy the file again";

/// Writes an archive under a temporary name; the file gets its final name when it is complete.
pub struct ArchiveWriter {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<SnapshotWriter>,
}

/// Reads an archive from front to back.
pub struct ArchiveReader {
    path: PathBuf,
    reader: SnapshotReader,
    ended: bool,
}

impl ArchiveWriter {
    /// Creates the archive at `path`, which must not exist; `label` describes its content.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if it exists; [`StoreError::Io`] if the write fails.
    pub fn create(path: &Path, exported: UnixMillis, label: &[u8]) -> Result<Self, StoreError> {
        refuse_existing(path)?;
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".partial");
        let partial = path.with_file_name(name);
        io::remove_file(&partial)?;
        let writer = SnapshotWriter::create(&partial, &SnapshotHeader { id: [0; 16], frame: 0, time: exported.0 })?;
        let mut archive = Self { path: path.to_owned(), partial, writer: Some(writer) };
        archive.entry(&[&[Keyspace::Meta as u8], LABEL].concat(), label)?;
        Ok(archive)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// If the write fails.
    pub fn push(&mut self, key: &Key, value: &[u8]) -> Result<(), StoreError> {
        self.entry(&[&[key.keyspace as u8], key.bytes.as_slice()].concat(), value)
    }

    fn entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let Some(writer) = &mut self.writer else { return Err(super::shared::closed()) };
        writer.push(&SnapshotEntry { key, frame: 0, value: Some(value) }).map(drop)
    }

    /// Completes the file, waits until it is durable and gives it its name. Returns its size in bytes.
    ///
    /// # Errors
    /// If the write fails, or if another process has created a file of this name in the meantime.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        let Some(writer) = self.writer.take() else { return Err(super::shared::closed()) };
        writer.finish()?;
        refuse_existing(&self.path)?;
        io::rename(&self.partial, &self.path)?;
        Ok(self.path.metadata().map_or(0, |data| data.len()))
    }
}

impl Drop for ArchiveWriter {
    /// Removes the temporary file of an archive that was not completed.
    fn drop(&mut self) {
        if let Err(error) = io::remove_file(&self.partial) {
            tracing::warn!(%error, "cannot remove an unfinished archive");
        }
    }
}

fn refuse_existing(path: &Path) -> Result<(), StoreError> {
    if path.symlink_metadata().is_ok() {
        return Err(unusable(path, "it exists; nothing is overwritten"));
    }
    Ok(())
}

impl ArchiveReader {
    /// Opens an archive; also returns its label.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if it is not an archive; [`StoreError::Damaged`] if it is a damaged one.
    pub fn open(path: &Path) -> Result<(Self, Vec<u8>), StoreError> {
        if !path.is_file() {
            return Err(unusable(path, "there is no such file"));
        }
        let mut archive = Self {
            path: path.to_owned(),
            reader: SnapshotReader::open(path, None).map_err(with_archive_advice)?,
            ended: false,
        };
        if archive.reader.advance().map_err(with_archive_advice)? {
            let first = archive.reader.entry();
            if let (Some((&keyspace, LABEL)), Some(label)) = (first.key.split_first(), first.value)
                && keyspace == Keyspace::Meta as u8
            {
                let label = label.to_vec();
                return Ok((archive, label));
            }
        }
        Err(unusable(path, "it is not an archive of an app; \"sessiond app export\" makes one"))
    }

    /// The next row; `None` at the end of a complete file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the file is not what was written; [`StoreError::Unusable`] for a kind of record that
    /// this version does not know.
    pub fn advance(&mut self) -> Result<Option<(Key, &[u8])>, StoreError> {
        self.ended = self.ended || !self.reader.advance().map_err(with_archive_advice)?;
        if self.ended {
            return Ok(None);
        }
        let entry = self.reader.entry();
        let (Some((byte, bytes)), Some(value)) = (entry.key.split_first(), entry.value) else {
            let damage = Damage { place: self.path.clone(), what: "an entry is not a row".to_owned() };
            return Err(with_archive_advice(damage.error()));
        };
        match Keyspace::from_byte(*byte) {
            Some(keyspace) => Ok(Some((Key { keyspace, bytes: bytes.to_vec() }, value))),
            None => Err(unusable(&self.path, "it holds records of a newer sessiond: import it with that version")),
        }
    }

    /// How many rows there are; known once the end has been reached.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.reader.rows_at_end().saturating_sub(1)
    }
}

/// Replaces the advice: a damaged archive is handled differently from a damaged folder.
fn with_archive_advice(error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { place, what, .. } => StoreError::Damaged { place, what, way_out: WAY_OUT.to_owned() },
        other => other,
    }
}

fn unusable(path: &Path, what: &str) -> StoreError {
    StoreError::Unusable { place: path.display().to_string(), what: what.to_owned() }
}
