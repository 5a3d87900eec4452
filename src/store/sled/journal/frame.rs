//! A frame: one group of transactions, numbered and checksummed, and the writes inside it.
//!
//! ```text
//! frame  = magic "SFRM" | body length u32 | number u64 | time ms u64 | kind u32 | crc u32 | body | zeros to a multiple of 8
//! body   = write*
//! write  = key length u16 | value length u32 (all ones: removal) | key (keyspace byte first) | value
//! ```
//! Numbers are little endian. The checksum covers the header before it and the body.

use super::frames::WAY_OUT;
use crate::store::StoreError;
use crate::store::sled::io::{take, take_slice};

/// Bytes before the body.
pub(in crate::store::sled) const HEADER: usize = 32;
const MAGIC: [u8; 4] = *b"SFRM";
const REMOVED: u32 = u32::MAX;

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sled) enum Kind {
    /// A frame with writes.
    Data = 1,
    /// The end of a segment; its number is that of the first frame in the next segment.
    Seal = 2,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sled) struct FrameHeader {
    pub(in crate::store::sled) length: usize,
    pub(in crate::store::sled) number: u64,
    pub(in crate::store::sled) time: u64,
    pub(in crate::store::sled) kind: Kind,
    crc: u32,
}

impl FrameHeader {
    /// Parses a header; `None` if the bytes are not a header.
    pub(in crate::store::sled) fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let magic: [u8; 4] = take(&mut rest)?;
        let length = u32::from_le_bytes(take(&mut rest)?) as usize;
        let number = u64::from_le_bytes(take(&mut rest)?);
        let time = u64::from_le_bytes(take(&mut rest)?);
        let kind = match u32::from_le_bytes(take(&mut rest)?) {
            1 => Kind::Data,
            2 => Kind::Seal,
            _ => return None,
        };
        let crc = u32::from_le_bytes(take(&mut rest)?);
        (magic == MAGIC).then_some(Self { length, number, time, kind, crc })
    }

    /// True if the body is the one written under this header.
    pub(in crate::store::sled) fn matches(&self, header: &[u8; HEADER], body: &[u8]) -> bool {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(header.get(..HEADER - 4).unwrap_or_default());
        hasher.update(body);
        hasher.finalize() == self.crc
    }

    /// The length of header, body and padding.
    pub(in crate::store::sled) fn padded(&self) -> usize {
        (HEADER + self.length).next_multiple_of(8)
    }
}

/// Reserves room for the header in front of a body that is about to be collected in `buffer`.
pub(in crate::store::sled) fn start(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.resize(HEADER, 0);
}

/// Completes the frame whose body follows the room reserved by [`start`].
pub(in crate::store::sled) fn finish(buffer: &mut Vec<u8>, number: u64, time: u64, kind: Kind) {
    // invariant: a group stays far below 4 GiB (limits on transactions and groups).
    let length = u32::try_from(buffer.len().saturating_sub(HEADER)).unwrap_or(u32::MAX);
    let mut header = [0_u8; HEADER];
    let parts: [&[u8]; 5] =
        [&MAGIC, &length.to_le_bytes(), &number.to_le_bytes(), &time.to_le_bytes(), &(kind as u32).to_le_bytes()];
    for (place, byte) in header.iter_mut().zip(parts.concat()) {
        *place = byte;
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header.get(..HEADER - 4).unwrap_or_default());
    hasher.update(buffer.get(HEADER..).unwrap_or_default());
    if let Some(place) = header.last_chunk_mut::<4>() {
        *place = hasher.finalize().to_le_bytes();
    }
    if let Some(place) = buffer.first_chunk_mut::<HEADER>() {
        *place = header;
    }
    buffer.resize(buffer.len().next_multiple_of(8), 0);
}

/// Bytes of a write that precede its key.
pub(in crate::store::sled) const WRITE_HEADER: usize = 6;

/// One write inside a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sled) struct Write<'a> {
    /// Keyspace byte and key.
    pub(in crate::store::sled) key: &'a [u8],
    /// The new value; `None` removes.
    pub(in crate::store::sled) value: Option<&'a [u8]>,
}

/// A frame with a valid checksum whose body is not a list of writes: it was made by another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sled) struct Malformed;

impl Malformed {
    /// The damage error for frame `number`.
    pub(in crate::store::sled) fn of(self, number: u64) -> StoreError {
        let what = "its checksum is valid, but it is not a list of writes".to_owned();
        StoreError::Damaged { place: format!("journal frame {number}"), what, way_out: WAY_OUT.to_owned() }
    }
}

/// Appends a write to a body.
pub(in crate::store::sled) fn push_write(body: &mut Vec<u8>, keyspace: u8, key: &[u8], value: Option<&[u8]>) {
    // invariant: keys and values are within the sizes checked before every commit.
    let key_length = u16::try_from(key.len() + 1).unwrap_or(u16::MAX);
    let value_length = value.map_or(REMOVED, |value| u32::try_from(value.len()).unwrap_or(REMOVED));
    body.extend_from_slice(&key_length.to_le_bytes());
    body.extend_from_slice(&value_length.to_le_bytes());
    body.push(keyspace);
    body.extend_from_slice(key);
    body.extend_from_slice(value.unwrap_or_default());
}

/// The writes of a body; ends early (with `Err`) where the bytes are not a write, which no checksum lets through.
pub(in crate::store::sled) fn writes(mut body: &[u8]) -> impl Iterator<Item = Result<Write<'_>, Malformed>> {
    std::iter::from_fn(move || {
        if body.is_empty() {
            return None;
        }
        let mut parse = || {
            let key_length = usize::from(u16::from_le_bytes(take(&mut body)?));
            let value_length = u32::from_le_bytes(take(&mut body)?);
            let key = take_slice(&mut body, key_length)?;
            let value = match value_length {
                REMOVED => None,
                length => Some(take_slice(&mut body, length as usize)?),
            };
            Some(Write { key, value })
        };
        let write = parse().ok_or(Malformed);
        if write.is_err() {
            body = &[];
        }
        Some(write)
    })
}
