//! State shared by the engine's threads.

use super::folder::{Folder, FolderId};
use super::index::Index;
use super::journal::segment;
use super::queue::Queue;
use super::snapshot;
use super::space::Lack;
use super::view::View;
use super::{Fatal, Options};
use crate::domain::time::Clock;
use crate::store::StoreError;
use arc_swap::ArcSwapOption;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The state of an open folder.
pub(super) struct SledShared {
    pub(super) folder: Folder,
    pub(super) id: FolderId,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) fatal: Fatal,
    is_dead: AtomicBool,
    pub(super) reserve_bytes: u64,
    pub(super) segment_bytes: u64,
    snapshot_after_bytes: u64,
    pub(super) reindex_above_bytes: u64,
    pub(super) reindex_after: Duration,
    pub(super) cache_bytes: u64,
    /// Bytes of journal after which the next snapshot is due.
    pub(super) snapshot_at: AtomicU64,
    pub(super) snapshot_duty: u32,
    /// What readers see; `None` once the engine is closed.
    pub(super) view: ArcSwapOption<View>,
    /// The approximate size at which a memtable is written to the index.
    pub(super) memtable_bytes: usize,
    /// Raised when a memtable has been frozen, and when one has been flushed.
    pub(super) flush_wanted: Signal,
    pub(super) flushed: Signal,
    /// The last frame whose writes are all visible.
    pub(super) published: AtomicU64,
    /// Odd while the writes of a group are being made visible.
    pub(super) epoch: AtomicU64,
    pub(super) queue: Queue,
    pub(super) counters: Counters,
    /// Hashes keys; seeded per process.
    pub(super) hasher: RandomState,
    /// Held while adding or removing snapshot and journal files outside the committer: for a snapshot, backup or check.
    maintenance: Mutex<()>,
    /// Number of threads waiting for it.
    waiting: AtomicU64,
    pub(super) housekeeping: Signal,
    pub(super) watchdog: Signal,
    started: Instant,
    /// Milliseconds since `started` at which the committer began its current group, plus one; 0 while it waits.
    busy_since: AtomicU64,
}

/// Counters for `EngineStats`.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) conflicts: AtomicU64,
    pub(super) groups: AtomicU64,
    /// Bytes of journal written since the newest snapshot.
    pub(super) since_snapshot: AtomicU64,
    /// Segments since the newest snapshot.
    pub(super) segments_since_snapshot: AtomicU64,
}

impl SledShared {
    pub(super) fn new(folder: Folder, id: FolderId, index: Index, last: u64, options: &Options) -> Self {
        Self {
            folder,
            id,
            clock: Arc::clone(&options.clock),
            fatal: Arc::clone(&options.fatal),
            is_dead: AtomicBool::new(false),
            reserve_bytes: options.reserve_bytes,
            segment_bytes: options.segment_bytes,
            snapshot_after_bytes: options.snapshot_after_bytes,
            reindex_above_bytes: options.reindex_above_bytes,
            reindex_after: options.reindex_after,
            cache_bytes: options.cache_bytes,
            snapshot_at: AtomicU64::new(options.snapshot_after_bytes),
            snapshot_duty: options.snapshot_duty.clamp(1, 100),
            view: ArcSwapOption::from_pointee(View::of(Arc::new(index))),
            memtable_bytes: options.memtable_bytes,
            flush_wanted: Signal::default(),
            flushed: Signal::default(),
            published: AtomicU64::new(last),
            epoch: AtomicU64::new(0),
            queue: Queue::default(),
            counters: Counters::default(),
            hasher: RandomState::new(),
            maintenance: Mutex::new(()),
            waiting: AtomicU64::new(0),
            housekeeping: Signal::default(),
            watchdog: Signal::default(),
            started: Instant::now(),
            busy_since: AtomicU64::new(0),
        }
    }

    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// What readers see, unless the engine is closed.
    pub(super) fn view(&self) -> Result<arc_swap::Guard<Option<Arc<View>>>, StoreError> {
        let view = self.view.load();
        if view.is_none() { Err(closed()) } else { Ok(view) }
    }

    /// Hides the index from readers and waits until the last one has released it.
    pub(super) fn take_index(&self, patience: Duration) -> Result<Index, StoreError> {
        let view = self.view.swap(None).ok_or_else(closed)?;
        unshared(unshared(view, patience)?.index, patience)
    }

    /// Counts the journal that earlier processes have written since the newest snapshot.
    pub(super) fn remember_journal(&self) -> Result<(), StoreError> {
        let newest = snapshot::list(&self.folder.snapshots())?.pop().map_or(0, |(frame, _)| frame);
        let later = |(first, _): &&(u64, std::path::PathBuf)| *first > newest;
        let segments = segment::list(&self.folder.journal())?;
        let (mut bytes, mut count) = (0, 0);
        for (_, path) in segments.iter().filter(later) {
            bytes += path.metadata().map_or(0, |data| data.len());
            count += 1;
        }
        self.counters.since_snapshot.store(bytes, Ordering::Relaxed);
        self.counters.segments_since_snapshot.store(count, Ordering::Relaxed);
        self.adapt_snapshot_threshold()
    }

