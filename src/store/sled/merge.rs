//! One sorted view of a snapshot and the journal frames after it, in bounded memory.
//!
//! Journal writes are collected in slices; a full slice is sorted and spilled as a run. Runs and snapshot are then
//! merged; of several entries for one key, the one with the highest frame wins.

use super::folder::FolderId;
use super::io;
use super::journal::{Frames, frame};
use super::snapshot::{SnapshotEntry, SnapshotHeader, SnapshotReader, SnapshotWriter};
use crate::store::StoreError;
use std::path::{Path, PathBuf};

/// Memory for one slice of journal writes.
const SLICE: usize = 8 << 20;

/// Entries in key order, one per key, including removals.
#[derive(Debug, Default)]
pub(super) struct Merge {
    sources: Vec<Source>,
    /// Sources whose next entry has the current key.
    current: Vec<usize>,
    /// The one of them with the highest frame.
    winner: usize,
    _spilled: Option<Spilled>,
}

#[derive(Debug)]
enum Source {
    File(Box<SnapshotReader>),
    Slice(Sorted),
}

impl Source {
    fn advance(&mut self) -> Result<bool, StoreError> {
        match self {
            Self::File(reader) => reader.advance(),
            Self::Slice(slice) => Ok(slice.advance()),
        }
    }

    fn entry(&self) -> SnapshotEntry<'_> {
        match self {
            Self::File(reader) => reader.entry(),
            Self::Slice(slice) => slice.entry(),
        }
    }
}

impl Merge {
    /// Collects `frames` and merges them with `base`; runs are spilled to the folder `scratch`, which is removed
    /// afterwards.
    pub(super) fn new(base: Option<SnapshotReader>, frames: &mut Frames, scratch: &Path) -> Result<Self, StoreError> {
        let mut collector = Collector::new(scratch);
        let mut body = Vec::new();
        while let Some((number, _)) = frames.next(&mut body)? {
            collector.add_frame(number, &body)?;
        }
        collector.merge(base.into_iter().collect())
    }

    /// Moves to the next key; false after the last.
    pub(super) fn advance(&mut self) -> Result<bool, StoreError> {
        // In reverse, because removing an element shifts those after it.
        for index in std::mem::take(&mut self.current).into_iter().rev() {
            let more = self.sources.get_mut(index).map_or(Ok(false), Source::advance)?;
            if !more {
                self.sources.remove(index);
            }
        }
        self.find_lowest();
        Ok(!self.current.is_empty())
    }

    fn find_lowest(&mut self) {
        let mut lowest: Option<SnapshotEntry<'_>> = None;
        for (index, source) in self.sources.iter().enumerate() {
            let entry = source.entry();
            let order = lowest.map_or(std::cmp::Ordering::Less, |lowest| entry.key.cmp(lowest.key));
            if order.is_gt() {
                continue;
            }
            if order.is_lt() {
                self.current.clear();
            }
            self.current.push(index);
            // Of two entries with the same frame, the later source has the later write.
            if order.is_lt() || lowest.is_some_and(|lowest| entry.frame >= lowest.frame) {
                self.winner = index;
                lowest = Some(entry);
            }
        }
    }

    /// The entry that [`Self::advance`] moved to.
    pub(super) fn entry(&self) -> SnapshotEntry<'_> {
        let nothing = SnapshotEntry { key: &[], frame: 0, value: None };
        self.sources.get(self.winner).map_or(nothing, Source::entry)
    }
}

/// Takes writes in any key order and turns them into sorted sources.
#[derive(Debug)]
pub(super) struct Collector {
    scratch: PathBuf,
    slice: Slice,
    runs: Vec<PathBuf>,
    spilled: Option<Spilled>,
}

impl Collector {
    pub(super) fn new(scratch: &Path) -> Self {
        Self { scratch: scratch.to_owned(), slice: Slice::default(), runs: Vec::new(), spilled: None }
    }

    /// Adds a frame's writes.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if its body is malformed; the writes before the malformed one have been added.
    pub(super) fn add_frame(&mut self, number: u64, body: &[u8]) -> Result<(), StoreError> {
        for write in frame::writes(body) {
            let write = write.map_err(|malformed| malformed.of(number))?;
            self.add(&SnapshotEntry { key: write.key, frame: number, value: write.value })?;
        }
        Ok(())
    }

