//! Snapshot files: all records as of one frame, sorted, compressed, checksummed. Sorted runs of journal writes use the
//! same format while a snapshot is being made.
//!
//! ```text
//! file   = header | block* | end
//! header = magic "SESSSNAP" | format u32 | folder id 16 bytes | frame u64 | time ms u64 | crc u32 | zeros to 64
//! block  = raw length u32 | stored length u32 | crc u32 of the stored bytes | LZ4 block
//! end    = 0 u32 | 28 u32 | crc u32 | rows u64 | blocks u64 | crc of all block crcs u32 | "SESSEND\n"
//! entry  = key length u16 | frame u64 | value length u32 (all ones: removed, in runs only) | key | value
//! ```
//! Numbers are little endian. An entry's frame is the one that wrote it.

mod verify;

pub(super) use self::verify::{verify, verify_deeply};

use super::folder::FolderId;
use super::io::{self, take, take_slice};
use super::journal::frames::Damage;
use crate::store::StoreError;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"SESSSNAP";
const FORMAT: u32 = 1;
const HEADER: usize = 64;
const HEADER_USED: usize = 48;
const END_MAGIC: [u8; 8] = *b"SESSEND\n";
const END: usize = 28;
const BLOCK: usize = 64 << 10;
/// The largest possible block: one record of the largest size, with its key.
const MAX_BLOCK: usize = 8 << 20;
const REMOVED: u32 = u32::MAX;
/// Key length, frame, value length.
const ENTRY_HEAD: usize = 14;

/// The state of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SnapshotEntry<'a> {
    /// Keyspace byte and key.
    pub(super) key: &'a [u8],
    /// The frame that wrote it.
    pub(super) frame: u64,
    /// The value; `None` if that frame removed the key.
    pub(super) value: Option<&'a [u8]>,
}

impl SnapshotEntry<'_> {
    /// Size in a block, in bytes.
    pub(super) fn size(&self) -> u64 {
        (ENTRY_HEAD + self.key.len() + self.value.map_or(0, <[u8]>::len)) as u64
    }
}

/// The content of a snapshot's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SnapshotHeader {
    pub(super) id: FolderId,
    /// The snapshot holds the effects of this frame and all before it.
    pub(super) frame: u64,
    /// Time of that frame.
    pub(super) time: u64,
}

/// The path of the snapshot as of `frame`.
pub(super) fn path(directory: &Path, frame: u64) -> PathBuf {
    directory.join(format!("{frame:020}.snap"))
}

/// The snapshots in a folder, oldest first.
pub(super) fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    io::numbered(directory, ".snap")
}

fn damaged(path: &Path, what: &str) -> StoreError {
    Damage { place: path.to_owned(), what: what.to_owned() }.error()
}

/// Refuses an intact file that is not the expected one: from another folder, or renamed.
fn check_origin(path: &Path, id: &FolderId, head: &SnapshotHeader) -> Result<(), StoreError> {
    if *id != head.id {
        return Err(damaged(path, "it belongs to another data folder"));
    }
    // A file under construction has the same stem.
    let named = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
    if named != Some(head.frame) {
        let right = self::path(Path::new(""), head.frame);
        return Err(damaged(path, &format!("it is not the snapshot its name indicates, but {}", right.display())));
    }
    Ok(())
}

/// Writes a snapshot file; entries must come in key order.
#[derive(Debug)]
pub(super) struct SnapshotWriter {
    path: PathBuf,
    file: BufWriter<File>,
    block: Vec<u8>,
    packed: Vec<u8>,
    sums: crc32fast::Hasher,
    /// Entries written so far.
    pub(super) rows: u64,
    blocks: u64,
}

impl SnapshotWriter {
    /// Starts a file that must not exist yet.
    pub(super) fn create(path: &Path, head: &SnapshotHeader) -> Result<Self, StoreError> {
        let mut file = BufWriter::with_capacity(128 << 10, io::create_new(path)?);
        let mut header =
            [MAGIC.as_slice(), &FORMAT.to_le_bytes(), &head.id, &head.frame.to_le_bytes(), &head.time.to_le_bytes()]
                .concat();
        header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
        header.resize(HEADER, 0);
        file.write_all(&header).map_err(|error| io::failed("cannot write", path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            block: Vec::with_capacity(BLOCK + BLOCK / 4),
            packed: Vec::new(),
            sums: crc32fast::Hasher::new(),
            rows: 0,
            blocks: 0,
        })
    }

    /// Adds an entry; true if that completed a block (a good moment to pause).
    pub(super) fn push(&mut self, entry: &SnapshotEntry<'_>) -> Result<bool, StoreError> {
        // invariant: keys and values are within the sizes checked before every commit.
        let key_length = u16::try_from(entry.key.len()).unwrap_or(u16::MAX);
        let value_length = entry.value.map_or(REMOVED, |value| u32::try_from(value.len()).unwrap_or(REMOVED));
        self.block.extend_from_slice(&key_length.to_le_bytes());
        self.block.extend_from_slice(&entry.frame.to_le_bytes());
        self.block.extend_from_slice(&value_length.to_le_bytes());
        self.block.extend_from_slice(entry.key);
        self.block.extend_from_slice(entry.value.unwrap_or_default());
        self.rows += 1;
        let full = self.block.len() >= BLOCK;
        if full {
            self.flush_block()?;
        }
        Ok(full)
    }

