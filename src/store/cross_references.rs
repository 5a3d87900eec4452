//! What walks share that compare rows with the keys that lead to them. They run beside live traffic: a page of rows is
//! read at once, and what belongs together is looked at as of one moment.

use super::walk::Pages;
use super::{CommitError, Engine, Key, Keyspace, StoreError, Tx};
use std::vec::IntoIter;

/// Rows read in one go.
const PAGE: usize = 128;
/// Findings described one by one; more are only counted.
const DESCRIBED_MAX: usize = 100;

/// What a walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrossReferences {
    /// Rows seen.
    pub rows: u64,
    /// Index keys seen.
    pub index_keys: u64,
    /// Things that do not fit together.
    pub broken: u64,
    /// The first of them, in words.
    pub described: Vec<String>,
}

impl CrossReferences {
    pub(super) fn report(&mut self, what: String) {
        self.broken += 1;
        if self.described.len() < DESCRIBED_MAX {
            self.described.push(what);
        }
    }
}

/// All rows of a keyspace, one after the other; others run between two pages.
pub(super) struct Rows<'a> {
    engine: &'a dyn Engine,
    pages: Pages,
    page: IntoIter<(Key, Vec<u8>)>,
}

impl<'a> Rows<'a> {
    /// From the first one on.
    pub(super) fn of(engine: &'a dyn Engine, keyspace: Keyspace) -> Self {
        Self { engine, pages: Pages::of_keyspace(keyspace, PAGE), page: Vec::new().into_iter() }
    }

    /// The next one; `None` after the last.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn advance(&mut self) -> Result<Option<(Key, Vec<u8>)>, StoreError> {
        if let Some(row) = self.page.next() {
            return Ok(Some(row));
        }
        let Some(page) = self.pages.rows(self.engine.begin().as_mut()).await? else { return Ok(None) };
        self.page = page.into_iter();
        tokio::task::yield_now().await;
        Ok(self.page.next())
    }
}

/// What a look came to, or that a record in it is damaged.
pub(super) type Look<T> = Result<T, StoreError>;

/// Ends a look that this transaction took. `None`: what it read has changed meanwhile; look again.
///
/// # Errors
/// When the store fails. A record that cannot be decoded is a finding, not an error.
pub(super) async fn settled<T>(tx: Box<dyn Tx>, look: Result<T, StoreError>) -> Result<Option<Look<T>>, StoreError> {
    match (tx.commit().await, look) {
        (Err(CommitError::Conflict), _) => Ok(None),
        (Err(CommitError::Store(error)), _) => Err(error),
        (Ok(()), Ok(found)) => Ok(Some(Ok(found))),
        (Ok(()), Err(damaged @ StoreError::Damaged { .. })) => Ok(Some(Err(damaged))),
        (Ok(()), Err(error)) => Err(error),
    }
}
