//! Encoding of records: the only place that knows the stored form of a record.
//!
//! A record type is a plain struct with a version (a small number) and, from version 2 on, the frozen type of the
//! version before it. Old bytes are decoded with the type that wrote them and migrated step by step; they are written
//! in the new form when the record is next put. A stored version never changes: add `v2`, keep `v1` and its golden
//! bytes (`tests/fixtures/records/`).
//!
//! - [`Encoding::Binary`]: version byte, CRC-32 (little endian), bincode. The checksum covers key, version and content,
//!   so bytes that ended up under another key are noticed too.
//! - [`Encoding::Json`]: `{"v":1,"record":{…}}`, for engines whose users query them.
//!
//! bincode has no field names: `#[serde(default)]`, `skip_serializing_if`, `flatten`, untagged enums and
//! `serde_json::Value` do not work in a record. Free-form JSON goes in as text.

use super::{Encoding, Key, Keyspace, Scan, StoreError, Tx};
use bincode::Options;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

/// Largest encoded record: a session holds two JSON documents, each of which may fill a request body.
pub const MAX_RECORD: usize = 4 << 20;

/// Version byte and checksum before the content.
const HEADER: usize = 5;

/// A type of stored record; implement it with [`record!`](crate::record).
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The keyspace of records of this type.
    const KEYSPACE: Keyspace;
    /// The version this type writes; 1 is the first.
    const VERSION: u8;
    /// The type of the previous version; [`NoPrevious`] for version 1.
    type Previous: Record;

    /// Converts an older record to this version.
    fn migrate(previous: Self::Previous) -> Self;
}

/// Ends the migration chain: there was no previous version.
#[derive(Debug, Clone, Copy, Serialize, serde::Deserialize)]
pub enum NoPrevious {}

impl Record for NoPrevious {
    const KEYSPACE: Keyspace = Keyspace::Meta;
    const VERSION: u8 = 0;
    type Previous = Self;

    fn migrate(previous: Self) -> Self {
        previous
    }
}

/// Makes a plain struct a [`Record`].
///
/// `record!(SessionRecord, Session, version 1);` for a first version,
/// `record!(SessionRecord, Session, version 2 after SessionRecordV1);` later, with a `From<SessionRecordV1>`.
#[macro_export]
macro_rules! record {
    ($type:ty, $keyspace:ident, version 1) => {
        impl $crate::store::codec::Record for $type {
            const KEYSPACE: $crate::store::Keyspace = $crate::store::Keyspace::$keyspace;
            const VERSION: u8 = 1;
            type Previous = $crate::store::codec::NoPrevious;

            fn migrate(previous: Self::Previous) -> Self {
                match previous {}
            }
        }
    };
    ($type:ty, $keyspace:ident, version $version:literal after $previous:ty) => {
        impl $crate::store::codec::Record for $type {
            const KEYSPACE: $crate::store::Keyspace = $crate::store::Keyspace::$keyspace;
            const VERSION: u8 = $version;
            type Previous = $previous;

            fn migrate(previous: Self::Previous) -> Self {
                Self::from(previous)
            }
        }
    };
}

/// The record at `key`, read through the transaction.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are not what was written.
pub async fn get<R: Record>(tx: &mut dyn Tx, key: &Key) -> Result<Option<R>, StoreError> {
    let encoding = tx.encoding();
    match tx.get(key).await? {
        Some(bytes) => decode(encoding, key, &bytes).map(Some),
        None => Ok(None),
    }
}

/// The records at several keys, in the same order.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are not what was written.
pub async fn get_many<R: Record>(tx: &mut dyn Tx, keys: &[Key]) -> Result<Vec<Option<R>>, StoreError> {
    let encoding = tx.encoding();
    let values = tx.get_many(keys).await?;
    let record = |(key, bytes): (&Key, Option<Vec<u8>>)| bytes.map(|bytes| decode(encoding, key, &bytes)).transpose();
    keys.iter().zip(values).map(record).collect()
}

