//! Deletes expired rows that were never used: a page of rows per step, like a sweep.

use super::step::PAGE;
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::time::Reading;
use crate::fault::Fault;
use crate::store::walk::Pages;
use crate::store::{Key, Keyspace, StoreError, Tx};
use std::future::Future;
use std::marker::PhantomData;

/// A kind of row that expires.
pub trait Expiring: Send {
    /// The keyspace of the rows.
    const KEYSPACE: Keyspace;
    /// The kind's name in log lines.
    const WHAT: &'static str;

    /// Whether a row has to be deleted.
    fn is_expired(context: &Context, key: &Key, bytes: &[u8], now: Reading) -> bool;

    /// Deletes a row with everything that belongs to it, unless it has to stay after all: what was read before is not
    /// part of what the commit checks.
    fn delete(
        context: &Context,
        tx: &mut dyn Tx,
        key: &Key,
        now: Reading,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// One walk over all rows of a kind.
#[derive(Debug)]
pub struct Walk<E> {
    pages: Pages,
    deleted: u64,
    kind: PhantomData<E>,
}

impl<E: Expiring> Default for Walk<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Expiring> Walk<E> {
    /// A walk at the first row.
    #[must_use]
    pub fn new() -> Self {
        Self { pages: Pages::of_keyspace(E::KEYSPACE, PAGE), deleted: 0, kind: PhantomData }
    }

    /// How many rows have been deleted so far.
    #[must_use]
    pub const fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Processes the next page. `false`: the walk is over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn step(&mut self, context: &Context, now: Reading) -> Result<bool, Fault> {
        let page = self.pages.rows(context.store.begin().as_mut()).await;
        let page = page.map_err(|error| Fault::new("walking over rows that may have expired", error))?;
        let Some(page) = page else { return Ok(false) };
        let due = page.iter().filter(|(key, bytes)| E::is_expired(context, key, bytes, now)).map(|(key, _)| key);
        self.deleted += delete::<E>(context, &due.collect::<Vec<_>>(), now).await?;
        Ok(self.pages.next_key().is_some())
    }
}

async fn delete<E: Expiring>(context: &Context, due: &[&Key], now: Reading) -> Result<u64, Fault> {
    if due.is_empty() {
        return Ok(0);
    }
    // It conflicts when a row is used meanwhile, or a row that belongs to it is added.
    transact_unqueued(&*context.store, "committing deleted rows", |mut tx| async move {
        let mut deleted = 0;
        for key in due {
            let gone = E::delete(context, tx.as_mut(), key, now).await;
            deleted += u64::from(gone.map_err(|error| Fault::new("deleting an expired row", error))?);
        }
        Ok(Step::Commit(tx, deleted))
    })
    .await
}
