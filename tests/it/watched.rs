//! [`Watched`]: an in-memory engine that counts accesses, and fails, conflicts or stops responding when the test says
//! so.

use async_trait::async_trait;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{CommitError, Encoding, Engine, EngineStats, Key, Keyspace, Scan, StoreError, Tx};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The error of a failing store.
pub(crate) const REASON: &str = "the test says so";

/// The engine; its copies share the same state.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<Watch>);

/// The accesses so far, and what is to happen.
#[derive(Default)]
pub(crate) struct Watch {
    /// The engine below.
    pub(crate) inner: Arc<MemoryEngine>,
    /// Transactions begun.
    pub(crate) begun: Count,
    /// Values read.
    pub(crate) gets: Count,
    /// Rows returned by scans.
    pub(crate) rows: Count,
    /// Most writes of one committed transaction.
    pub(crate) largest: Count,
    /// Nothing can be read.
    pub(crate) unreadable: AtomicBool,
    /// Commits that still conflict before others succeed.
    pub(crate) conflicts: Count,
    /// Commits that still succeed before all fail; 0 for no limit, 1 for none.
    pub(crate) left: Count,
    /// Commits let other tasks run before they return.
    yields: AtomicBool,
    mood: Mutex<Mood>,
}

/// The outcome of a commit.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Works,
    /// The disk is full.
    Refuses,
    /// The commit succeeds, but the caller never learns of it.
    FallsSilent,
}

/// A number that test and engine share.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self, number: usize) {
        self.0.store(number, Ordering::SeqCst);
    }

    fn add(&self, number: usize) {
        self.0.fetch_add(number, Ordering::SeqCst);
    }

    /// Decrements it; returns the previous value.
    fn take(&self) -> usize {
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
        taken.unwrap_or_default()
    }
}

impl Watched {
    /// An engine whose commits let other tasks run before they return.
    pub(crate) fn yielding() -> Self {
        let engine = Self::default();
        engine.yields.store(true, Ordering::SeqCst);
        engine
    }
}

impl Deref for Watched {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.0
    }
}

impl Watch {
    /// From now on commits end like this.
    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// Whether a commit may proceed.
    fn admit(&self) -> Result<Mood, CommitError> {
        if self.conflicts.take() > 0 {
            return Err(CommitError::Conflict);
        }
        if self.left.take() == 1 {
            self.left.set(1);
            return Err(StoreError::Stopped { reason: REASON.to_owned() }.into());
        }
        let mood = *self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        match mood {
            Mood::Refuses => Err(StoreError::DiskFull { path: "data".to_owned() }.into()),
            mood => Ok(mood),
        }
    }
}

#[async_trait]
impl Engine for Watched {
    fn begin(&self) -> Box<dyn Tx> {
        self.begun.add(1);
        Box::new(WatchedTx { engine: self.clone(), inner: self.inner.begin(), writes: 0 })
    }

    fn encoding(&self) -> Encoding {
        self.inner.encoding()
    }

    fn stats(&self) -> EngineStats {
        self.inner.stats()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

struct WatchedTx {
    engine: Watched,
    inner: Box<dyn Tx>,
    writes: usize,
}

#[async_trait]
impl Tx for WatchedTx {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.gets.add(1);
        if self.engine.unreadable.load(Ordering::SeqCst) {
            return Err(StoreError::Stopped { reason: REASON.to_owned() });
        }
        self.inner.get(key).await
    }

    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.writes += 1;
        self.inner.put(key, value);
    }

    fn delete(&mut self, key: Key) {
        self.writes += 1;
        self.inner.delete(key);
    }

    fn add(&mut self, key: Key, delta: i64) {
        self.writes += 1;
        self.inner.add(key, delta);
    }

    fn has_written(&self, keyspace: Keyspace) -> bool {
        self.inner.has_written(keyspace)
    }

    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let rows = self.inner.scan(scan).await?;
        self.engine.rows.add(rows.len());
        Ok(rows)
    }

    fn encoding(&self) -> Encoding {
        self.inner.encoding()
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        let mood = self.engine.admit()?;
        self.engine.largest.0.fetch_max(self.writes, Ordering::SeqCst);
        self.inner.commit().await?;
        if mood == Mood::FallsSilent {
            std::future::pending::<()>().await;
        }
        if self.engine.yields.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