/// The beginning of the record at `key`, for callers that need no more of it: what follows the fields of `H` is covered
/// by the checksum but not parsed. `H` must match the beginning of `R`.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are not what was written.
pub async fn get_head<R: Record, H: DeserializeOwned + From<R>>(
    tx: &mut dyn Tx,
    key: &Key,
) -> Result<Option<H>, StoreError> {
    let encoding = tx.encoding();
    let Some(bytes) = tx.get(key).await? else { return Ok(None) };
    if encoding == Encoding::Binary {
        let (version, content) = checked(key, &bytes)?;
        if version == R::VERSION {
            let head = options().allow_trailing_bytes().deserialize(content);
            return head.map(Some).map_err(|error| damaged(key, error.to_string()));
        }
    }
    decode::<R>(encoding, key, &bytes).map(|record| Some(H::from(record)))
}

/// Buffers a write of `record` at `key`.
///
/// # Errors
/// [`StoreError::TooLarge`] above [`MAX_RECORD`].
pub fn put<R: Record>(tx: &mut dyn Tx, key: Key, record: &R) -> Result<(), StoreError> {
    let bytes = encode(tx.encoding(), &key, record)?;
    tx.put(key, bytes);
    Ok(())
}

/// The records of a range, decoded.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes of one are not what was written.
pub async fn scan<R: Record>(tx: &mut dyn Tx, range: &Scan) -> Result<Vec<(Key, R)>, StoreError> {
    let encoding = tx.encoding();
    let rows = tx.scan(range).await?;
    rows.into_iter()
        .map(|(key, bytes)| {
            let record = decode(encoding, &key, &bytes)?;
            Ok((key, record))
        })
        .collect()
}

/// Buffers an index entry: a key without a value.
pub fn put_marker(tx: &mut dyn Tx, key: Key) {
    tx.put(key, Vec::new());
}

/// The bytes of `record`, to be stored at `key`.
///
/// # Errors
/// [`StoreError::TooLarge`] above [`MAX_RECORD`]; [`StoreError::Damaged`] if the record cannot be encoded at all (a
/// type that breaks the rules above).
pub fn encode<R: Record>(encoding: Encoding, key: &Key, record: &R) -> Result<Vec<u8>, StoreError> {
    debug_assert_eq!(key.keyspace, R::KEYSPACE, "a record goes into its own keyspace");
    let bytes = match encoding {
        Encoding::Binary => {
            let mut bytes = Vec::with_capacity(320);
            bytes.push(R::VERSION);
            bytes.extend_from_slice(&[0; 4]);
            options().serialize_into(&mut bytes, record).map_err(|error| unencodable(key, &error))?;
            let sum = checksum(key, R::VERSION, bytes.get(HEADER..).unwrap_or_default());
            if let Some(place) = bytes.get_mut(1..HEADER) {
                place.copy_from_slice(&sum.to_le_bytes());
            }
            bytes
        }
        Encoding::Json => {
            let envelope = Written { v: R::VERSION, record };
            serde_json::to_vec(&envelope).map_err(|error| unencodable(key, &error))?
        }
    };
    if bytes.len() > MAX_RECORD {
        return Err(StoreError::TooLarge { size: bytes.len(), limit: MAX_RECORD });
    }
    Ok(bytes)
}

/// The record in `bytes`, which were stored at `key`; older versions are migrated.
///
/// # Errors
/// [`StoreError::Damaged`] for a wrong checksum, an unknown version, or content that is not such a record.
pub fn decode<R: Record>(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<R, StoreError> {
    match encoding {
        Encoding::Binary => {
            let (version, content) = checked(key, bytes)?;
            decode_version(key, version, &|| R::VERSION, content, &BinaryContent)
        }
        Encoding::Json => {
            let envelope: Stored<'_> =
                serde_json::from_slice(bytes).map_err(|error| damaged(key, error.to_string()))?;
            decode_version(key, envelope.v, &|| R::VERSION, envelope.record.get().as_bytes(), &JsonContent)
        }
    }
}

/// Checks the bytes of any record without knowing its type; empty bytes are an index entry.
///
/// # Errors
/// [`StoreError::Damaged`] as in [`decode`].
pub fn check(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
    match encoding {
        _ if bytes.is_empty() => Ok(()),
        Encoding::Binary => checked(key, bytes).map(drop),
        Encoding::Json => {
            let whole: Result<IgnoredAny, _> = serde_json::from_slice(bytes);
            whole.map(drop).map_err(|error| damaged(key, error.to_string()))
        }
    }
}

/// The bytes of any record stored at `from`, converted for storage at `to`: the checksum covers the key.
///
/// # Errors
/// [`StoreError::Damaged`] as in [`decode`].
pub fn moved(encoding: Encoding, from: &Key, to: &Key, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    check(encoding, from, bytes)?;
    if encoding == Encoding::Json || bytes.is_empty() || from == to {
        return Ok(bytes.to_vec());
    }
    let (version, content) = checked(from, bytes)?;
    Ok(sealed(to, version, content))
}

#[derive(Serialize)]
pub(super) struct Written<'a, R> {
    pub(super) v: u8,
    pub(super) record: &'a R,
}