    /// Completes the file and waits until it is durable.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.flush_block()?;
        let sums = self.sums.clone().finalize();
        let end =
            [self.rows.to_le_bytes().as_slice(), &self.blocks.to_le_bytes(), &sums.to_le_bytes(), &END_MAGIC].concat();
        self.write_part(0, &end)?;
        let file =
            self.file.into_inner().map_err(|error| io::failed("cannot write", &self.path, error.into_error()))?;
        file.sync_all().map_err(|error| io::failed("cannot sync", &self.path, error))
    }

    fn flush_block(&mut self) -> Result<(), StoreError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let room = lz4_flex::block::get_maximum_output_size(self.block.len());
        let mut packed = std::mem::take(&mut self.packed);
        packed.resize(room, 0);
        // invariant: the output buffer has the size that LZ4 requires.
        let length = lz4_flex::block::compress_into(&self.block, &mut packed)
            .map_err(|_| damaged(&self.path, "a block could not be compressed"))?;
        packed.truncate(length);
        self.sums.update(&crc32fast::hash(&packed).to_le_bytes());
        self.blocks += 1;
        let raw = u32::try_from(self.block.len()).unwrap_or(u32::MAX);
        self.write_part(raw, &packed)?;
        self.packed = packed;
        self.block.clear();
        Ok(())
    }

    fn write_part(&mut self, raw: u32, stored: &[u8]) -> Result<(), StoreError> {
        let length = u32::try_from(stored.len()).unwrap_or(u32::MAX);
        let sum = crc32fast::hash(stored);
        let write = |file: &mut BufWriter<File>| -> std::io::Result<()> {
            file.write_all(&raw.to_le_bytes())?;
            file.write_all(&length.to_le_bytes())?;
            file.write_all(&sum.to_le_bytes())?;
            file.write_all(stored)
        };
        write(&mut self.file).map_err(|error| io::failed("cannot write", &self.path, error))
    }
}

/// Reads a snapshot file from front to back.
#[derive(Debug)]
pub(super) struct SnapshotReader {
    path: PathBuf,
    file: BufReader<File>,
    /// The file's header.
    pub(super) head: SnapshotHeader,
    packed: Vec<u8>,
    block: Vec<u8>,
    /// Position of the current entry in the block: start of its key, length of its key, length of its value.
    at: (usize, usize, Option<usize>),
    frame: u64,
    next: usize,
    /// The last key of the block before.
    previous: Option<Vec<u8>>,
    sums: crc32fast::Hasher,
    rows: u64,
    blocks: u64,
}

