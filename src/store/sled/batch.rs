//! Rows on their way into the index, many at a time.
//!
//! They fill its leaves in three passes (`leaves`), so most of what the first pass writes to sled's file is soon
//! rewritten. A batch is several times as large as a segment of that file: what the first pass writes then fills
//! segments of its own, which become free when the batch is done. With small batches every segment would keep some live
//! data, and the file would hold half of everything ever written.
//! what was ever written.

use super::index::Index;
use super::journal::frame::Write;
use super::snapshot::SnapshotEntry;
use crate::store::StoreError;
use std::thread::ScopedJoinHandle;

/// Fewer rows than this are not worth a thread.
const MIN_PART: usize = 1 << 10;

/// Rows to write, in key order.
#[derive(Default)]
pub(super) struct Batch {
    rows: Vec<Row>,
    /// Keys and values.
    bytes: Vec<u8>,
}

struct Row {
    frame: u64,
    key: usize,
    value: Option<usize>,
}

impl Batch {
    /// A batch of this many rows is written, however small they are.
    const ROWS: usize = 64 << 10;
    /// A batch of about this many bytes is written.
    const BYTES: usize = 8 << 20;

    /// Adds a row, or the removal of one; true once there are enough of them to write.
    pub(super) fn add(&mut self, entry: &SnapshotEntry<'_>) -> bool {
        self.rows.push(Row { frame: entry.frame, key: entry.key.len(), value: entry.value.map(<[u8]>::len) });
        self.bytes.extend_from_slice(entry.key);
        self.bytes.extend_from_slice(entry.value.unwrap_or_default());
        self.rows.len() >= Self::ROWS || self.bytes.len() >= Self::BYTES
    }

    /// Writes everything added so far, on all cores.
    pub(super) fn write(&mut self, index: &Index) -> Result<(), StoreError> {
        apply(index, &self.writes())?;
        self.clear();
        Ok(())
    }

    /// Writes everything added so far, on this thread only. Calls `pause` from time to time.
    pub(super) fn write_gently(
        &mut self,
        index: &Index,
        pause: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        index.apply(&self.writes(), pause)?;
        self.clear();
        Ok(())
    }

    fn writes(&self) -> Vec<(u64, Write<'_>)> {
        let mut rest = self.bytes.as_slice();
        let mut next = |length: usize| rest.split_off(..length).unwrap_or_default();
        let write = |row: &Row| (row.frame, Write { key: next(row.key), value: row.value.map(&mut next) });
        self.rows.iter().map(write).collect()
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.bytes.clear();
    }
}

/// Applies the writes of several frames, sorted by key, on as many cores as pay off.
pub(super) fn apply(index: &Index, sorted: &[(u64, Write<'_>)]) -> Result<(), StoreError> {
    let apply = |part: &[(u64, Write<'_>)]| index.apply(part, &mut || Ok(()));
    if sorted.len() <= MIN_PART {
        return apply(sorted);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = sorted.len().div_ceil(cores).max(MIN_PART);
    let (first, others) = sorted.split_at(part.min(sorted.len()));
    std::thread::scope(|scope| {
        let others: Vec<_> = others.chunks(part).map(|part| scope.spawn(move || apply(part))).collect();
        let first = apply(first);
        let ended = |thread: ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|_| Err(panicked()));
        others.into_iter().map(ended).fold(first, Result::and)
    })
}

fn panicked() -> StoreError {
    StoreError::Stopped { reason: "a thread that wrote the index panicked".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_threads_write_is_what_was_added() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), 1 << 20).unwrap();
        let keys: Vec<_> =
            (0_u32..).take(5 * MIN_PART).map(|row| [[1].as_slice(), &row.to_be_bytes()].concat()).collect();
        let fill = |frame, is_kept: &dyn Fn(usize) -> bool| {
            let mut batch = Batch::default();
            for (row, key) in keys.iter().enumerate() {
                let value = is_kept(row).then_some(key.as_slice());
                assert!(!batch.add(&SnapshotEntry { key, frame, value }));
            }
            batch.write(&index).unwrap();
            assert!(batch.writes().is_empty());
        };
        let held = || index.all().map(|row| row.map(|(key, (frame, value))| (key, frame, value)).unwrap());
        fill(1, &|_| true);
        assert!(held().eq(keys.iter().map(|key| (key.clone(), 1, key.clone()))));
        fill(2, &|row| row % 3 == 0);
        assert!(held().eq(keys.iter().step_by(3).map(|key| (key.clone(), 2, key.clone()))));
    }

    #[test]
    fn a_batch_is_full_by_rows_or_by_bytes() {
        let mut batch = Batch::default();
        let small = SnapshotEntry { key: &[1], frame: 1, value: None };
        assert_eq!((1..).find(|_| batch.add(&small)), Some(Batch::ROWS));
        let large = vec![0; Batch::BYTES / 2];
        batch.clear();
        let large = SnapshotEntry { key: &[1], frame: 1, value: Some(&large) };
        assert_eq!((batch.add(&large), batch.add(&large)), (false, true));
    }
}
