//! Optimistic commits under contention: try at once, queue behind the others after the first conflict.
//!
//! Commits re-check what they read, so requests about one session or user conflict when they arrive together. Retrying blindly
//! costs quadratic work for a burst; queueing always would serialise requests that never meet. So a command commits
//! without any lock, and takes its place in a short queue (one of a fixed number, by what it is about) only for its second and
//! later attempts.
//!
//! A transaction reads one key after the other, and others commit in between: of two reads one may have seen a user before
//! it was linked and the other after it. What is written is safe, because the commit re-checks both. So an outcome that writes
//! nothing and rests on several reads is told only after a commit of nothing, which re-checks them too:
//! `Retry::commit` in commands that may also write, `steady!` in those that only look.

use crate::fault::Fault;
use crate::state::contention::Contention;
use crate::store::{CommitError, Tx};
use std::hash::Hash;
use tokio::sync::{Mutex, MutexGuard};

/// Commits of one command before it gives up. In the queue only newcomers can win against it, each of them once.
const ATTEMPTS_MAX: u32 = 200;

/// One command's attempts.
pub(super) struct Retry<'a> {
    queue: Option<&'a Mutex<()>>,
    place: Option<MutexGuard<'a, ()>>,
    attempts: u32,
}

/// What an expression sees in a transaction, with everything it reads as of one moment. It may be run several times.
///
/// A macro, because compilers cannot tell yet whether the future of an asynchronous closure may be sent.
macro_rules! steady {
    ($app:expr, $about:expr, $doing:literal, |$tx:ident| $look:expr) => {{
        let mut retry = $crate::command::retry::Retry::new(&$app.contention, $about);
        loop {
            let mut tx = $app.store.begin();
            let seen = {
                let $tx = tx.as_mut();
                $look
            };
            if retry.commit(tx, $doing).await? {
                break seen;
            }
        }
    }};
}
pub(super) use steady;

impl<'a> Retry<'a> {
    /// Attempts that are about this: a session's handle, a user's id. Whoever may conflict should name the same.
    pub(super) fn new(contention: &'a Contention, about: &impl Hash) -> Self {
        Self { queue: contention.queue(about), place: None, attempts: 0 }
    }

    /// Commits. `false`: something it had read has changed; load and decide again, with a new transaction.
    ///
    /// # Errors
    /// When the store fails, or when it conflicts without end.
    pub(super) async fn commit(&mut self, tx: Box<dyn Tx>, doing: &'static str) -> Result<bool, Fault> {
        match tx.commit().await {
            Ok(()) => Ok(true),
            Err(CommitError::Store(error)) => Err(Fault::new(doing, error)),
            Err(CommitError::Conflict) => {
                self.attempts += 1;
                if self.attempts >= ATTEMPTS_MAX {
                    return Err(Fault::new(doing, CommitError::Conflict));
                }
                if let (None, Some(queue)) = (&self.place, self.queue) {
                    self.place = Some(queue.lock().await);
                }
                Ok(false)
            }
        }
    }
}