#[derive(serde::Deserialize)]
struct Stored<'a> {
    v: u8,
    #[serde(borrow)]
    record: &'a RawValue,
}

/// Parses the content of one record.
trait Content {
    fn parse<R: Record>(&self, bytes: &[u8]) -> Result<R, String>;
}

struct BinaryContent;
struct JsonContent;

impl Content for BinaryContent {
    fn parse<R: Record>(&self, bytes: &[u8]) -> Result<R, String> {
        options().deserialize(bytes).map_err(|error| error.to_string())
    }
}

impl Content for JsonContent {
    fn parse<R: Record>(&self, bytes: &[u8]) -> Result<R, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }
}

fn decode_version<R: Record, C: Content>(
    key: &Key,
    version: u8,
    newest: &dyn Fn() -> u8,
    content: &[u8],
    how: &C,
) -> Result<R, StoreError> {
    if version == R::VERSION && version != 0 {
        return how.parse(content).map_err(|what| damaged(key, what));
    }
    if version > R::VERSION || R::VERSION == 0 {
        let what =
            format!("version {version} of this record is not known to this sessiond, the newest is {}", newest());
        let way_out = "A newer sessiond wrote it: start that version, or restore an older backup".to_owned();
        return Err(StoreError::Damaged { place: key.to_string(), what, way_out });
    }
    decode_version::<R::Previous, C>(key, version, newest, content, how).map(R::migrate)
}

pub(super) fn checked<'a>(key: &Key, bytes: &'a [u8]) -> Result<(u8, &'a [u8]), StoreError> {
    let Some((&[version, ref sum @ ..], content)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(damaged(key, format!("{} bytes are too few for a record", bytes.len())));
    };
    if u32::from_le_bytes(*sum) != checksum(key, version, content) {
        return Err(damaged(key, "the checksum does not match".to_owned()));
    }
    Ok((version, content))
}

/// Content with its version and checksum prepended.
pub(super) fn sealed(key: &Key, version: u8, content: &[u8]) -> Vec<u8> {
    [&[version], checksum(key, version, content).to_le_bytes().as_slice(), content].concat()
}

fn checksum(key: &Key, version: u8, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[key.keyspace as u8]);
    hasher.update(&key.bytes);
    hasher.update(&[version]);
    hasher.update(content);
    hasher.finalize()
}

/// Variable-length numbers, a length limit against damaged sizes, no trailing bytes.
fn options() -> impl Options {
    bincode::DefaultOptions::new().with_limit(MAX_RECORD as u64).reject_trailing_bytes()
}

pub(super) fn damaged(key: &Key, what: String) -> StoreError {
    // Error messages are one line; those of the decoder may be several.
    let what = if what.contains('\n') { what.split_whitespace().collect::<Vec<_>>().join(" ") } else { what };
    let way_out = "Run `sessiond check`, then `sessiond restore` from a backup or `sessiond salvage`".to_owned();
    StoreError::Damaged { place: key.to_string(), what, way_out }
}

/// A record that cannot be encoded: above the size limit, or a type that breaks the rules of this module.
fn unencodable(key: &Key, error: &dyn std::error::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("size limit") {
        return StoreError::TooLarge { size: MAX_RECORD + 1, limit: MAX_RECORD };
    }
    damaged(key, text)
}