impl SnapshotReader {
    /// Opens a file and checks its header; `id` is the folder it must belong to.
    pub(super) fn open(path: &Path, id: Option<&FolderId>) -> Result<Self, StoreError> {
        let mut file = BufReader::with_capacity(128 << 10, io::open(path)?);
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|_| damaged(path, "its header is cut off"))?;
        let mut rest = header.as_slice();
        let mut parse = || {
            let magic: [u8; 8] = take(&mut rest)?;
            let format = u32::from_le_bytes(take(&mut rest)?);
            let head = SnapshotHeader {
                id: take(&mut rest)?,
                frame: u64::from_le_bytes(take(&mut rest)?),
                time: u64::from_le_bytes(take(&mut rest)?),
            };
            let crc = u32::from_le_bytes(take(&mut rest)?);
            let whole = magic == MAGIC && crc == crc32fast::hash(header.get(..HEADER_USED - 4)?);
            whole.then_some((format, head))
        };
        let head = match parse() {
            Some((FORMAT, head)) => head,
            Some(_) => return Err(damaged(path, "it has a format that this sessiond does not know")),
            None => return Err(damaged(path, "its header is damaged")),
        };
        if let Some(id) = id {
            check_origin(path, id, &head)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            head,
            packed: Vec::new(),
            block: Vec::new(),
            at: (0, 0, None),
            frame: 0,
            next: 0,
            previous: None,
            sums: crc32fast::Hasher::new(),
            rows: 0,
            blocks: 0,
        })
    }

    /// Moves to the next entry; false at the end of a complete file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] also if the entry's key is not higher than the one before: whoever merges or counts the
    /// entries relies on their order.
    pub(super) fn advance(&mut self) -> Result<bool, StoreError> {
        if self.next >= self.block.len() && !self.load_block()? {
            return Ok(false);
        }
        let mut rest = self.block.get(self.next..).unwrap_or_default();
        let before = rest.len();
        let mut parse = || {
            let key = usize::from(u16::from_le_bytes(take(&mut rest)?));
            let frame = u64::from_le_bytes(take(&mut rest)?);
            let value = match u32::from_le_bytes(take(&mut rest)?) {
                REMOVED => None,
                length => Some(length as usize),
            };
            let start = self.next + (before - rest.len());
            take_slice(&mut rest, key + value.unwrap_or(0))?;
            Some(((start, key, value), frame))
        };
        let Some((at, frame)) = parse() else { return Err(damaged(&self.path, "an entry is cut off")) };
        let (start, length, _) = at;
        let previous = if self.next == 0 { self.previous.as_deref() } else { Some(self.entry().key) };
        if previous.is_some_and(|previous| self.block.get(start..start + length).is_none_or(|key| key <= previous)) {
            return Err(damaged(&self.path, "its entries are out of order"));
        }
        self.next += before - rest.len();
        (self.at, self.frame) = (at, frame);
        self.rows += 1;
        Ok(true)
    }

    /// The entry that [`Self::advance`] moved to.
    pub(super) fn entry(&self) -> SnapshotEntry<'_> {
        let (start, key, value) = self.at;
        SnapshotEntry {
            key: self.block.get(start..start + key).unwrap_or_default(),
            frame: self.frame,
            value: value.map(|length| self.block.get(start + key..start + key + length).unwrap_or_default()),
        }
    }

    /// Reads the rest of the file without decoding the blocks.
    fn skim(&mut self, pause: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        while let Some(_raw) = self.load_part()? {
            pause()?;
        }
        Ok(())
    }

    fn load_block(&mut self) -> Result<bool, StoreError> {
        let Some(raw) = self.load_part()? else { return Ok(false) };
        if self.rows > 0 {
            self.previous = Some(self.entry().key.to_vec());
        }
        self.block.clear();
        self.block.resize(raw, 0);
        let unpacked = lz4_flex::block::decompress_into(&self.packed, &mut self.block);
        if unpacked.ok() != Some(raw) {
            return Err(damaged(&self.path, "a block cannot be decompressed"));
        }
        self.next = 0;
        Ok(true)
    }

    /// Reads and checks the next block's stored bytes; returns its raw length, or `None` at the end of a complete file.
    fn load_part(&mut self) -> Result<Option<usize>, StoreError> {
        let (raw, stored, sum) = self.load_part_head()?;
        if raw > MAX_BLOCK || stored > MAX_BLOCK + MAX_BLOCK / 8 {
            return Err(damaged(&self.path, "a block has an impossible length"));
        }
        let mut packed = std::mem::take(&mut self.packed);
        packed.resize(stored, 0);
        self.read(&mut packed)?;
        self.packed = packed;
        if crc32fast::hash(&self.packed) != sum {
            return Err(damaged(&self.path, "a block's checksum does not match"));
        }
        if raw == 0 {
            self.check_end()?;
            return Ok(None);
        }
        self.sums.update(&sum.to_le_bytes());
        self.blocks += 1;
        Ok(Some(raw))
    }

    /// Reads the next block's raw length, stored length and checksum.
    fn load_part_head(&mut self) -> Result<(usize, usize, u32), StoreError> {
        let mut head = [0; 12];
        self.read(&mut head)?;
        let mut rest = head.as_slice();
        let mut number = || take(&mut rest).map(u32::from_le_bytes).unwrap_or_default();
        Ok((number() as usize, number() as usize, number()))
    }

    fn check_end(&mut self) -> Result<(), StoreError> {
        let sums = self.sums.clone().finalize();
        let expected = [self.blocks.to_le_bytes().as_slice(), &sums.to_le_bytes(), &END_MAGIC].concat();
        let mut more = [0; 1];
        let at_end = matches!(self.file.read(&mut more), Ok(0));
        if self.packed.len() != END || self.packed.get(8..) != Some(expected.as_slice()) || !at_end {
            return Err(damaged(&self.path, "it does not end as it should"));
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), StoreError> {
        self.file.read_exact(into).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => damaged(&self.path, "it is cut off"),
            _ => io::failed("cannot read", &self.path, error),
        })
    }

    /// Number of entries according to the end of the file; known once the end has been reached.
    pub(super) fn rows_at_end(&self) -> u64 {
        self.packed.first_chunk::<8>().map_or(0, |rows| u64::from_le_bytes(*rows))
    }
}

/// The uncompressed size of a snapshot's entries. Reads only the headers of the blocks.
pub(super) fn unpacked_bytes(path: &Path) -> Result<u64, StoreError> {
    let mut reader = SnapshotReader::open(path, None)?;
    let mut bytes = 0;
    loop {
        let (raw, stored, _) = reader.load_part_head()?;
        if raw == 0 {
            return Ok(bytes);
        }
        bytes += raw as u64;
        let over = i64::try_from(stored).unwrap_or(i64::MAX);
        reader.file.seek_relative(over).map_err(|error| io::failed("cannot read", path, error))?;
    }
}
