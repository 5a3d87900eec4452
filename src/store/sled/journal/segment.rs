//! A segment file: a header, frames, and either a seal or zeros reserved for more.
//!
//! ```text
//! header = magic "SESSJRNL" | format u32 | folder id 16 bytes | first frame number u64 | created ms u64 | crc u32
//!        | "WALL" or zeros | zeros to 64
//! ```
//! The file's name is its first frame number. A segment that is no longer written to ends with a seal frame; the one in
//! use ends with zeros.
//!
//! "WALL": frames carry the time shown by the clock. Releases up to 0.1.0 wrote zeros there, ignore these bytes when
//! reading, and raised a frame's time to at least that of the frame before it.

use super::frame::{self, FrameHeader, Kind};
use crate::store::StoreError;
use crate::store::sled::folder::FolderId;
use crate::store::sled::io::{self, take};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes before the first frame.
pub(in crate::store::sled) const HEADER: usize = 64;
const HEADER_USED: usize = 44;
const MAGIC: [u8; 8] = *b"SESSJRNL";
const FORMAT: u32 = 1;
const WALL: [u8; 4] = *b"WALL";

/// The path of the segment that starts with frame `first`.
pub(in crate::store::sled) fn path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.log"))
}

/// The segments in a folder, by first frame number.
pub(in crate::store::sled) fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    io::numbered(directory, ".log")
}

/// Encodes a header.
pub(in crate::store::sled) fn header(id: &FolderId, first: u64, created: u64) -> [u8; HEADER] {
    let mut bytes =
        [MAGIC.as_slice(), &FORMAT.to_le_bytes(), id, &first.to_le_bytes(), &created.to_le_bytes()].concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes.extend_from_slice(&WALL);
    let mut header = [0; HEADER];
    for (place, byte) in header.iter_mut().zip(bytes) {
        *place = byte;
    }
    header
}

/// What a header says about the times of the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sled) struct Timing {
    /// The time the segment was started, in ms since 1970.
    pub(in crate::store::sled) created: u64,
    /// True if frames carry the time shown by the clock, even if it had been set back.
    pub(in crate::store::sled) is_wall: bool,
}

/// Parses a header; the error names the defect.
fn parse_header(bytes: &[u8; HEADER], id: Option<&FolderId>, first: u64) -> Result<Timing, &'static str> {
    let mut rest = bytes.as_slice();
    let mut parse = || {
        let magic: [u8; 8] = take(&mut rest)?;
        let format = u32::from_le_bytes(take(&mut rest)?);
        let folder: FolderId = take(&mut rest)?;
        let number = u64::from_le_bytes(take(&mut rest)?);
        let created = u64::from_le_bytes(take(&mut rest)?);
        let crc = u32::from_le_bytes(take(&mut rest)?);
        let timing = Timing { created, is_wall: take(&mut rest)? == WALL };
        Some((magic, format, folder, number, crc, timing))
    };
    let Some((magic, format, folder, number, crc, timing)) = parse() else { return Err("its header is cut off") };
    if magic != MAGIC || crc != crc32fast::hash(bytes.get(..HEADER_USED).unwrap_or_default()) {
        return Err("its header is damaged");
    }
    if format != FORMAT {
        return Err("it has a format that this sessiond does not know");
    }
    if id.is_some_and(|id| *id != folder) {
        return Err("it belongs to another data folder");
    }
    if number != first {
        return Err("it is not the segment its name indicates");
    }
    Ok(timing)
}

/// The folder id in a segment's header, if it can be read: used when the identity file is lost.
pub(in crate::store::sled) fn folder_id(path: &Path, first: u64) -> Option<FolderId> {
    let mut bytes = [0; HEADER];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).ok()?;
    parse_header(&bytes, None, first).ok()?;
    let mut rest = bytes.get(12..)?;
    take(&mut rest)
}

/// The next item of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store::sled) enum SegmentItem {
    /// A frame of writes; its body is in the caller's buffer.
    Frame { number: u64, time: u64 },
    /// The regular end of the segment.
    Sealed,
    /// Nothing but zeros from here on, or the end of the file.
    Blank,
    /// Bytes that are not a frame; names the defect.
    Bad(&'static str),
}

