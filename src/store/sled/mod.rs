//! The sled engine: a journal that is the truth, a sled index for reading, snapshots that keep the journal short.
//!
//! - `committer`: one thread owns all writes; a group of transactions from the `queue` is one frame and one disk wait;
//! - `journal`: numbered, checksummed frames in append-only segments;
//! - `memtable`, `flusher`, `view`: rows on their way into the index, and what readers see of both;
//! - `index`, `batch`, `leaves`: the state after the last frame, in sled; everything in it can be rebuilt;
//! - `reindex`: that state rebuilt online, when much of its space is dead;
//! - `snapshot`, `merge`, `rot`: all records as of one frame, made from the snapshot before it and the journal, not from
//!   sled;
//! - `recovery`, `heal`, `truth`, `marker`: what is trusted when a folder is opened;
//! - `point`: the frame that corresponds to a moment, for `restore --until`;
//! - `moment`, `archive`: all rows as of one moment, and the file that carries an app;
//! - `maintenance`: check, backup, restore, compact, salvage.
//!
//! Nothing of sled is visible outside this module.

mod acknowledged;
pub mod archive;
mod background;
mod batch;
mod committer;
mod flusher;
mod folder;
mod heal;
mod index;
mod io;
mod journal;
mod leaves;
pub mod maintenance;
mod marker;
mod memtable;
mod merge;
mod moment;
mod point;
mod queue;
mod recent;
mod reconcile;
mod recovery;
mod reindex;
mod rot;
mod shared;
mod snapshot;
mod space;
mod sums;
mod truth;
mod tx;
mod view;

use self::folder::{Folder, FolderLock};
use self::index::Index;
use self::journal::JournalWriter;
use self::marker::Marker;
use self::queue::Control;
use self::shared::SledShared;
use self::tx::SledTx;
use super::{EachRow, Encoding, Engine, EngineStats, Progress, StoreError, Tx};
use crate::domain::clock_watch::TOLERANCE_MS;
use crate::domain::entropy::Entropy;
use crate::domain::time::{Clock, UnixMillis, roughly};
use async_trait::async_trait;
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

pub use crate::store::{Fatal, OnProgress};

/// How to open a data folder.
#[derive(Clone)]
pub struct Options {
    /// Memory for the index's pages. The process needs about twice as much.
    pub cache_bytes: u64,
    /// Size in bytes of the rows held in memory before they are written to the index; twice as much while they are
    /// being written.
    pub memtable_bytes: usize,
    /// Source of the times in the journal.
    pub clock: Arc<dyn Clock>,
    /// Source of the id of a new folder.
    pub entropy: Arc<dyn Entropy>,
    /// Called with the progress of recovery.
    pub progress: OnProgress,
    /// Called when the store has failed. It must end the process.
    pub fatal: Fatal,
    /// Writes are refused while less space than this is free on the disk.
    pub reserve_bytes: u64,
    /// A journal segment is closed at this size.
    pub segment_bytes: u64,
    /// A snapshot is made when the journal has grown by this much, or by half the last snapshot if that is more.
    pub snapshot_after_bytes: u64,
    /// Percentage of the time that background work on a snapshot or a new index may use.
    pub snapshot_duty: u32,
    /// An index that takes up less disk space than this is not rebuilt automatically.
    pub reindex_above_bytes: u64,
    /// An index is not rebuilt automatically within this time after a snapshot.
    pub reindex_after: Duration,
}

impl Options {
    /// Creates the default options.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            cache_bytes: 32 << 20,
            memtable_bytes: 4 << 20,
            clock,
            entropy,
            progress: Arc::new(|_| {}),
            fatal: Arc::new(|_| {}),
            reserve_bytes: 64 << 20,
            segment_bytes: 16 << 20,
            snapshot_after_bytes: 64 << 20,
            snapshot_duty: 30,
            reindex_above_bytes: 128 << 20,
            reindex_after: Duration::from_secs(300),
        }
    }
}

/// The state in which a folder was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// New and empty.
    Fresh,
    /// Stopped cleanly and unchanged since.
    Clean,
    /// Not stopped cleanly; the index was compared with snapshot and journal and brought up to date.
    Verified,
    /// The index was rebuilt from snapshot and journal.
    Rebuilt,
    /// Journal or snapshots were damaged after a clean stop; a new snapshot was made from the index.
    Healed,
}

/// What happened when a folder was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecoveryReport {
    /// The state in which the folder was found.
    pub start: Start,
    /// The last frame.
    pub frame: u64,
    /// Index rows that were brought up to date.
    pub repaired: u64,
    /// Notes for the operator.
    pub notes: Vec<String>,
    /// How long opening took.
    pub milliseconds: u64,
}

impl RecoveryReport {
    const fn new(start: Start, frame: u64, notes: Vec<String>) -> Self {
        Self { start, frame, repaired: 0, notes, milliseconds: 0 }
    }

    fn log(&self) {
        for note in &self.notes {
            tracing::warn!(note, "recovery");
        }
        tracing::info!(
            start = ?self.start,
            frame = self.frame,
            repaired = self.repaired,
            milliseconds = self.milliseconds,
            "data folder opened"
        );
    }
}

/// Opens a data folder, creating it if it does not exist.
///
/// # Errors
/// [`StoreError::Locked`] while another process holds it; [`StoreError::Damaged`] if snapshot and journal do not
/// suffice to restore every acknowledged write; [`StoreError::Io`] if a system call fails.
pub fn open(path: &Path, options: &Options) -> Result<(SledEngine, RecoveryReport), StoreError> {
    io::create_directory(path)?;
    let folder = Folder::new(path);
    let lock = FolderLock::take(&folder)?;
    let mut opened = recovery::open(&folder, options)?;
    let (last, time) = (opened.last, opened.time);
    let now = options.clock.now();
    if let Some(note) = clock_note(UnixMillis(time), now) {
        tracing::warn!("{note}");
        opened.report.notes.push(note);
    }
    let writer = JournalWriter::create(&folder, opened.id, last + 1, now.0)?;
    let shared = Arc::new(SledShared::new(folder, opened.id, opened.index, last, options));
    shared.remember_journal()?;
    let engine = SledEngine::start(shared, writer, time, lock)?;
    if opened.snapshot_now {
        engine.shared.housekeeping.raise();
    }
    Ok((engine, opened.report))
}

