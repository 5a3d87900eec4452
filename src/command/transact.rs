//! Transactions of commands: run, committed, and run again when something they have read has changed.
//!
//! Commits re-check what they read, so requests about one session or user conflict when they arrive together. Retrying
//! blindly costs quadratic work for a burst; queueing always would serialise requests that never meet. So a command
//! commits without any lock, and takes its place in a short queue (one of a fixed number, by what it is about) only for
//! its second and later attempts. The place is given up before `transact` returns: a command that runs a second
//! transaction after its first waits in one queue at a time, so that no two commands can wait for each other.
//!
//! A transaction reads one key after the other, and others commit in between: of two reads one may have seen a user before
//! it was linked and the other after it. What is written is safe, because the commit re-checks both. So an outcome that writes
//! nothing and rests on several reads is returned only after a commit of nothing, which re-checks them too
//! (`Step::Commit`); only one that rests on a single read needs none (`Step::Done`).

use crate::context::Context;
use crate::fault::Fault;
use crate::store::{CommitError, Engine, Tx};
use std::future::Future;
use std::hash::Hash;
use tokio::sync::Mutex;

/// Commits of one transaction before it gives up. In the queue only newcomers can win against it, each of them once.
const MAX_ATTEMPTS: u32 = 200;

/// What one attempt comes to.
pub(crate) enum Step<T> {
    /// The outcome holds as it is: nothing is written, and no more than one read decides.
    Done(T),
    /// The outcome holds once this is committed: what it writes, or that what it read was so at one moment.
    Commit(Box<dyn Tx>, T),
    /// The next attempt follows once this is committed: work of more rows than one transaction should write.
    Continue(Box<dyn Tx>),
}

/// Runs an attempt until its transaction is committed. `about` is what it reads and writes, such as a session's handle or
/// a user's id: commands that may conflict should name the same.
///
/// The attempt gets a new transaction each time and hands it back with its [`Step`]; on an error nothing is written.
///
/// # Errors
/// Those of the attempt; when the store fails, or when the transaction conflicts without end.
pub(crate) async fn transact<T, A, F>(
    ctx: &Context,
    about: &impl Hash,
    doing: &'static str,
    attempt: A,
) -> Result<T, Fault>
where
    A: FnMut(Box<dyn Tx>) -> F,
    F: Future<Output = Result<Step<T>, Fault>>,
{
    run(&*ctx.store, ctx.contention.queue(about), doing, attempt).await
}

/// As [`transact`], for work that nobody waits for, or that holds a lock of its own: it is tried again at once.
///
/// # Errors
/// As those of [`transact`].
pub(crate) async fn transact_unqueued<T, A, F>(store: &dyn Engine, doing: &'static str, attempt: A) -> Result<T, Fault>
where
    A: FnMut(Box<dyn Tx>) -> F,
    F: Future<Output = Result<Step<T>, Fault>>,
{
    run(store, None, doing, attempt).await
}

async fn run<T, A, F>(
    store: &dyn Engine,
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
        match (tx.commit().await, outcome) {
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
