//! Size limits enforced by every engine, so that no command works on one engine and fails on another.

use super::StoreError;
use super::buffer::Buffer;

/// Longest key, in bytes. Index pages of the embedded engine hold 256 keys and must stay far below its blob limit.
pub const MAX_KEY: usize = 2048;
/// Maximum number of bytes in one transaction, keys and values together.
pub const MAX_TRANSACTION: usize = 64 << 20;

/// Rejects what no engine accepts.
pub(crate) fn check(buffer: &Buffer) -> Result<(), StoreError> {
    let mut total = 0;
    let writes = buffer.writes.iter().map(|(key, value)| (key, value.as_ref().map_or(0, Vec::len)));
    for (key, size) in writes.chain(buffer.adds.keys().map(|key| (key, size_of::<i64>()))) {
        if key.bytes.len() > MAX_KEY {
            return Err(StoreError::TooLarge { size: key.bytes.len(), limit: MAX_KEY });
        }
        if size > super::codec::MAX_RECORD {
            return Err(StoreError::TooLarge { size, limit: super::codec::MAX_RECORD });
        }
        total += key.bytes.len() + size;
    }
    if total > MAX_TRANSACTION {
        return Err(StoreError::TooLarge { size: total, limit: MAX_TRANSACTION });
    }
    Ok(())
}
