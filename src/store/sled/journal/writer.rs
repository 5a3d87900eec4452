//! Appending to the journal. Used only by the committer thread.

use super::frame::{self, Kind};
use super::segment;
use crate::store::StoreError;
use crate::store::sled::acknowledged::Acknowledged;
use crate::store::sled::folder::{Folder, FolderId};
use crate::store::sled::io;
use crate::store::sled::space::Lack;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Zeros are written ahead in steps of this size, so that most appends do not change the file length: `fdatasync` is
/// cheaper, and the disk does not run full in the middle of a frame.
const RESERVE: u64 = 1 << 20;
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The reason a frame did not become durable.
#[derive(Debug)]
pub(in crate::store::sled) enum AppendError {
    /// There is no room; the journal is unchanged, and later appends may succeed.
    Full(Lack),
    /// The state of the journal is unknown: nothing more may be written.
    Broken(StoreError),
}

/// The segment in use.
#[derive(Debug)]
pub(in crate::store::sled) struct JournalWriter {
    folder: Folder,
    id: FolderId,
    file: File,
    path: PathBuf,
    first: u64,
    /// Byte offset of the next frame.
    end: u64,
    /// The end of the zeros written ahead, which is the length of the file.
    reserved: u64,
    /// Number of the next frame.
    next: u64,
    acknowledged: Acknowledged,
    /// The reason nothing more may be written.
    broken: Option<String>,
}

impl JournalWriter {
    /// Starts a new segment with frame `next`.
    pub(in crate::store::sled) fn create(
        folder: &Folder,
        id: FolderId,
        next: u64,
        now: u64,
    ) -> Result<Self, StoreError> {
        let (path, file) = create_segment(folder, &id, next, now).map_err(CreateError::into_inner)?;
        let acknowledged = Acknowledged::open(folder, next - 1)?;
        let (end, reserved) = (segment::HEADER as u64, segment::HEADER as u64);
        let mut writer = Self {
            folder: folder.clone(),
            id,
            file,
            path,
            first: next,
            end,
            reserved,
            next,
            acknowledged,
            broken: None,
        };
        writer.position()?;
        Ok(writer)
    }

    /// Number of the next frame.
    pub(in crate::store::sled) const fn next(&self) -> u64 {
        self.next
    }

    /// Bytes in the segment in use.
    pub(in crate::store::sled) const fn size(&self) -> u64 {
        self.end
    }