    /// The larger the snapshot, the more journal must have accumulated before the next one is worth its cost.
    pub(super) fn adapt_snapshot_threshold(&self) -> Result<(), StoreError> {
        let newest = snapshot::list(&self.folder.snapshots())?.pop();
        let size = newest.map_or(0, |(_, path)| path.metadata().map_or(0, |data| data.len()));
        self.snapshot_at.store(self.snapshot_after_bytes.max(size / 2), Ordering::Relaxed);
        Ok(())
    }

    /// Locks snapshot and journal files for adding and removing.
    pub(super) fn maintain(&self) -> MutexGuard<'_, ()> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let held = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        held
    }

    /// True while another thread waits for [`Self::maintain`]: then work should run at full speed.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Records that the committer has begun or finished a group.
    pub(super) fn set_group_active(&self, is_active: bool) {
        let now = if is_active { self.elapsed_ms() + 1 } else { 0 };
        self.busy_since.store(now, Ordering::Relaxed);
    }

    /// Identifies the committer's current group; `None` while it waits.
    pub(super) fn busy_since(&self) -> Option<u64> {
        Some(self.busy_since.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }

    fn elapsed_ms(&self) -> u64 {
        super::io::milliseconds_since(self.started)
    }

    /// Stops all writing and notifies the server, which must end the process.
    pub(super) fn fail(&self, reason: &str) {
        // Other threads that hit the same disk failure report it, too.
        if self.is_dead.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(reason, "the store has failed and takes no more writes");
        self.queue.stop(reason);
        (self.fatal)(reason);
    }

    /// True if another file of this size fits on the disk without touching the reserve.
    pub(super) fn has_space_for(&self, bytes: u64) -> bool {
        free_space(&self.folder.root).is_none_or(|free| free >= self.reserve_bytes.saturating_add(bytes))
    }

    /// What a write of this size lacks. The index must never hit a full disk or the file size limit: either breaks it
    /// for good, unlike the journal.
    pub(super) fn lack_for(&self, bytes: u64) -> Option<Lack> {
        if !self.has_space_for(bytes) {
            return Some(Lack::DiskSpace);
        }
        let limit = file_size_limit()?;
        let index = self.folder.index().join("db").metadata().map_or(0, |data| data.len());
        let left = limit.saturating_sub(index);
        (left < self.reserve_bytes.saturating_add(bytes)).then_some(Lack::FileSize)
    }
}

/// Waits until the last reader has released an index that new readers no longer find.
pub(super) fn unshared<T>(mut index: Arc<T>, patience: Duration) -> Result<T, StoreError> {
    let until = Instant::now() + patience;
    loop {
        match Arc::try_unwrap(index) {
            Ok(index) => return Ok(index),
            Err(shared) if Instant::now() < until => {
                index = shared;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(_) => return Err(StoreError::Stopped { reason: "the index is still being read".to_owned() }),
        }
    }
}

/// The error of a closed engine.
pub(super) fn closed() -> StoreError {
    StoreError::Stopped { reason: "it was closed".to_owned() }
}

/// Bytes that this process may still write to the disk of `path`; `None` if the system cannot report this.
pub(super) fn free_space(path: &std::path::Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let answer = rustix::fs::statvfs(path).ok()?;
        Some(answer.f_bavail.saturating_mul(answer.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// The maximum length of a file written by this process.
fn file_size_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        rustix::process::getrlimit(rustix::process::Resource::Fsize).current
    }
    #[cfg(not(unix))]
    None
}

/// Wakes a thread that waits for something to do.
#[derive(Debug, Default)]
pub(super) struct Signal {
    raised: Mutex<bool>,
    changed: Condvar,
    done: AtomicBool,
}

impl Signal {
    /// Wakes the waiting thread once.
    pub(super) fn raise(&self) {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Clears the signal, because what it was raised for is being done.
    pub(super) fn clear(&self) {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        *raised = self.is_finished();
    }

    /// Wakes the waiting thread for the last time.
    pub(super) fn finish(&self) {
        self.done.store(true, Ordering::Release);
        self.raise();
    }

    /// True after [`Self::finish`].
    pub(super) fn is_finished(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Waits until raised, but not longer than `timeout`.
    pub(super) fn wait(&self, timeout: Duration) {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(raised, timeout, |raised| !*raised);
        let (mut raised, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !self.is_finished() {
            *raised = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_was_settled_wakes_nobody_unless_it_was_the_last() {
        let signal = Signal::default();
        let is_raised = || *signal.raised.lock().unwrap();
        signal.raise();
        signal.clear();
        assert!(!is_raised());
        signal.finish();
        signal.clear();
        assert!(is_raised());
    }
}
