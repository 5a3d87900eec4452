//! What readers see: the index, overlaid with the rows that have not been written to it yet.

use super::index::{Cursor as IndexCursor, Index, Rows as IndexRows, Stamped};
use super::memtable::{Memtable, MemtableEntry, Range};
use crate::store::StoreError;
use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

/// Entries of a memtable that are read at once.
const PAGE: usize = 64;

/// All rows as of the last frame. Rows only move between the parts; a view that is still being read stays complete.
#[derive(Debug)]
pub(super) struct View {
    /// The memtable that the committer writes to.
    pub(super) young: Arc<Memtable>,
    /// The previous memtable, while the flusher writes it to the index.
    pub(super) flushing: Option<Arc<Memtable>>,
    /// The index, with everything older.
    pub(super) index: Arc<Index>,
}

impl View {
    /// Creates a view of an index that is complete.
    pub(super) fn of(index: Arc<Index>) -> Self {
        Self { young: Arc::default(), flushing: None, index }
    }

    /// The value at a physical key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Stamped>, StoreError> {
        match self.memtables().find_map(|table| table.get(key)) {
            Some(found) => Ok(found),
            None => self.index.get(key),
        }
    }

    /// The frame that wrote the value at a physical key.
    pub(super) fn frame_at(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        match self.memtables().find_map(|table| table.frame_at(key)) {
            Some(found) => Ok(found),
            None => self.index.frame_at(key),
        }
    }

    /// Records in physical key order.
    pub(super) fn rows(&self, range: &Range, reverse: bool) -> Rows<'_> {
        let tables = self.memtables().map(|table| TableRows::new(table, range.clone(), reverse)).collect();
        Rows { tables, index: self.index.rows(range.clone(), reverse), next: None, is_done: false, reverse }
    }

    /// Every record.
    pub(super) fn all(&self) -> Rows<'_> {
        self.rows(&Index::every_record(), false)
    }

    fn memtables(&self) -> impl Iterator<Item = &Memtable> {
        std::iter::once(&*self.young).chain(self.flushing.as_deref())
    }
}

/// Looks up keys in ascending order.
pub(super) struct Cursor<'a> {
    view: &'a View,
    index: IndexCursor<'a>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(view: &'a View) -> Self {
        Self { view, index: IndexCursor::new(&view.index) }
    }

    /// The value at a physical key.
    pub(super) fn get(&mut self, key: &[u8]) -> Result<Option<Stamped>, StoreError> {
        match self.view.memtables().find_map(|table| table.get(key)) {
            Some(found) => Ok(found),
            None => self.index.get(key),
        }
    }
}

/// Iterates over the records of all parts of a view in key order.
pub(super) struct Rows<'a> {
    /// Memtables, the youngest first.
    tables: Vec<TableRows<'a>>,
    index: IndexRows<'a>,
    /// The index's next record, once it has been read.
    next: Option<(Vec<u8>, Stamped)>,
    is_done: bool,
    reverse: bool,
}

impl Rows<'_> {
    /// The next key across all parts.
    fn next_key(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.next.is_none() && !self.is_done {
            self.next = self.index.next().transpose()?;
            self.is_done = self.next.is_none();
        }
        let tables = self.tables.iter_mut().filter_map(|table| table.peek().map(|(key, _)| key));
        let keys = tables.chain(self.next.as_ref().map(|(key, _)| key));
        Ok(if self.reverse { keys.max() } else { keys.min() }.cloned())
    }

    /// Takes the record at a key that comes next in at least one part; `None` if it was removed. The later frame wins:
    /// what was read from the index may be newer than a table that was frozen long ago.
    fn take(&mut self, key: &[u8]) -> Option<Stamped> {
        let mut latest: Option<MemtableEntry> = None;
        for table in &mut self.tables {
            if let Some((_, entry)) = table.take_at(key)
                && latest.as_ref().is_none_or(|(frame, _)| *frame < entry.0)
            {
                latest = Some(entry);
            }
        }
        let stored = self.next.take_if(|(at, _)| at == key).map(|(_, stored)| stored);
        match (latest, stored) {
            (Some((frame, _)), Some(stored)) if stored.0 > frame => Some(stored),
            (Some((frame, value)), _) => value.map(|value| (frame, value.into_vec())),
            (None, stored) => stored,
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<(Vec<u8>, Stamped), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key = match self.next_key() {
                Ok(key) => key?,
                Err(error) => return Some(Err(error)),
            };
            if let Some(stored) = self.take(&key) {
                return Some(Ok((key, stored)));
            }
        }
    }
}

