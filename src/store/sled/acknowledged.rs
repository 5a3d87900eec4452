//! The note of the last acknowledged frame: 12 bytes in a file next to `identity`, holding the frame number and a
//! CRC-32.
//!
//! It lies outside the folders that hold the data, so that a folder whose data is gone does not look like a new one.
//! Invariant: it is written before the identity is, so a folder with only an identity is not a new folder either.

use super::folder::Folder;
use super::io;
use super::journal::frames::Damage;
use super::journal::segment;
use super::marker::Marker;
use super::snapshot;
use crate::store::StoreError;
use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};

/// The open note; written only by the committer thread.
#[derive(Debug)]
pub(super) struct Acknowledged(File);

impl Acknowledged {
    /// Opens or creates the note and durably sets it to `number`.
    pub(super) fn open(folder: &Folder, number: u64) -> Result<Self, StoreError> {
        let path = folder.acknowledged();
        let created = !path.exists();
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|error| io::failed("cannot open", &path, error))?;
        let written = file.set_len(12).and_then(|()| file.write_all(&note(number)));
        written.and_then(|()| file.sync_all()).map_err(|error| io::failed("cannot write", &path, error))?;
        if created {
            io::sync_directory(&folder.root)?;
        }
        Ok(Self(file))
    }

    /// Notes that everything up to frame `number` is about to be acknowledged.
    ///
    /// Not synced: the note only has to outlive this process, and can never run ahead of the journal on disk.
    pub(super) fn write(&mut self, number: u64) {
        let written = self.0.rewind().and_then(|()| self.0.write_all(&note(number)));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot note the last acknowledged frame");
        }
    }
}

/// Durably sets the note to `number`, unless it already holds it.
pub(super) fn ensure(folder: &Folder, number: u64) -> Result<(), StoreError> {
    if read(folder)? == Some(number) { Ok(()) } else { Acknowledged::open(folder, number).map(drop) }
}

/// The last frame that is known to have been acknowledged; `None` when the note is missing or damaged.
pub(super) fn read(folder: &Folder) -> Result<Option<u64>, StoreError> {
    let bytes = io::read_small(&folder.acknowledged())?.unwrap_or_default();
    let number = bytes.first_chunk::<8>().map(|number| u64::from_le_bytes(*number));
    Ok(number.filter(|known| bytes == note(*known)))
}

/// Returns what is missing in a folder that has been in use and no longer holds any data; `None` for every other
/// folder.
pub(super) fn emptied_error(folder: &Folder) -> Result<Option<StoreError>, StoreError> {
    let holds_data = folder.index().join("db").exists()
        || !segment::list(&folder.journal())?.is_empty()
        || !snapshot::list(&folder.snapshots())?.is_empty();
    if holds_data {
        return Ok(None);
    }
    let marked = Marker::read(folder)?.map(|marker| marker.frame);
    let what = match read(folder)?.max(marked) {
        // Killed before its first write.
        Some(0) => return Ok(None),
        Some(frame) => format!("frame {frame} was acknowledged"),
        None if folder.identity().exists() => "this data folder has been in use".to_owned(),
        None => return Ok(None),
    };
    Ok(Some(StoreError::Damaged {
        place: folder.root.display().to_string(),
        what: format!("{what}, but journal, snapshot and index are gone"),
        way_out: "Put them back, or restore a backup into a new folder with `sessiond restore`; to start again with \
                  nothing, remove the whole folder"
            .to_owned(),
    }))
}

/// Returns the error for a folder without a clean mark whose last frame cannot be determined: a running server always
/// has a segment, so a folder without one did not merely crash, and without the note it is unknown what followed the
/// last snapshot.
pub(super) fn unknown_end_error(folder: &Folder) -> Result<Option<StoreError>, StoreError> {
    if read(folder)?.is_some() || !segment::list(&folder.journal())?.is_empty() {
        return Ok(None);
    }
    let what =
        "there is neither a segment nor the note of the last acknowledged frame: what was written after the last \
                snapshot is unknown"
            .to_owned();
    Ok(Some(Damage { place: folder.journal(), what }.error()))
}

fn note(number: u64) -> [u8; 12] {
    let number = number.to_le_bytes();
    let crc = crc32fast::hash(&number).to_le_bytes();
    let mut note = [0; 12];
    for (place, byte) in note.iter_mut().zip(number.into_iter().chain(crc)) {
        *place = byte;
    }
    note
}