/// Reads a segment from front to back.
#[derive(Debug)]
pub(in crate::store::sled) struct SegmentReader {
    path: PathBuf,
    file: BufReader<File>,
    length: u64,
    /// Byte offset of the next frame.
    pub(in crate::store::sled) offset: u64,
    /// The number the next frame must have.
    pub(in crate::store::sled) next: u64,
    pub(in crate::store::sled) timing: Timing,
}

impl SegmentReader {
    /// Opens a segment; the inner error says why its header is unusable.
    pub(in crate::store::sled) fn open(
        path: &Path,
        id: Option<&FolderId>,
        first: u64,
    ) -> Result<Result<Self, &'static str>, StoreError> {
        let file = io::open(path)?;
        let length = file.metadata().map_err(|error| io::failed("cannot read", path, error))?.len();
        let mut file = BufReader::with_capacity(128 << 10, file);
        let mut bytes = [0; HEADER];
        if length < HEADER as u64 {
            return Ok(Err("its header is cut off"));
        }
        file.read_exact(&mut bytes).map_err(|error| io::failed("cannot read", path, error))?;
        Ok(parse_header(&bytes, id, first).map(|timing| Self {
            path: path.to_owned(),
            file,
            length,
            offset: HEADER as u64,
            next: first,
            timing,
        }))
    }

    /// Reads the next item; `body` receives the writes of a frame.
    pub(in crate::store::sled) fn step(&mut self, body: &mut Vec<u8>) -> Result<SegmentItem, StoreError> {
        let left = self.length.saturating_sub(self.offset);
        if left < frame::HEADER as u64 {
            return if self.rest_is_zero()? {
                Ok(SegmentItem::Blank)
            } else {
                Ok(SegmentItem::Bad("a frame is cut off"))
            };
        }
        let mut header = [0; frame::HEADER];
        self.read(&mut header)?;
        let Some(head) = FrameHeader::parse(&header) else {
            if header == [0; frame::HEADER] && self.rest_is_zero()? {
                return Ok(SegmentItem::Blank);
            }
            return Ok(SegmentItem::Bad("there is no frame where one should start"));
        };
        if head.padded() as u64 > left {
            return Ok(SegmentItem::Bad("a frame is cut off"));
        }
        body.clear();
        body.resize(head.padded().saturating_sub(frame::HEADER), 0);
        self.read(body)?;
        body.truncate(head.length);
        if !head.matches(&header, body) {
            return Ok(SegmentItem::Bad("a frame's checksum does not match"));
        }
        if head.number != self.next {
            return Ok(SegmentItem::Bad("a frame has the wrong number"));
        }
        self.offset += head.padded() as u64;
        if head.kind == Kind::Seal {
            return Ok(SegmentItem::Sealed);
        }
        self.next += 1;
        Ok(SegmentItem::Frame { number: head.number, time: head.time })
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), StoreError> {
        self.file.read_exact(into).map_err(|error| io::failed("cannot read", &self.path, error))
    }

    fn rest_is_zero(&mut self) -> Result<bool, StoreError> {
        let mut buffer = [0; 8 << 10];
        loop {
            let count = self.file.read(&mut buffer).map_err(|error| io::failed("cannot read", &self.path, error))?;
            let read = buffer.get(..count).unwrap_or_default();
            if count == 0 {
                return Ok(true);
            }
            if read.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
        }
    }
}

/// Finds the frames at or after `offset` that can still be recognised by their number and checksum: used to distinguish
/// a torn tail from damage, and for salvage.
pub(in crate::store::sled) fn recognise(path: &Path, offset: u64) -> Result<Vec<(u64, u64, Vec<u8>)>, StoreError> {
    let bytes = io::read_small(path)?.unwrap_or_default();
    let mut place = usize::try_from(offset).unwrap_or(usize::MAX).next_multiple_of(8);
    let mut found = Vec::new();
    while let Some(rest) = bytes.get(place..) {
        let Some((header, after)) = rest.split_first_chunk::<{ frame::HEADER }>() else { break };
        let whole = FrameHeader::parse(header).and_then(|head| {
            let body = after.get(..head.length)?;
            head.matches(header, body).then_some((head, body))
        });
        match whole {
            Some((head, body)) => {
                if head.kind == Kind::Data {
                    found.push((head.number, head.time, body.to_vec()));
                }
                place += head.padded();
            }
            None => place += 8,
        }
    }
    Ok(found)
}