    /// Adds one entry; of two with the same key and frame, the later one wins.
    pub(super) fn add(&mut self, entry: &SnapshotEntry<'_>) -> Result<(), StoreError> {
        if self.slice.size() + entry.key.len() + entry.value.map_or(0, <[u8]>::len) > SLICE {
            self.spill()?;
        }
        self.slice.add(entry);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), StoreError> {
        if self.slice.entries.is_empty() {
            return Ok(());
        }
        if self.spilled.is_none() {
            io::remove_directory(&self.scratch)?;
            io::create_directory(&self.scratch)?;
            self.spilled = Some(Spilled(self.scratch.clone()));
        }
        let path = self.scratch.join(format!("{}.run", self.runs.len()));
        let mut writer = SnapshotWriter::create(&path, &SnapshotHeader { id: FolderId::default(), frame: 0, time: 0 })?;
        let mut sorted = std::mem::take(&mut self.slice).sort();
        while sorted.advance() {
            writer.push(&sorted.entry())?;
        }
        writer.finish()?;
        self.runs.push(path);
        Ok(())
    }

    /// Merges everything that was added with `bases`.
    pub(super) fn merge(mut self, bases: Vec<SnapshotReader>) -> Result<Merge, StoreError> {
        let mut sources: Vec<Source> = bases.into_iter().map(|reader| Source::File(Box::new(reader))).collect();
        for run in &self.runs {
            sources.push(Source::File(Box::new(SnapshotReader::open(run, None)?)));
        }
        sources.push(Source::Slice(std::mem::take(&mut self.slice).sort()));
        let mut standing = Vec::new();
        for mut source in sources {
            if source.advance()? {
                standing.push(source);
            }
        }
        Ok(Merge { sources: standing, current: Vec::new(), winner: 0, _spilled: self.spilled.take() })
    }
}

/// Removes the runs once they are no longer read.
#[derive(Debug)]
struct Spilled(PathBuf);

impl Drop for Spilled {
    fn drop(&mut self) {
        if let Err(error) = io::remove_directory(&self.0) {
            tracing::warn!(%error, "cannot remove temporary files");
        }
    }
}

/// Writes in the order in which they were made, in one buffer.
#[derive(Debug, Default)]
struct Slice {
    bytes: Vec<u8>,
    entries: Vec<MergePlace>,
}

#[derive(Debug, Clone, Copy)]
struct MergePlace {
    start: usize,
    key: usize,
    value: Option<usize>,
    frame: u64,
}

impl Slice {
    fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * (size_of::<MergePlace>() + size_of::<usize>())
    }

    fn add(&mut self, entry: &SnapshotEntry<'_>) {
        self.entries.push(MergePlace {
            start: self.bytes.len(),
            key: entry.key.len(),
            value: entry.value.map(<[u8]>::len),
            frame: entry.frame,
        });
        self.bytes.extend_from_slice(entry.key);
        self.bytes.extend_from_slice(entry.value.unwrap_or_default());
    }

    fn entry(&self, place: &MergePlace) -> SnapshotEntry<'_> {
        let value_start = place.start + place.key;
        SnapshotEntry {
            key: self.bytes.get(place.start..value_start).unwrap_or_default(),
            frame: place.frame,
            value: place.value.map(|length| self.bytes.get(value_start..value_start + length).unwrap_or_default()),
        }
    }

    fn sort(self) -> Sorted {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        let key = |index: usize| self.entries.get(index).map(|place| self.entry(place));
        // By key; for one key the newest first: the highest frame, and within it the last write.
        order.sort_unstable_by(|left, right| {
            let (a, b) = (key(*left), key(*right));
            let keys = a.map(|a| a.key).cmp(&b.map(|b| b.key));
            keys.then_with(|| b.map(|b| b.frame).cmp(&a.map(|a| a.frame))).then_with(|| right.cmp(left))
        });
        order.dedup_by(|later, kept| key(*later).map(|entry| entry.key) == key(*kept).map(|entry| entry.key));
        Sorted { slice: self, order: order.into_iter(), at: None }
    }
}

#[derive(Debug)]
struct Sorted {
    slice: Slice,
    order: std::vec::IntoIter<usize>,
    at: Option<MergePlace>,
}

impl Sorted {
    fn advance(&mut self) -> bool {
        self.at = self.order.next().and_then(|index| self.slice.entries.get(index).copied());
        self.at.is_some()
    }

    fn entry(&self) -> SnapshotEntry<'_> {
        let nothing = SnapshotEntry { key: &[], frame: 0, value: None };
        self.at.as_ref().map_or(nothing, |place| self.slice.entry(place))
    }
}