/// The note about a clock that shows a time before the folder's last write.
fn clock_note(last_write: UnixMillis, now: UnixMillis) -> Option<String> {
    let behind_ms = now.until(last_write);
    (behind_ms > TOLERANCE_MS).then(|| {
        format!(
            "the system clock shows {now}, {} before the folder's last write: either it is wrong now, as on a board \
             without a battery-backed clock, or it was wrong then. Nothing is deleted until the clock can be relied \
             on, but users who sign in under a wrong date are signed out when the date is corrected: set the clock, \
             or start the server after the time service (After=time-sync.target under systemd)",
            roughly(behind_ms)
        )
    })
}

/// An open data folder. Close it with [`Engine::close`]; dropping it without closing counts as a crash (and loses
/// nothing).
pub struct SledEngine {
    shared: Arc<SledShared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lock: Mutex<Option<FolderLock>>,
}

/// What is left of an engine that has ended: the lock, the last frame and its time, and the index.
type Ended = (FolderLock, (u64, u64), Index);

impl std::fmt::Debug for SledEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledEngine").field("folder", &self.shared.folder.root).finish_non_exhaustive()
    }
}

impl SledEngine {
    fn start(shared: Arc<SledShared>, writer: JournalWriter, time: u64, lock: FolderLock) -> Result<Self, StoreError> {
        let spawn = |name: &str, work: Box<dyn FnOnce(&SledShared) + Send>| {
            let with = Arc::clone(&shared);
            let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&with));
            spawned.map_err(|error| io::failed("cannot start a thread for", &shared.folder.root, error))
        };
        let threads = vec![
            spawn("committer", Box::new(move |shared| committer::run(shared, writer, time)))?,
            spawn("flusher", Box::new(flusher::run))?,
            spawn("housekeeper", Box::new(background::housekeep))?,
            spawn("watchdog", Box::new(background::watch))?,
        ];
        Ok(Self { shared, threads: Mutex::new(threads), lock: Mutex::new(Some(lock)) })
    }

    /// Makes a snapshot now, at full speed; returns its frame.
    ///
    /// # Errors
    /// [`StoreError`] if a system call fails or the engine is closed.
    pub fn snapshot(&self) -> Result<u64, StoreError> {
        background::take_snapshot(&self.shared)
    }

    fn end_threads(&self) {
        self.shared.housekeeping.finish();
        self.shared.flush_wanted.finish();
        self.shared.watchdog.finish();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a store thread panicked");
            }
        }
    }

    /// Ends everything; returns the lock, the last frame with its time, and the index, or `None` if the engine had
    /// already ended.
    fn end(&self) -> Result<Option<Ended>, StoreError> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(lock) = lock else { return Ok(None) };
        let (reply, answer) = mpsc::channel();
        let last = match self.shared.queue.control(Control::Close(reply)) {
            Ok(()) => answer.recv().unwrap_or_else(|_| Err(shared::closed())),
            Err(error) => Err(error),
        };
        self.end_threads();
        // A snapshot or backup in progress on another thread notices the end and gives up.
        drop(self.shared.maintain());
        let index = self.shared.take_index(Duration::from_secs(5));
        Ok(Some((lock, last?, index?)))
    }

    /// Ends everything and marks the folder as cleanly stopped.
    fn close_now(&self) -> Result<(), StoreError> {
        let Some((lock, (last, time), index)) = self.end()? else { return Ok(()) };
        let is_in_place = index.is_in_place();
        index.close()?;
        // If the files are not where the next start looks for them, this is not a clean stop.
        if is_in_place {
            Marker::of(&self.shared.folder, last, time)?.write(&self.shared.folder)?;
        }
        drop(lock);
        Ok(())
    }
}

#[async_trait]
impl Engine for SledEngine {
    fn begin(&self) -> Box<dyn Tx> {
        Box::new(SledTx::new(Arc::clone(&self.shared)))
    }

    fn encoding(&self) -> Encoding {
        Encoding::Binary
    }

    fn stats(&self) -> EngineStats {
        let counters = &self.shared.counters;
        let (journal_bytes, disk_bytes) = self.shared.folder.sizes();
        EngineStats {
            commits: counters.commits.load(Ordering::Relaxed),
            conflicts: counters.conflicts.load(Ordering::Relaxed),
            groups: counters.groups.load(Ordering::Relaxed),
            journal_bytes,
            disk_bytes,
        }
    }

    fn rows_now(&self, row: EachRow<'_>) -> Result<(), StoreError> {
        moment::read(&self.shared, row)
    }

    fn reclaim(&self, progress: &dyn Fn(Progress)) -> Result<(), StoreError> {
        background::reclaim(&self.shared, progress)
    }

    async fn close(&self) -> Result<(), StoreError> {
        // Waiting for the disk is fine here: the caller is about to end the process.
        self.close_now()
    }
}

impl Drop for SledEngine {
    fn drop(&mut self) {
        self.shared.queue.stop("it was dropped");
        self.end_threads();
        // If the folder is opened again at once, sled's lock must be gone. After a close there is no index to take.
        if let Ok(index) = self.shared.take_index(Duration::ZERO) {
            let _ = index.release();
        }
    }
}
