//! Rows that are in the journal but not yet in the index: a sorted table in memory that readers consult first.
//!
//! Changing a leaf of the index costs far more than changing a row, and a row of an active session changes often. So
//! the committer writes into a memtable; when it is full, the flusher writes it into the index in key order, without
//! holding up commits, and writes every row once, however often it has changed. This is the memtable of log-structured
//! merge trees (O'Neil et al., "The Log-Structured Merge-Tree", 1996), with one level below it. A crash loses nothing:
//! the journal is the truth.

use super::index::Stamped;
use super::journal::frame::Write;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Approximate memory overhead of a row.
const OVERHEAD: usize = 96;

/// The last write of a key: the frame, and the value; `None` for a removal.
pub(super) type MemtableEntry = (u64, Option<Box<[u8]>>);

/// Rows sorted by physical key. One thread writes, any number of threads read.
#[derive(Debug, Default)]
pub(super) struct Memtable {
    rows: RwLock<BTreeMap<Box<[u8]>, MemtableEntry>>,
    bytes: AtomicUsize,
    last: AtomicU64,
}

impl Memtable {
    /// Adds a write of `frame`. Readers see either the old or the new row, never neither.
    pub(super) fn put(&self, frame: u64, write: &Write<'_>) {
        let entry: MemtableEntry = (frame, write.value.map(Box::from));
        let size = write.value.map_or(0, <[u8]>::len);
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        match rows.get_mut(write.key) {
            Some(there) => {
                let before = there.1.as_ref().map_or(0, |value| value.len());
                *there = entry;
                drop(rows);
                self.bytes.fetch_add(size, Ordering::Relaxed);
                self.bytes.fetch_sub(before, Ordering::Relaxed);
            }
            None => {
                rows.insert(write.key.into(), entry);
                drop(rows);
                self.bytes.fetch_add(size + write.key.len() + OVERHEAD, Ordering::Relaxed);
            }
        }
        self.last.store(frame, Ordering::Release);
    }

    /// The last write of a key: `None` if there is none here, `Some(None)` if the key was removed.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<Stamped>> {
        let rows = self.read();
        let (frame, value) = rows.get(key)?;
        Some(value.as_ref().map(|value| (*frame, value.to_vec())))
    }

    /// The frame of the last write of a key: like [`Memtable::get`], without the value.
    pub(super) fn frame_at(&self, key: &[u8]) -> Option<Option<u64>> {
        let rows = self.read();
        let (frame, value) = rows.get(key)?;
        Some(value.as_ref().map(|_| *frame))
    }

    /// Returns up to `limit` entries of a range, from its beginning or, in reverse, from its end.
    pub(super) fn page(&self, range: &Range, reverse: bool, limit: usize) -> Vec<(Vec<u8>, MemtableEntry)> {
        let bounds = (bound(&range.0), bound(&range.1));
        if is_empty(&bounds) {
            return Vec::new();
        }
        let rows = self.read();
        let copies = rows.range::<[u8], _>(bounds).map(|(key, entry)| (key.to_vec(), entry.clone()));
        if reverse { copies.rev().take(limit).collect() } else { copies.take(limit).collect() }
    }

    /// Calls `look` with all entries in key order; `look` must not read or write this table. For a table that is no
    /// longer written to.
    pub(super) fn with_all<T>(&self, look: impl FnOnce(&[(u64, Write<'_>)]) -> T) -> T {
        let rows = self.read();
        let sorted: Vec<_> =
            rows.iter().map(|(key, (frame, value))| (*frame, Write { key, value: value.as_deref() })).collect();
        look(&sorted)
    }

    /// Approximate memory used by the rows, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The last frame with a write in this table; 0 if there is none.
    pub(super) fn last_frame(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Box<[u8]>, MemtableEntry>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A range of physical keys.
pub(super) type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

fn bound(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// `BTreeMap::range` panics on a range whose bounds are reversed.
fn is_empty((start, end): &(Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match (start, end) {
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start), Bound::Excluded(end))
        | (Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => start >= end,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write<'a>(key: &'a [u8], value: Option<&'a [u8]>) -> Write<'a> {
        Write { key, value }
    }

    #[test]
    fn the_last_write_of_a_key_counts_and_a_removal_is_one() {
        let table = Memtable::default();
        assert_eq!((table.get(b"a"), table.frame_at(b"a"), table.last_frame()), (None, None, 0));
        table.put(1, &write(b"a", Some(b"one")));
        table.put(2, &write(b"a", Some(b"three")));
        assert_eq!(table.get(b"a"), Some(Some((2, b"three".to_vec()))));
        let bytes = table.bytes();
        table.put(3, &write(b"a", None));
        assert_eq!((table.get(b"a"), table.frame_at(b"a"), table.last_frame()), (Some(None), Some(None), 3));
        assert_eq!(table.bytes(), bytes - 5);
    }

    #[test]
    fn pages_go_both_ways_and_empty_ranges_are_empty() {
        let table = Memtable::default();
        for key in [b"a", b"b", b"c", b"d"] {
            table.put(1, &write(key, Some(key)));
        }
        let keys = |start: Bound<&[u8]>, end: Bound<&[u8]>, reverse, limit| {
            let range = (start.map(<[u8]>::to_vec), end.map(<[u8]>::to_vec));
            let page = table.page(&range, reverse, limit);
            page.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<String>()
        };
        assert_eq!(keys(Bound::Included(b"b"), Bound::Unbounded, false, 2), "bc");
        assert_eq!(keys(Bound::Unbounded, Bound::Excluded(b"d"), true, 9), "cba");
        assert_eq!(keys(Bound::Excluded(b"b"), Bound::Excluded(b"b"), false, 9), "");
        assert_eq!(keys(Bound::Included(b"c"), Bound::Included(b"b"), true, 9), "");
    }
}
