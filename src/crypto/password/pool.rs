//! Threads for hashing: a limited number, with a short queue, at low priority.
//!
//! A hash deliberately takes tens of milliseconds of one core. On the threads that answer requests it would stall all
//! others; on an unbounded pool a burst of sign-ins would take every core. So each family of hashes has a fixed number
//! of threads and a limited queue; further callers are told at once when to retry. A caller that goes away while it
//! waits leaves the queue; a hash that has begun is finished.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// How far hashing is below everything else in priority. At 10, when a request and a hash compete for a core, the hash
/// gets a tenth of it: requests hardly notice, and on a machine that is busy for long people can still sign in.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A bounded number of threads with a bounded queue.
pub struct Pool {
    name: &'static str,
    threads: usize,
    queue_max: usize,
    /// Permits for jobs that run or wait.
    places: Arc<Semaphore>,
    /// Permits for running jobs.
    slots: Arc<Semaphore>,
    /// The channel to the threads, created with the first job.
    jobs: Mutex<Option<Sender<Job>>>,
    figures: Arc<Figures>,
}

/// Why nothing was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Too many callers are already waiting.
    #[error("the queue for password hashing is full")]
    Full {
        /// When there may be room again, in s; at least 1.
        retry_after_s: u64,
    },
    /// The system could not start a thread, or the work panicked.
    #[error("password hashing failed")]
    Failed,
}

#[derive(Default)]
struct Figures {
    waiting: AtomicU64,
    done: AtomicU64,
    refused: AtomicU64,
    waited_us: AtomicU64,
    worked_us: AtomicU64,
    /// A moving average of the time one job takes.
    usual_us: AtomicU64,
}

/// A pool's current figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Callers in the queue.
    pub waiting: u64,
    /// Jobs completed so far.
    pub done: u64,
    /// Callers refused so far because the queue was full.
    pub refused: u64,
    /// The total time callers have spent in the queue, in µs.
    pub waited_us: u64,
    /// The total time jobs have taken, in µs.
    pub worked_us: u64,
}

impl Pool {
    /// A pool of at most `threads` threads, with a queue for `queue_max` callers. Threads are started when they are
    /// first needed.
    #[must_use]
    pub fn new(name: &'static str, threads: usize, queue_max: usize) -> Self {
        let threads = threads.clamp(1, 1024);
        let queue_max = queue_max.min(Semaphore::MAX_PERMITS - threads);
        Self {
            name,
            threads,
            queue_max,
            places: Arc::new(Semaphore::new(threads + queue_max)),
            slots: Arc::new(Semaphore::new(threads)),
            jobs: Mutex::new(None),
            figures: Arc::default(),
        }
    }

    /// Runs `work` on one of the threads.
    ///
    /// # Errors
    /// At once when the queue is full; later when the work panics.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PoolError> {
        let figures = Arc::clone(&self.figures);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            figures.refused.fetch_add(1, Ordering::Relaxed);
            return Err(PoolError::Full { retry_after_s: self.retry_after_s() });
        };
        let slot = {
            let _guard = QueueGuard::enter(&figures);
            // invariant: the semaphore is never closed
            Arc::clone(&self.slots).acquire_owned().await.map_err(|_| PoolError::Failed)?
        };
        let (answer, answered) = oneshot::channel();
        let job = move || {
            let started = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(work));
            figures.worked(started.elapsed());
            drop((slot, place));
            if let Ok(outcome) = outcome {
                // The caller may have gone away.
                let _ = answer.send(outcome);
            }
        };
        self.sender()?.send(Box::new(job)).map_err(|_| PoolError::Failed)?;
        answered.await.map_err(|_| PoolError::Failed)
    }

    /// The current figures.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let figures = &self.figures;
        PoolStats {
            waiting: read(&figures.waiting),
            done: read(&figures.done),
            refused: read(&figures.refused),
            waited_us: read(&figures.waited_us),
            worked_us: read(&figures.worked_us),
        }
    }

    /// How long the present queue will take, in s.
    fn retry_after_s(&self) -> u64 {
        let jobs = u64::try_from(self.queue_max + self.threads).unwrap_or(u64::MAX);
        let threads = u64::try_from(self.threads).unwrap_or(1);
        let us = self.figures.usual_us.load(Ordering::Relaxed).saturating_mul(jobs) / threads;
        us.div_ceil(1_000_000).max(1)
    }

    fn sender(&self) -> Result<Sender<Job>, PoolError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*jobs {
            return Ok(sender.clone());
        }
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..self.threads {
            let receiver = Arc::clone(&receiver);
            let thread = std::thread::Builder::new().name(format!("{}-{number}", self.name));
            if let Err(error) = thread.spawn(move || work_off(&receiver)) {
                tracing::error!(%error, pool = self.name, "a thread for password hashing could not be started");
                return Err(PoolError::Failed);
            }
        }
        *jobs = Some(sender.clone());
        Ok(sender)
    }
}

/// Runs jobs until the pool is dropped.
fn work_off(jobs: &Mutex<Receiver<Job>>) {
    yield_to_others();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// Lowers this thread's priority, so that requests that need no hash are answered first. Only Linux has priorities for
/// single threads.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS).map(drop) {
        tracing::debug!(%error, "password hashing runs at normal priority");
    }
}

impl Figures {
    fn worked(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.done.fetch_add(1, Ordering::Relaxed);
        self.worked_us.fetch_add(us, Ordering::Relaxed);
        // If two threads race here, the average only gets a little older.
        let before = self.usual_us.load(Ordering::Relaxed);
        let after = if before == 0 { us } else { before - before / 8 + us / 8 };
        self.usual_us.store(after, Ordering::Relaxed);
    }
}

/// A caller in the queue, until it gets its turn or goes away.
struct QueueGuard<'a> {
    figures: &'a Figures,
    since: Instant,
}

impl<'a> QueueGuard<'a> {
    fn enter(figures: &'a Figures) -> Self {
        figures.waiting.fetch_add(1, Ordering::Relaxed);
        Self { figures, since: Instant::now() }
    }
}

impl Drop for QueueGuard<'_> {
    fn drop(&mut self) {
        self.figures.waiting.fetch_sub(1, Ordering::Relaxed);
        let us = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.figures.waited_us.fetch_add(us, Ordering::Relaxed);
    }
}
