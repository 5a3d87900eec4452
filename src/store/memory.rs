//! The memory engine: an ordered map under a lock. For `--ephemeral` and tests; nothing survives the process.

use super::buffer::{self, Buffer};
use super::{CommitError, EachRow, Encoding, Engine, EngineStats, Key, Keyspace, Scan, StoreError, Tx};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Stores everything in memory, with the same optimistic commit as the engines on disk.
#[derive(Debug, Default, Clone)]
pub struct MemoryEngine {
    shared: Arc<RwLock<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Each value with the number of the commit that wrote it.
    rows: BTreeMap<Key, (u64, Vec<u8>)>,
    commits: u64,
    conflicts: u64,
    closed: bool,
}

impl MemoryEngine {
    /// Creates an empty engine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // invariant: no code under the lock panics half-way through a change, so a poisoned state is still consistent.
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    fn begin(&self) -> Box<dyn Tx> {
        Box::new(MemoryTx { engine: self.clone(), buffer: Buffer::default() })
    }

    fn encoding(&self) -> Encoding {
        Encoding::Binary
    }

    fn stats(&self) -> EngineStats {
        let state = self.read();
        EngineStats {
            commits: state.commits,
            conflicts: state.conflicts,
            groups: state.commits,
            ..EngineStats::default()
        }
    }

    fn rows_now(&self, row: EachRow<'_>) -> Result<(), StoreError> {
        let rows: Vec<(Key, Vec<u8>)> =
            self.read().rows.iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect();
        rows.iter().try_for_each(|(key, value)| row(key, value))
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.write().closed = true;
        Ok(())
    }
}

struct MemoryTx {
    engine: MemoryEngine,
    buffer: Buffer,
}

#[async_trait]
impl Tx for MemoryTx {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let encoding = self.encoding();
        if let Some(own) = self.buffer.own(key) {
            return self.buffer.with_adds(encoding, key, own);
        }
        let row = self.engine.read().rows.get(key).cloned();
        self.buffer.record_read(key, row.as_ref().map(|(commit, _)| *commit));
        self.buffer.with_adds(encoding, key, row.map(|(_, value)| value))
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
        let Some(range) = buffer::bounds(scan) else { return Ok(Vec::new()) };
        let state = self.engine.read();
        let rows = state.rows.range(range).map(|(key, (_, value))| Ok((key.clone(), value.clone())));
        if scan.reverse { self.buffer.merge(scan, &mut rows.rev()) } else { self.buffer.merge(scan, &mut { rows }) }
    }

    fn encoding(&self) -> Encoding {
        self.engine.encoding()
    }

    async fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        self.buffer.fold_adds(self.engine.encoding())?;
        super::limits::check(&self.buffer)?;
        let mut state = self.engine.write();
        if state.closed {
            return Err(StoreError::Stopped { reason: "it was closed".to_owned() }.into());
        }
        let unchanged = |(key, stamp): (&Key, &Option<u64>)| state.rows.get(key).map(|(commit, _)| *commit) == *stamp;
        if !self.buffer.reads.iter().all(unchanged) {
            state.conflicts += 1;
            return Err(CommitError::Conflict);
        }
        for key in self.buffer.adds.keys().cloned().collect::<Vec<_>>() {
            let stored = state.rows.get(&key).map(|(_, value)| value.clone());
            let value = self.buffer.with_adds(self.engine.encoding(), &key, stored)?;
            self.buffer.write(key, value);
        }
        if self.buffer.writes.is_empty() {
            return Ok(());
        }
        state.commits += 1;
        let commit = state.commits;
        for (key, value) in self.buffer.writes {
            match value {
                Some(value) => state.rows.insert(key, (commit, value)),
                None => state.rows.remove(&key),
            };
        }
        Ok(())
    }
}
