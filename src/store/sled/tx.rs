//! A transaction on the sled engine.

use super::index::{self, Stamped};
use super::journal::frame;
use super::queue::{Add, Read, Request};
use super::shared::{self, SledShared};
use super::view::Cursor;
use crate::store::buffer::{self, Buffer};
use crate::store::{CommitError, Encoding, Key, Keyspace, Scan, StoreError, Tx, limits};
use async_trait::async_trait;
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// How often a read-only commit tries to check its reads before it leaves this to the committer.
const MAX_ATTEMPTS: usize = 3;

pub(super) struct SledTx {
    shared: Arc<SledShared>,
    begin: u64,
    buffer: Buffer,
}

impl SledTx {
    pub(super) fn new(shared: Arc<SledShared>) -> Self {
        let begin = shared.published.load(Ordering::Acquire);
        Self { shared, begin, buffer: Buffer::default() }
    }

    fn stored(&self, key: &Key) -> Result<Option<Stamped>, StoreError> {
        let view = self.shared.view()?;
        view.as_ref().map_or(Ok(None), |view| view.get(&index::physical(key)))
    }

    /// Checks whether all reads are still current at a single moment. `None` if a group is being made visible in the
    /// meantime.
    fn reads_hold(&self) -> Result<Option<bool>, StoreError> {
        let epoch = self.shared.epoch.load(Ordering::Acquire);
        if epoch % 2 == 1 {
            return Ok(None);
        }
        let view = self.shared.view()?;
        let Some(view) = view.as_ref() else { return Err(shared::closed()) };
        for (key, seen) in &self.buffer.reads {
            if view.frame_at(&index::physical(key))? != *seen {
                return Ok(Some(false));
            }
        }
        std::sync::atomic::fence(Ordering::Acquire);
        let same = self.shared.epoch.load(Ordering::Acquire) == epoch;
        Ok(same.then_some(true))
    }

    fn request(self) -> (Request, oneshot::Receiver<Result<(), CommitError>>) {
        let (reply, answer) = oneshot::channel();
        let shared = &self.shared;
        let read = |(key, seen): (Key, Option<u64>)| {
            let key = index::physical(&key);
            Read { hash: shared.hash(&key), key, seen }
        };
        let reads = self.buffer.reads.into_iter().map(read).collect();
        let size: usize = self
            .buffer
            .writes
            .iter()
            .map(|(key, value)| key.bytes.len() + 7 + value.as_ref().map_or(0, Vec::len))
            .sum();
        let mut body = Vec::with_capacity(size);
        let mut written = Vec::with_capacity(self.buffer.writes.len());
        for (key, value) in &self.buffer.writes {
            let start = body.len() + frame::WRITE_HEADER;
            frame::push_write(&mut body, key.keyspace as u8, &key.bytes, value.as_deref());
            let physical = body.get(start..=start + key.bytes.len()).unwrap_or_default();
            written.push(shared.hash(physical));
        }
        let adds = self.buffer.adds.into_iter().map(|(key, delta)| {
            let hash = shared.hash(&index::physical(&key));
            Add { hash, key, delta }
        });
        let adds = adds.collect();
        (Request { begin: self.begin, reads, body, written, adds, reply }, answer)
    }
}

#[async_trait]
impl Tx for SledTx {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(own) = self.buffer.own(key) {
            return self.buffer.with_adds(Encoding::Binary, key, own);
        }
        let stored = self.stored(key)?;
        self.buffer.record_read(key, stored.as_ref().map(|(frame, _)| *frame));
        self.buffer.with_adds(Encoding::Binary, key, stored.map(|(_, value)| value))
    }

    async fn get_many(&mut self, keys: &[Key]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut physical: Vec<_> = keys.iter().map(index::physical).zip(keys).collect();
        physical.sort();
        let mut stored = HashMap::with_capacity(keys.len());
        {
            let view = self.shared.view()?;
            let Some(view) = view.as_ref() else { return Err(shared::closed()) };
            let mut cursor = Cursor::new(view);
            for (at, key) in &physical {
                stored.insert(*key, cursor.get(at)?);
            }
        }
        let value = |key| {
            if let Some(own) = self.buffer.own(key) {
                return self.buffer.with_adds(Encoding::Binary, key, own);
            }
            let stored = stored.get(key).cloned().flatten();
            self.buffer.record_read(key, stored.as_ref().map(|(frame, _)| *frame));
            self.buffer.with_adds(Encoding::Binary, key, stored.map(|(_, value)| value))
        };
        keys.iter().map(value).collect()
    }

    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.buffer.write(key, Some(value));
    }

    fn delete(&mut self, key: Key) {
        self.buffer.write(key, None);
    }

    fn add(&mut self, key: Key, delta: i64) {
        self.buffer.add(key, delta);
    }

    fn has_written(&self, keyspace: Keyspace) -> bool {
        self.buffer.has_written(keyspace)
    }

    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let Some((start, end)) = buffer::bounds(scan) else { return Ok(Vec::new()) };
        let physical = |bound: Bound<Key>| match bound {
            Bound::Included(key) => Bound::Included(index::physical(&key)),
            Bound::Excluded(key) => Bound::Excluded(index::physical(&key)),
            Bound::Unbounded => Bound::Excluded(vec![index::RECORDS_END]),
        };
        let view = self.shared.view()?;
        let Some(view) = view.as_ref() else { return Err(shared::closed()) };
        let rows = view.rows(&(physical(start), physical(end)), scan.reverse);
        let mut rows = rows.filter_map(|row| match row {
            Ok((key, (_, value))) => index::logical(&key).map(|key| Ok((key, value))),
            Err(error) => Some(Err(error)),
        });
        self.buffer.merge(scan, &mut rows)
    }

    fn encoding(&self) -> Encoding {
        Encoding::Binary
    }

    async fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        self.buffer.fold_adds(Encoding::Binary)?;
        limits::check(&self.buffer)?;
        if self.buffer.writes.is_empty() && self.buffer.adds.is_empty() {
            for _ in 0..MAX_ATTEMPTS {
                match self.reads_hold()? {
                    Some(true) => return Ok(()),
                    Some(false) => {
                        self.shared.counters.conflicts.fetch_add(1, Ordering::Relaxed);
                        return Err(CommitError::Conflict);
                    }
                    None => tokio::task::yield_now().await,
                }
            }
        }
        let shared = Arc::clone(&self.shared);
        let (request, answer) = self.request();
        shared.queue.push(request)?;
        match answer.await {
            Ok(outcome) => outcome,
            // Dropped without a reply: the committer has ended.
            Err(_) => {
                let reason = shared.queue.stopped().unwrap_or_else(|| "the committer has ended".to_owned());
                Err(StoreError::Stopped { reason }.into())
            }
        }
    }
}
