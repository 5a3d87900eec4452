//! The index: the state after the latest frame, in one sled tree, for reading. Everything in it can be rebuilt.
//!
//! sled 0.34.7 is used in the narrowest way that measured well: one tree, plain `get`, `insert`, `remove` and ranges.
//! No transactions and no batches: either permanently turns on a process-wide lock, which stalls every reader. The
//! atomicity of a batch is not needed, because the journal provides it.
//!
//! ```text
//! [0]                             -> frame u64 | crc u32      everything up to this frame is in the index
//! [keyspace] key                  -> frame u64 | 0 | value
//! [keyspace] key                  -> frame u64 | 1 | length u32       a value in chunks
//! [keyspace] key                  -> frame u64 | 2                    nothing yet: the frame will write it
//! [0xF0] [keyspace] key | frame u64 | n u16   -> chunk
//! ```

mod occupied;
mod walk;

pub(super) use self::walk::{Cursor, Rows};

use self::occupied::Occupied;
use super::io::take;
use super::journal::frame::Write;
use super::leaves::{Step, filling};
use crate::store::{Key, Keyspace, StoreError};
use std::fs::File;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Fixed for the life of an index. A leaf of 17 chunks, or an inner page of 256 of the longest keys, stays below a
/// quarter of it, so that sled never resorts to its unsynced blob files.
const SEGMENT: usize = 4 << 20;
/// Larger values are stored in chunks of this size.
pub(super) const CHUNK: usize = 32 << 10;
/// Index pages are written and synced in the background; the journal is what makes a commit durable. After each flush
/// sled moves pages out of one segment, for many minutes after a large import: at every half second this took a
/// twentieth of a core.
const FLUSH_EVERY_MS: u64 = 3000;

/// Writes between two pauses.
const PAUSE_EVERY: usize = 512;

const FRAME_KEY: [u8; 1] = [0];
const CHUNKS: u8 = 0xF0;
/// No record has this physical key or a higher one.
pub(super) const RECORDS_END: u8 = CHUNKS;
const INLINE: u8 = 0;
const CHUNKED: u8 = 1;
const RESERVED: u8 = 2;

const _: () = assert!(17 * (CHUNK + crate::store::limits::MAX_KEY) < SEGMENT / 4);
const _: () = assert!(257 * crate::store::limits::MAX_KEY < SEGMENT / 2);

/// An open index.
#[derive(Debug)]
pub(super) struct Index {
    tree: ::sled::Db,
    /// The index's own path, where it may not have been moved yet.
    path: PathBuf,
    /// sled's file, wherever it has been moved.
    file: File,
    in_place: AtomicBool,
    occupied: Occupied,
}

/// A stored value and the frame that wrote it.
pub(super) type Stamped = (u64, Vec<u8>);

