//! The queue in which transactions and control messages wait for the committer.

use super::index::Index;
use crate::store::{CommitError, Key, StoreError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use tokio::sync::oneshot;

/// One transaction on its way to disk.
#[derive(Debug)]
pub(super) struct Request {
    /// The published frame at the start of the transaction.
    pub(super) begin: u64,
    pub(super) reads: Vec<Read>,
    /// Writes in the format of the journal.
    pub(super) body: Vec<u8>,
    /// Hashes of the keys in `body`.
    pub(super) written: Vec<u64>,
    pub(super) adds: Vec<Add>,
    pub(super) reply: oneshot::Sender<Result<(), CommitError>>,
}

/// What a transaction adds to a counter that it has not written.
#[derive(Debug)]
pub(super) struct Add {
    pub(super) hash: u64,
    pub(super) key: Key,
    pub(super) delta: i64,
}

/// One key that a transaction has read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) hash: u64,
    pub(super) key: Vec<u8>,
    /// The frame that wrote the value read; `None` for an absent key.
    pub(super) seen: Option<u64>,
}

/// A request from another thread to the committer.
#[derive(Debug)]
pub(super) enum Control {
    /// Start a new segment; the answer is the last frame before it.
    Rotate(mpsc::Sender<Result<u64, StoreError>>),
    /// Use this index instead of the current one.
    Exchange(Replacement),
    /// Freeze the memtable however small it is, so that an idle server's index is complete.
    Flush,
    /// Finish what is waiting, seal the journal and end; the answer is the last frame and its time.
    Close(mpsc::Sender<Result<(u64, u64), StoreError>>),
}

/// An index that is to be taken into use.
#[derive(Debug)]
pub(super) struct Replacement {
    pub(super) index: Arc<Index>,
    /// The index holds everything up to this frame.
    pub(super) frame: u64,
    /// Receives the index that was in use before.
    pub(super) reply: mpsc::Sender<Result<Arc<Index>, StoreError>>,
}

/// The queue of the committer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    requests: Vec<Request>,
    controls: Vec<Control>,
    /// True if the committer sleeps and must be woken.
    asleep: bool,
    stopped: Option<String>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a transaction.
    pub(super) fn push(&self, request: Request) -> Result<(), StoreError> {
        self.with(|waiting| waiting.requests.push(request))
    }

    /// Queues a control message.
    pub(super) fn control(&self, control: Control) -> Result<(), StoreError> {
        self.with(|waiting| waiting.controls.push(control))
    }

    fn with(&self, change: impl FnOnce(&mut Waiting)) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if let Some(reason) = &waiting.stopped {
            return Err(StoreError::Stopped { reason: reason.clone() });
        }
        change(&mut waiting);
        let wake = std::mem::take(&mut waiting.asleep);
        drop(waiting);
        if wake {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Refuses everything from now on; drops waiting requests, which their callers notice.
    pub(super) fn stop(&self, reason: &str) {
        let mut waiting = self.lock();
        waiting.stopped.get_or_insert_with(|| reason.to_owned());
        let dropped = (std::mem::take(&mut waiting.requests), std::mem::take(&mut waiting.controls));
        drop(waiting);
        self.arrived.notify_all();
        drop(dropped);
    }

    /// The reason nothing is accepted any more.
    pub(super) fn stopped(&self) -> Option<String> {
        self.lock().stopped.clone()
    }

    /// Takes everything that is waiting; blocks while nothing is, unless `urgent`.
    pub(super) fn take(&self, requests: &mut Vec<Request>, urgent: bool) -> Vec<Control> {
        let mut waiting = self.lock();
        while waiting.requests.is_empty() && waiting.controls.is_empty() && !urgent && waiting.stopped.is_none() {
            waiting.asleep = true;
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.asleep = false;
        requests.append(&mut waiting.requests);
        std::mem::take(&mut waiting.controls)
    }
}