/// Iterates over a memtable, one page at a time.
struct TableRows<'a> {
    table: &'a Memtable,
    /// The range that has not been read yet.
    range: Range,
    page: VecDeque<(Vec<u8>, MemtableEntry)>,
    is_read: bool,
    reverse: bool,
}

impl<'a> TableRows<'a> {
    fn new(table: &'a Memtable, range: Range, reverse: bool) -> Self {
        Self { table, range, page: VecDeque::new(), is_read: false, reverse }
    }

    fn peek(&mut self) -> Option<&(Vec<u8>, MemtableEntry)> {
        if self.page.is_empty() && !self.is_read {
            self.page = self.table.page(&self.range, self.reverse, PAGE).into();
            self.is_read = self.page.len() < PAGE;
            if let Some((last, _)) = self.page.back() {
                let rest = Bound::Excluded(last.clone());
                *(if self.reverse { &mut self.range.1 } else { &mut self.range.0 }) = rest;
            }
        }
        self.page.front()
    }

    fn take_at(&mut self, key: &[u8]) -> Option<(Vec<u8>, MemtableEntry)> {
        self.page.pop_front_if(|(at, _)| at == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sled::flusher::flush;
    use crate::store::sled::journal::frame::Write;
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};
    use std::collections::BTreeMap;

    /// Freezes the young table, or flushes the frozen one, as the committer and the flusher do in turn.
    fn step(view: &View) -> View {
        let index = Arc::clone(&view.index);
        match &view.flushing {
            Some(table) => {
                flush(&index, table, &mut || Ok(())).unwrap();
                View { young: Arc::clone(&view.young), flushing: None, index }
            }
            None => View { young: Arc::default(), flushing: Some(Arc::clone(&view.young)), index },
        }
    }

    fn holds(view: &View, model: &BTreeMap<Vec<u8>, Stamped>, rng: &mut StdRng) {
        let all: Vec<_> = view.all().map(Result::unwrap).collect();
        assert!(all.iter().map(|(key, stored)| (key, stored)).eq(model.iter()));
        let mut cursor = Cursor::new(view);
        for number in 0..40_u8 {
            let key = [1, number];
            let expected = model.get(key.as_slice());
            assert_eq!(view.get(&key).unwrap().as_ref(), expected);
            assert_eq!(view.frame_at(&key).unwrap(), expected.map(|(frame, _)| *frame));
            assert_eq!(cursor.get(&key).unwrap().as_ref(), expected);
        }
        let (start, end) = (rng.random_range(0..40_u8), rng.random_range(0..40_u8));
        if start < end {
            let range = (Bound::Excluded(vec![1, start]), Bound::Included(vec![1, end]));
            let reversed: Vec<_> = view.rows(&range, true).map(Result::unwrap).collect();
            let expected = model.range::<Vec<u8>, _>(range).rev();
            assert!(reversed.iter().map(|(key, stored)| (key, stored)).eq(expected));
        }
    }

    #[test]
    fn wherever_a_row_lies_the_last_write_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let mut view = View::of(Arc::new(Index::open(folder.path(), 1 << 20).unwrap()));
        let mut model = BTreeMap::new();
        for frame in 1..=600_u64 {
            let key = vec![1, rng.random_range(0..40)];
            let value = rng.random_bool(0.7).then(|| frame.to_be_bytes().to_vec());
            view.young.put(frame, &Write { key: &key, value: value.as_deref() });
            match value {
                Some(value) => _ = model.insert(key, (frame, value)),
                None => _ = model.remove(&key),
            }
            if rng.random_bool(0.1) {
                view = step(&view);
            }
            if frame % 10 == 0 {
                holds(&view, &model, &mut rng);
            }
        }
        view = step(&step(&step(&view)));
        assert_eq!(view.index.frame().unwrap(), 600);
        let written: Vec<_> = view.index.all().map(Result::unwrap).collect();
        assert!(written.iter().map(|(key, stored)| (key, stored)).eq(model.iter()));
    }

    #[test]
    fn a_walk_that_began_before_a_flush_shows_nothing_older_than_it_found() {
        let folder = tempfile::tempdir().unwrap();
        let view = View::of(Arc::new(Index::open(folder.path(), 1 << 20).unwrap()));
        view.young.put(1, &Write { key: &[1, 1], value: Some(b"old") });
        let mut rows = view.all();
        let later = step(&step(&view));
        later.young.put(2, &Write { key: &[1, 1], value: Some(b"new") });
        step(&step(&later));
        assert_eq!(rows.next().unwrap().unwrap(), (vec![1, 1], (2, b"new".to_vec())));
        assert!(rows.next().is_none());
    }
}