impl Index {
    /// Opens or creates an index; whatever sled does on damaged files is returned as an error.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        Self::open_at(path, path, cache_bytes)
    }

    /// Creates an index for the path `path` in the folder `folder`. sled uses its path only while it opens (and for
    /// blob files, which no row is large enough for), so the folder may be renamed while the index is in use.
    pub(super) fn create_in(folder: &Path, path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        super::io::remove_directory(folder)?;
        Self::open_at(folder, path, cache_bytes)
    }

    /// Opens a copy in the folder `at` of the index at `path`; errors name `path`.
    pub(super) fn open_copy(at: &Path, path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        Self::open_at(at, path, cache_bytes)
    }

    fn open_at(at: &Path, path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        super::io::create_directory(at)?;
        remove_unfinished(at)?;
        let config = ::sled::Config::new()
            .path(at)
            .segment_size(SEGMENT)
            .cache_capacity(cache_bytes)
            .flush_every_ms(Some(FLUSH_EVERY_MS))
            .mode(::sled::Mode::HighThroughput);
        let tree = guarded(path, || config.open())?;
        // Windows syncs only what may be written.
        let file = super::io::open_to_write(&at.join("db"))?;
        let first = |from: &[u8]| guarded(path, || tree.range(from..).keys().next().transpose());
        let occupied = Occupied::probe(|from| Ok::<_, StoreError>(first(from)?.and_then(|key| key.first().copied())));
        Ok(Self { tree, path: path.to_owned(), file, in_place: AtomicBool::new(at == path), occupied })
    }

    /// Records that the index's folder has been given its final name.
    pub(super) fn set_in_place(&self) {
        self.in_place.store(true, Ordering::Release);
    }

    /// False while its files lie in another folder than its own: then they are not what the next start finds.
    pub(super) fn is_in_place(&self) -> bool {
        self.in_place.load(Ordering::Acquire)
    }

    /// The value at a physical key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Stamped>, StoreError> {
        loop {
            let Some(stored) = self.stored(key)? else { return Ok(None) };
            if let Some(whole) = self.assemble(key, &stored)? {
                return Ok(Some(whole));
            }
            // Its chunks disappeared during the read: the value has been replaced.
        }
    }

    /// The stored form of the row at a physical key.
    fn stored(&self, key: &[u8]) -> Result<Option<::sled::IVec>, StoreError> {
        if !self.occupied.may_have(key) {
            return Ok(None);
        }
        Ok(guarded(&self.path, || self.tree.get(key))?.filter(|stored| !is_reserved(stored)))
    }

    /// The frame that wrote the value at a physical key.
    pub(super) fn frame_at(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let Some(stored) = self.stored(key)? else { return Ok(None) };
        self.split(&stored).map(|(frame, ..)| Some(frame))
    }

    /// Applies the writes of several frames, sorted by key. Concurrent readers may already see any of them. Calls
    /// `pause` from time to time.
    pub(super) fn apply(
        &self,
        sorted: &[(u64, Write<'_>)],
        pause: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for (done, (step, (frame, write))) in (1..).zip(filling(sorted)) {
            if done % PAUSE_EVERY == 0 {
                pause()?;
            }
            match step {
                Step::Reserve if write.value.is_some() => self.reserve(*frame, write.key)?,
                Step::Reserve => {}
                Step::Write => self.write(*frame, write)?,
            }
        }
        Ok(())
    }

    /// Reserves the place of a row that the frame will write, unless there is a row. Readers ignore it.
    fn reserve(&self, frame: u64, key: &[u8]) -> Result<(), StoreError> {
        self.occupied.mark(key);
        let mut reserved = frame.to_le_bytes().to_vec();
        reserved.push(RESERVED);
        // An existing row is fine.
        guarded(&self.path, || self.tree.compare_and_swap(key, None::<&[u8]>, Some(reserved))).map(drop)
    }

    /// Applies one write of `frame`.
    fn write(&self, frame: u64, write: &Write<'_>) -> Result<(), StoreError> {
        self.occupied.mark(write.key);
        let chunks = match write.value {
            Some(value) if value.len() > CHUNK => self.write_chunks(frame, write.key, value)?,
            _ => 0,
        };
        let stamp = frame.to_le_bytes();
        let old = match write.value {
            None => guarded(&self.path, || self.tree.remove(write.key))?,
            Some(value) => {
                let mut stored = Vec::with_capacity(value.len().min(CHUNK) + 16);
                stored.extend_from_slice(&stamp);
                if chunks > 0 {
                    stored.push(CHUNKED);
                    stored.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
                } else {
                    stored.push(INLINE);
                    stored.extend_from_slice(value);
                }
                guarded(&self.path, || self.tree.insert(write.key, stored))?
            }
        };
        if let Some(old) = old {
            let (old_frame, tag, rest) = self.split(&old)?;
            if tag == CHUNKED {
                let kept = if old_frame == frame { chunks } else { 0 };
                for number in kept..chunk_count(self.chunked_length(rest)?) {
                    guarded(&self.path, || self.tree.remove(chunk_key(write.key, old_frame, number)))?;
                }
            }
        }
        Ok(())
    }

    /// Records that the index holds everything up to `frame`.
    pub(super) fn set_frame(&self, frame: u64) -> Result<(), StoreError> {
        let number = frame.to_le_bytes();
        let note = [number.as_slice(), &crc32fast::hash(&number).to_le_bytes()].concat();
        guarded(&self.path, || self.tree.insert(FRAME_KEY, note)).map(drop)
    }

    /// The frame up to which the index is complete; 0 in a new one.
    pub(super) fn frame(&self) -> Result<u64, StoreError> {
        let Some(note) = guarded(&self.path, || self.tree.get(FRAME_KEY))? else { return Ok(0) };
        let number = note.first_chunk::<8>().copied().unwrap_or_default();
        if note.get(8..) != Some(crc32fast::hash(&number).to_le_bytes().as_slice()) {
            return Err(self.damaged("its frame number is damaged"));
        }
        Ok(u64::from_le_bytes(number))
    }

    /// Records in physical key order; chunked values are reassembled.
    pub(super) fn rows(&self, range: (Bound<Vec<u8>>, Bound<Vec<u8>>), reverse: bool) -> Rows<'_> {
        let iter = self.tree.range::<Vec<u8>, _>(range);
        Rows { index: self, iter, reverse }
    }

    /// Every record.
    pub(super) fn all(&self) -> Rows<'_> {
        self.rows(Self::every_record(), false)
    }

    /// The range of all records.
    pub(super) fn every_record() -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
        (Bound::Included(vec![1]), Bound::Excluded(vec![CHUNKS]))
    }

    /// The path of the index.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Ends sled without waiting for anything; enough once the files are gone.
    pub(super) fn end(self) -> Result<(), StoreError> {
        let Self { tree, path, .. } = self;
        guarded(&path, || {
            drop(tree);
            Ok(())
        })
    }

    /// Writes out what sled still holds in memory.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        guarded(&self.path, || self.tree.flush()).map(drop)
    }

    /// Writes everything out and ends sled, so that the files no longer change.
    pub(super) fn close(self) -> Result<(), StoreError> {
        self.flush()?;
        self.release()
    }

    /// Ends sled and waits until its files are free.
    pub(super) fn release(self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let file = self.file.try_clone().map_err(|error| super::io::failed("cannot open", &path, error))?;
        self.end()?;
        wait_until_released(&path, &file)
    }

    fn write_chunks(&self, frame: u64, key: &[u8], value: &[u8]) -> Result<u16, StoreError> {
        let mut count = 0;
        for (number, chunk) in (0_u16..).zip(value.chunks(CHUNK)) {
            guarded(&self.path, || self.tree.insert(chunk_key(key, frame, number), chunk))?;
            count = number + 1;
        }
        Ok(count)
    }

    /// Reassembles a value; `None` if it was replaced during the read.
    fn assemble(&self, key: &[u8], stored: &[u8]) -> Result<Option<Stamped>, StoreError> {
        let (frame, tag, rest) = self.split(stored)?;
        if tag == INLINE {
            return Ok(Some((frame, rest.to_vec())));
        }
        let length = self.chunked_length(rest)?;
        let mut value = Vec::with_capacity(length);
        for number in 0..chunk_count(length) {
            match guarded(&self.path, || self.tree.get(chunk_key(key, frame, number)))? {
                Some(chunk) => value.extend_from_slice(&chunk),
                None if self.frame_at(key)? == Some(frame) => {
                    return Err(self.damaged("a part of a large value is missing"));
                }
                None => return Ok(None),
            }
        }
        if value.len() != length {
            return Err(self.damaged("a large value has the wrong length"));
        }
        Ok(Some((frame, value)))
    }

    fn split<'a>(&self, stored: &'a [u8]) -> Result<(u64, u8, &'a [u8]), StoreError> {
        let mut rest = stored;
        let parts = take(&mut rest).zip(take::<1>(&mut rest));
        match parts {
            Some((frame, [tag @ (INLINE | CHUNKED | RESERVED)])) => Ok((u64::from_le_bytes(frame), tag, rest)),
            _ => Err(self.damaged("a row has no frame number")),
        }
    }

    fn chunked_length(&self, rest: &[u8]) -> Result<usize, StoreError> {
        let length = rest.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize);
        let possible = length.filter(|length| *length > CHUNK && *length <= crate::store::codec::MAX_RECORD);
        possible.ok_or_else(|| self.damaged("a large value has an impossible length"))
    }

    /// The error that names this index.
    pub(super) fn damaged(&self, what: &str) -> StoreError {
        damaged(&self.path, what)
    }
}

