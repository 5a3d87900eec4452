//! Transactions of commands: run, committed, and run again when something they have read has changed.
//!
//! Commits re-check what they read, so concurrent requests about one session or user conflict. Retrying blindly costs
//! quadratic work for a burst; always queueing would serialise requests that never conflict. So a command commits
//! without any lock first, and joins a short queue (one of a fixed number, chosen by what the command is about) only
//! for its second and later attempts. It leaves the queue before `transact` returns: a command that runs a second
//! transaction after its first waits in one queue at a time, so that no two commands can wait for each other.
//!
//! A transaction reads one key after another, and others commit in between: of two reads, one may have seen a user
//! before it was linked and the other after. Writes are safe, because the commit re-checks both reads. So an outcome
//! that writes nothing and rests on several reads is returned only after an empty commit, which re-checks them too
//! (`Step::Commit`); only one that rests on a single read needs none (`Step::Done`).

use crate::context::Context;
use crate::fault::Fault;
use crate::store::{CommitError, Engine, Keyspace, Tx};
use std::future::Future;
use std::hash::Hash;
use tokio::sync::Mutex;

/// The most commits tried for one transaction. In the queue only newcomers can win against it, each of them once.
const MAX_ATTEMPTS: u32 = 200;

/// The result of one attempt.
pub(crate) enum Step<T> {
    /// The outcome is final: nothing is written, and it rests on one read at most.
    Done(T),
    /// The outcome is final once this is committed: what it writes, or that all it read held at one moment.
    Commit(Box<dyn Tx>, T),
    /// Another attempt follows once this is committed: the work has more rows than one transaction should write.
    Continue(Box<dyn Tx>),
}

/// Runs an attempt until its transaction is committed. `about` names what it reads and writes, such as a session's
/// handle or a user's id: commands that may conflict should give the same.
///
/// The attempt gets a new transaction each time and hands it back with its [`Step`]; on an error nothing is written.
///
/// # Errors
/// Those of the attempt; when the store fails, or when the transaction keeps conflicting.
pub(crate) async fn transact<T, A, F>(
    context: &Context,
    about: &impl Hash,
    doing: &'static str,
    attempt: A,
) -> Result<T, Fault>
where
    A: FnMut(Box<dyn Tx>) -> F,
    F: Future<Output = Result<Step<T>, Fault>>,
{
    run(&*context.store, Some(context), context.contention.queue(about), doing, attempt).await
}

/// Like [`transact`], for work that no one waits for, or that holds a lock of its own: it is retried at once.
///
/// # Errors
/// The same as for [`transact`].
pub(crate) async fn transact_unqueued<T, A, F>(store: &dyn Engine, doing: &'static str, attempt: A) -> Result<T, Fault>
where
    A: FnMut(Box<dyn Tx>) -> F,
    F: Future<Output = Result<Step<T>, Fault>>,
{
    run(store, None, None, doing, attempt).await
}

/// `context` gets the events that hooks are to be told sent; without one, the caller does.
async fn run<T, A, F>(
    store: &dyn Engine,
    context: Option<&Context>,
    queue: Option<&Mutex<()>>,
    doing: &'static str,
    mut attempt: A,
) -> Result<T, Fault>
where
    A: FnMut(Box<dyn Tx>) -> F,
    F: Future<Output = Result<Step<T>, Fault>>,
{
    let (mut place, mut attempts) = (None, 0);
    loop {
        let (tx, outcome) = match attempt(store.begin()).await? {
            Step::Done(outcome) => return Ok(outcome),
            Step::Commit(tx, outcome) => (tx, Some(outcome)),
            Step::Continue(tx) => (tx, None),
        };
        let raises = context.filter(|_| tx.has_written(Keyspace::HookEvent));
        let committed = tx.commit().await;
        if let (Some(context), Ok(())) = (raises, &committed) {
            context.events.notify();
        }
        match (committed, outcome) {
            (Ok(()), Some(outcome)) => return Ok(outcome),
            (Ok(()), None) => attempts = 0,
            (Err(CommitError::Store(error)), _) => return Err(Fault::new(doing, error)),
            (Err(CommitError::Conflict), _) => {
                attempts += 1;
                if attempts >= MAX_ATTEMPTS {
                    return Err(Fault::new(doing, CommitError::Conflict));
                }
                if let (None, Some(queue)) = (&place, queue) {
                    place = Some(queue.lock().await);
                }
            }
        }
    }
}