    /// The reason nothing more may be written; `None` in normal operation.
    pub(in crate::store::sled) fn poison_reason(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Writes a finished frame (numbered [`Self::next`]) and waits until it is durable.
    pub(in crate::store::sled) fn append(&mut self, frame: &[u8]) -> Result<(), AppendError> {
        if let Some(reason) = &self.broken {
            return Err(AppendError::Broken(StoreError::Stopped { reason: reason.clone() }));
        }
        let needed = self.end + frame.len() as u64;
        if needed > self.reserved {
            self.reserve(needed.next_multiple_of(RESERVE))?;
        }
        if let Err(error) = self.file.write_all(frame) {
            return Err(self.roll_back(error));
        }
        self.file.sync_data().map_err(|error| self.broken_error("cannot sync", error))?;
        self.end = needed;
        self.next += 1;
        Ok(())
    }

    /// Notes that everything before [`Self::next`] is about to be acknowledged.
    pub(in crate::store::sled) fn acknowledge(&mut self) {
        self.acknowledged.write(self.next - 1);
    }

    /// Starts a new segment, so that all frames so far are in segments that no longer change.
    ///
    /// After an error the old segment is still in use and intact, unless [`Self::poison_reason`] says otherwise.
    pub(in crate::store::sled) fn rotate(&mut self, now: u64) -> Result<(), StoreError> {
        if let Some(reason) = &self.broken {
            return Err(StoreError::Stopped { reason: reason.clone() });
        }
        if self.first == self.next {
            return Ok(());
        }
        // Create the new one first: if the disk is full, the old one is still in use and intact.
        let created = create_segment(&self.folder, &self.id, self.next, now);
        let (path, file) = created.map_err(|error| match error {
            CreateError::Undone(error) => error,
            // A frame with this number in the old segment would contradict the name of the new one.
            CreateError::LeftBehind(error) => self.poison(error),
        })?;
        // The seal may be incomplete, or not on disk: no frame may follow it.
        self.seal().map_err(|error| self.poison(error))?;
        (self.path, self.file) = (path, file);
        (self.first, self.end, self.reserved) = (self.next, segment::HEADER as u64, segment::HEADER as u64);
        self.position().map_err(|error| self.poison(error))
    }

    /// Stops all further writes. A full disk is then reported as broken rather than full, because free space would not
    /// help.
    fn poison(&mut self, error: StoreError) -> StoreError {
        let reason = error.to_string();
        self.broken = Some(reason.clone());
        match error {
            StoreError::DiskFull { .. } | StoreError::FileSizeLimit { .. } => StoreError::Stopped { reason },
            error => error,
        }
    }

    /// Ends the segment in use: exact length, sealed, durable.
    pub(in crate::store::sled) fn seal(&mut self) -> Result<(), StoreError> {
        seal_at(&self.file, &self.path, self.end, self.next)
    }

    /// Seals the segment in use for good; one without frames is removed.
    pub(in crate::store::sled) fn close(&mut self) -> Result<(), StoreError> {
        if self.first < self.next {
            return self.seal();
        }
        io::remove_file(&self.path)?;
        io::sync_directory(&self.folder.journal())
    }

    fn position(&mut self) -> Result<(), StoreError> {
        let moved = self.file.seek(SeekFrom::Start(self.end));
        moved.map(drop).map_err(|error| io::failed("cannot move in", &self.path, error))
    }

    fn reserve(&mut self, upto: u64) -> Result<(), AppendError> {
        let zeros = |file: &mut File, from: u64| -> std::io::Result<()> {
            file.seek(SeekFrom::Start(from))?;
            let mut left = usize::try_from(upto - from).unwrap_or(0);
            while left > 0 {
                let count = left.min(ZEROS.len());
                file.write_all(ZEROS.get(..count).unwrap_or_default())?;
                left -= count;
            }
            Ok(())
        };
        if let Err(error) = zeros(&mut self.file, self.reserved) {
            return Err(self.roll_back(error));
        }
        self.file.sync_data().map_err(|error| self.broken_error("cannot sync", error))?;
        self.reserved = upto;
        self.position().map_err(AppendError::Broken)
    }

    /// After a failed write: truncates the file to its last good frame.
    fn roll_back(&mut self, error: std::io::Error) -> AppendError {
        let Some(lack) = Lack::of(&error) else { return self.broken_error("cannot write", error) };
        let cut = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
        if let Err(error) = cut {
            return self.broken_error("cannot cut back", error);
        }
        self.reserved = self.end;
        match self.position() {
            Ok(()) => AppendError::Full(lack),
            Err(error) => AppendError::Broken(error),
        }
    }

    fn broken_error(&self, doing: &'static str, source: std::io::Error) -> AppendError {
        AppendError::Broken(StoreError::Io { doing, path: self.path.display().to_string(), source })
    }
}

/// Ends a segment file after its last good frame: exact length, sealed, durable.
pub(in crate::store::sled) fn seal_at(
    mut file: &File,
    path: &std::path::Path,
    end: u64,
    next: u64,
) -> Result<(), StoreError> {
    let mut seal = Vec::new();
    frame::start(&mut seal);
    frame::finish(&mut seal, next, 0, Kind::Seal);
    let mut write = || -> std::io::Result<()> {
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(&seal)?;
        file.sync_all()
    };
    write().map_err(|error| io::failed("cannot seal", path, error))
}

/// The reason a segment was not created.
enum CreateError {
    /// Nothing of the new file exists.
    Undone(StoreError),
    /// The new file may exist.
    LeftBehind(StoreError),
}

impl CreateError {
    fn into_inner(self) -> StoreError {
        match self {
            Self::Undone(error) | Self::LeftBehind(error) => error,
        }
    }
}

fn create_segment(folder: &Folder, id: &FolderId, first: u64, now: u64) -> Result<(PathBuf, File), CreateError> {
    let directory = folder.journal();
    io::create_directory(&directory).map_err(CreateError::Undone)?;
    let path = segment::path(&directory, first);
    let mut file = io::create_new(&path).map_err(CreateError::Undone)?;
    let written = file.write_all(&segment::header(id, first, now)).and_then(|()| file.sync_all());
    let written = written.map_err(|error| io::failed("cannot write", &path, error));
    match written.and_then(|()| io::sync_directory(&directory)) {
        Ok(()) => Ok((path, file)),
        Err(error) if io::remove_file(&path).is_ok() => Err(CreateError::Undone(error)),
        Err(error) => Err(CreateError::LeftBehind(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::start(&mut bytes);
        frame::push_write(&mut bytes, 1, b"key", Some(b"value"));
        frame::finish(&mut bytes, number, 0, Kind::Data);
        bytes
    }

    #[test]
    fn no_frame_follows_a_seal_that_failed() {
        let root = tempfile::tempdir().unwrap();
        let mut writer = JournalWriter::create(&Folder::new(root.path()), [1; 16], 1, 0).unwrap();
        writer.append(&frame(1)).unwrap();
        // Make the disk fail while the segment is sealed, and only then.
        let blind = File::open(&writer.path).unwrap();
        let good = std::mem::replace(&mut writer.file, blind);
        assert!(writer.rotate(0).is_err());
        writer.file = good;
        assert!(matches!(writer.append(&frame(2)), Err(AppendError::Broken(_))));
        assert!(writer.rotate(0).is_err());
    }

    #[test]
    fn a_segment_that_cannot_be_created_leaves_the_old_one_in_use() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let mut writer = JournalWriter::create(&folder, [1; 16], 1, 0).unwrap();
        writer.append(&frame(1)).unwrap();
        let obstacle = segment::path(&folder.journal(), 2);
        std::fs::create_dir(&obstacle).unwrap();
        assert!(writer.rotate(0).is_err());
        writer.append(&frame(2)).unwrap();
        std::fs::remove_dir(&obstacle).unwrap();
        writer.rotate(0).unwrap();
        assert_eq!(writer.first, 3);
    }
}