/// The physical key of a record.
pub(super) fn physical(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.bytes.len() + 1);
    bytes.push(key.keyspace as u8);
    bytes.extend_from_slice(&key.bytes);
    bytes
}

/// The record key of a physical key.
pub(super) fn logical(physical: &[u8]) -> Option<Key> {
    let (byte, bytes) = physical.split_first()?;
    Some(Key { keyspace: Keyspace::from_byte(*byte)?, bytes: bytes.to_vec() })
}

/// True for a reserved place without a row.
fn is_reserved(stored: &[u8]) -> bool {
    stored.get(size_of::<u64>()) == Some(&RESERVED)
}

fn chunk_key(key: &[u8], frame: u64, number: u16) -> Vec<u8> {
    [[CHUNKS].as_slice(), key, &frame.to_be_bytes(), &number.to_be_bytes()].concat()
}

fn chunk_count(length: usize) -> u16 {
    u16::try_from(length.div_ceil(CHUNK)).unwrap_or(u16::MAX)
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Damaged {
        place: path.display().to_string(),
        what: what.to_owned(),
        way_out: "Restart sessiond: it rebuilds the index from snapshot and journal".to_owned(),
    }
}

/// Runs a sled call and turns its errors and panics into ours. sled panics on damaged files.
fn guarded<T>(path: &Path, call: impl FnOnce() -> ::sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(::sled::Error::Io(source))) => Err(super::io::failed("the index failed at", path, source)),
        Ok(Err(error)) => Err(damaged(path, &format!("the index cannot be used: {error}"))),
        Err(_) => Err(damaged(path, "the index is damaged inside (sled panicked)")),
    }
}

