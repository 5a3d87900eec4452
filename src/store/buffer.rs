//! The state of a transaction in every engine: the stamps of what it has read, and the writes it buffers.

use super::{Encoding, Key, Keyspace, Scan, StoreError, counter};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Reads and writes of one transaction. A stamp names the commit that wrote a value; `None` is an absent key.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Keys with the stamp seen at their first read; later reads must match it at commit.
    pub(crate) reads: BTreeMap<Key, Option<u64>>,
    /// Keys with their new value, or `None` for a removal.
    pub(crate) writes: BTreeMap<Key, Option<Vec<u8>>>,
    /// Keys with the amount added to their counter, on top of any write to it.
    pub(crate) adds: BTreeMap<Key, i64>,
}

impl Buffer {
    /// Buffers a write or a removal; earlier additions no longer count.
    pub(crate) fn write(&mut self, key: Key, value: Option<Vec<u8>>) {
        self.adds.remove(&key);
        self.writes.insert(key, value);
    }

    /// Whether there is a write to this keyspace.
    pub(crate) fn has_written(&self, keyspace: Keyspace) -> bool {
        self.writes.range(Key::of(keyspace)..).next().is_some_and(|(key, _)| key.keyspace == keyspace)
    }

    /// Buffers an addition.
    pub(crate) fn add(&mut self, key: Key, delta: i64) {
        let sum = self.adds.entry(key).or_default();
        *sum = sum.saturating_add(delta);
    }

    /// This transaction's own write at `key`, if it has one, without its additions.
    pub(crate) fn own(&self, key: &Key) -> Option<Option<Vec<u8>>> {
        if self.writes.is_empty() { None } else { self.writes.get(key).cloned() }
    }

    /// The value at `key` after applying this transaction's additions to `value`.
    pub(crate) fn with_adds(
        &self,
        encoding: Encoding,
        key: &Key,
        value: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(delta) = self.adds.get(key) else { return Ok(value) };
        let number = counter::decode(encoding, key, value.as_deref())?;
        Ok(counter::encode(encoding, key, number.saturating_add(*delta)))
    }

    /// Before the commit: turns additions to what this transaction has itself written into part of the write.
    pub(crate) fn fold_adds(&mut self, encoding: Encoding) -> Result<(), StoreError> {
        let own: Vec<Key> = self.adds.keys().filter(|key| self.writes.contains_key(key)).cloned().collect();
        for key in own {
            let value = self.with_adds(encoding, &key, self.own(&key).flatten())?;
            self.write(key, value);
        }
        Ok(())
    }

    /// Records what a read saw. The first stamp is kept: a value that changed in between is a conflict at commit.
    pub(crate) fn record_read(&mut self, key: &Key, stamp: Option<u64>) {
        if !self.reads.contains_key(key) {
            self.reads.insert(key.clone(), stamp);
        }
    }

    /// `stored` (in the scan's order) merged with this transaction's own writes, up to the scan's limit.
    pub(crate) fn merge(
        &self,
        scan: &Scan,
        stored: &mut dyn Iterator<Item = Result<(Key, Vec<u8>), StoreError>>,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        let Some(range) = bounds(scan) else { return Ok(found) };
        let mut own: Box<dyn Iterator<Item = (&Key, &Option<Vec<u8>>)>> =
            if scan.reverse { Box::new(self.writes.range(range).rev()) } else { Box::new(self.writes.range(range)) };
        let mut next_own = own.next();
        let mut next_stored = None;
        while found.len() < scan.limit {
            if next_stored.is_none() {
                next_stored = stored.next().transpose()?;
            }
            let order = match (&next_own, &next_stored) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((own, _)), Some((stored, _))) if scan.reverse => stored.cmp(own),
                (Some((own, _)), Some((stored, _))) => (*own).cmp(stored),
            };
            if order != Ordering::Less {
                let row = next_stored.take();
                if order == Ordering::Greater {
                    found.extend(row);
                }
            }
            if order != Ordering::Greater {
                if let Some((key, Some(value))) = next_own {
                    found.push((key.clone(), value.clone()));
                }
                next_own = own.next();
            }
        }
        Ok(found)
    }
}

/// The scan's range; `None` if it is empty.
pub(crate) fn bounds(scan: &Scan) -> Option<(Bound<Key>, Bound<Key>)> {
    let end = match &scan.end {
        Some(end) if *end <= scan.start => return None,
        Some(end) => Bound::Excluded(end.clone()),
        None => match Keyspace::ALL.into_iter().find(|keyspace| *keyspace > scan.start.keyspace) {
            Some(next) => Bound::Excluded(Key::of(next)),
            None => Bound::Unbounded,
        },
    };
    Some((Bound::Included(scan.start.clone()), end))
}
