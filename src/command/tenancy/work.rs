//! What changes of tenants share: running to completion, and finishing removals.

use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::directory::Directory;
use crate::state::key::KeyRings;
use crate::store::removal::{self, RemovalTarget};
use crate::store::{Engine, StoreError};
use std::future::Future;
use std::sync::Arc;

/// Rows deleted per transaction: small enough not to hold up other writers.
const ROWS_PER_STEP: usize = 256;

/// What a change needs, owned, so that it can outlive its request.
pub(super) struct Work {
    pub(super) store: Arc<dyn Engine>,
    pub(super) directory: Directory,
    pub(super) keys: Arc<KeyRings>,
    pub(super) now: UnixMillis,
}

impl Work {
    pub(super) fn of(context: &Context) -> Self {
        Self {
            store: Arc::clone(&context.store),
            directory: context.directory.clone(),
            keys: Arc::clone(&context.keys),
            now: context.now(),
        }
    }

    /// Runs a change in a task of its own: if it were dropped with its request between commit and directory, the two
    /// would disagree.
    pub(super) async fn to_the_end<T: Send + 'static>(
        change: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        match tokio::spawn(change).await {
            Ok(result) => result,
            Err(error) => Err(Fault::new("changing apps and tenants", error)),
        }
    }

    /// Deletes what an interrupted removal left.
    pub(super) async fn finish_if_pending(&self, removed: &RemovalTarget) -> Result<(), Fault> {
        let mut tx = self.store.begin();
        if removal::is_pending(&mut *tx, removed).await.map_err(removing)? {
            finish(&*self.store, removed).await?;
        }
        Ok(())
    }
}

/// Deletes everything that belongs to `removed`, then its marker.
pub(super) async fn finish(store: &dyn Engine, removed: &RemovalTarget) -> Result<(), Fault> {
    transact_unqueued(store, "committing deleted rows of an app or a tenant", |mut tx| async move {
        let found = removed.delete_some(tx.as_mut(), ROWS_PER_STEP).await.map_err(removing)?;
        if found > 0 {
            return Ok(Step::Continue(tx));
        }
        removal::finish(tx.as_mut(), removed);
        Ok(Step::Commit(tx, ()))
    })
    .await
}

pub(super) fn removing(error: StoreError) -> Fault {
    Fault::new("removing an app or a tenant", error)
}