/// An unfinished sled snapshot from a killed process prevents opening; it is not needed.
fn remove_unfinished(path: &Path) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(path).map_err(|error| super::io::failed("cannot list", path, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| super::io::failed("cannot list", path, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            super::io::remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// sled's helper threads may hold the file for a moment after the last handle is gone; its lock shows when they are
/// done.
fn wait_until_released(path: &Path, file: &File) -> Result<(), StoreError> {
    for _ in 0..2000 {
        if file.try_lock().is_ok() {
            // Unlock explicitly: a child that is being forked may keep the file open beyond this function.
            let done = file.sync_all().and_then(|()| super::io::unlock(file));
            return done.map_err(|error| super::io::failed("cannot sync", &path.join("db"), error));
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Err(damaged(path, "sled does not release its files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: u32 = 40;

    fn all(index: &Index) -> Vec<(Vec<u8>, u64)> {
        index.all().map(|row| row.map(|(key, (frame, _))| (key, frame)).unwrap()).collect()
    }

    #[test]
    fn a_place_is_reserved_for_a_row_that_is_not_there_and_looks_like_none() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), 1 << 20).unwrap();
        let (reserved, there) = ([1, b'a'], [1, b'b']);
        index.write(3, &Write { key: &there, value: Some(b"b") }).unwrap();
        for key in [reserved, there] {
            index.reserve(4, &key).unwrap();
        }
        assert_eq!(index.get(&reserved).unwrap(), None);
        assert_eq!(index.frame_at(&reserved).unwrap(), None);
        assert_eq!(Cursor::new(&index).get(&reserved).unwrap(), None);
        assert_eq!(index.get(&there).unwrap(), Some((3, b"b".to_vec())));
        assert_eq!(all(&index), [(there.to_vec(), 3)]);
        index.write(4, &Write { key: &reserved, value: Some(b"a") }).unwrap();
        assert_eq!(Cursor::new(&index).get(&reserved).unwrap(), Some((4, b"a".to_vec())));
        assert_eq!(all(&index), [(reserved.to_vec(), 4), (there.to_vec(), 3)]);
    }

    #[test]
    fn many_writes_and_removals_at_once_are_all_applied() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), 1 << 20).unwrap();
        let keys: Vec<_> = (0..ROWS).map(|number| [[1].as_slice(), &number.to_be_bytes()].concat()).collect();
        let large = vec![7; CHUNK + 1];
        let apply = |frame, is_kept: &dyn Fn(usize) -> bool| {
            let write = |at: usize| {
                let value = if at.is_multiple_of(2) { large.as_slice() } else { b"small" };
                (frame, Write { key: keys[at].as_slice(), value: is_kept(at).then_some(value) })
            };
            index.apply(&(0..keys.len()).map(write).collect::<Vec<_>>(), &mut || Ok(())).unwrap();
        };
        apply(1, &|_| true);
        assert_eq!(all(&index), keys.iter().map(|key| (key.clone(), 1)).collect::<Vec<_>>());
        apply(2, &|at| at % 3 == 0);
        let left: Vec<_> = keys.iter().step_by(3).map(|key| (key.clone(), 2)).collect();
        assert_eq!(all(&index), left);
    }
}
