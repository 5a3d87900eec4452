//! Deletes the rows of removed roles' assignments, a bounded number per transaction.

use super::{reading, writing};
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::fault::Fault;
use crate::store::Engine;
use crate::store::userroles::removal::{RemovedRole, pending};
use std::sync::Arc;

/// Assignments deleted per transaction: small enough not to hold up other writers.
const ASSIGNMENTS_PER_STEP: usize = 256;
/// Number of unfinished removals read at once.
const REMOVALS_PER_CHECK: usize = 64;

/// Deletes what a removed role left, to completion even if the caller goes away. A failure is logged: the role is gone
/// anyway, and the rows are deleted later.
pub(super) async fn finish_beside(context: &Context, removed: RemovedRole) {
    let store = Arc::clone(&context.store);
    let task = tokio::spawn(async move { finish(&*store, &removed).await });
    let failed = match task.await {
        Ok(Ok(())) => return,
        Ok(Err(fault)) => fault,
        Err(error) => Fault::new("deleting the assignments of a removed role", error),
    };
    tracing::error!(
        error = failed.chain(),
        "the assignments of a removed role no longer count; their rows are deleted later"
    );
}

/// Finishes removals of roles that were interrupted by a crash or a failure. Returns how many there were.
///
/// # Errors
/// When the store fails.
pub async fn finish_pending(store: &dyn Engine) -> Result<usize, Fault> {
    let mut finished = 0;
    loop {
        let found = pending(store.begin().as_mut(), REMOVALS_PER_CHECK).await.map_err(reading)?;
        if found.is_empty() {
            return Ok(finished);
        }
        for removed in &found {
            finish(store, removed).await?;
        }
        finished += found.len();
    }
}

async fn finish(store: &dyn Engine, removed: &RemovedRole) -> Result<(), Fault> {
    let mut next = Some(removed.start());
    while let Some(at) = next {
        let at = &at;
        // It conflicts when an assignment is written again meanwhile, for a new role of this name.
        next = transact_unqueued(store, "committing deleted assignments", |mut tx| async move {
            let next = removed.step(tx.as_mut(), at.clone(), ASSIGNMENTS_PER_STEP).await.map_err(writing)?;
            Ok(Step::Commit(tx, next))
        })
        .await?;
    }
    Ok(())
}
