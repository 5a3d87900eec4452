//! Common parts of the walks that compare rows with the keys that lead to them. They run while the server does: a page
//! of rows is read at once, and related rows are examined as of one moment.

use super::walk::Pages;
use super::{CommitError, Engine, Key, Keyspace, StoreError, Tx};
use std::vec::IntoIter;

/// Rows read at once.
const PAGE: usize = 128;
/// Findings beyond this number are only counted.
const MAX_DESCRIBED: usize = 100;

/// The result of a walk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrossReferences {
    /// Rows seen.
    pub rows: u64,
    /// Index keys seen.
    pub index_keys: u64,
    /// Inconsistencies found.
    pub broken: u64,
    /// Descriptions of the first of them.
    pub described: Vec<String>,
}

impl CrossReferences {
    pub(super) fn report(&mut self, what: String) {
        self.broken += 1;
        if self.described.len() < MAX_DESCRIBED {
            self.described.push(what);
        }
    }
}

/// All rows of a keyspace, one after the other; other tasks run between two pages.
pub(super) struct Rows<'a> {
    engine: &'a dyn Engine,
    pages: Pages,
    page: IntoIter<(Key, Vec<u8>)>,
}

impl<'a> Rows<'a> {
    /// Starts at the first row.
    pub(super) fn of(engine: &'a dyn Engine, keyspace: Keyspace) -> Self {
        Self { engine, pages: Pages::of_keyspace(keyspace, PAGE), page: Vec::new().into_iter() }
    }

    /// The next row; `None` after the last.
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

/// The result of one examination, or the error of a damaged record in it.
pub(super) type Examined<T> = Result<T, StoreError>;

/// Ends an examination made with this transaction. `None`: what it read has changed in the meantime, so repeat it.
///
/// # Errors
/// When the store fails. A record that cannot be decoded is a finding, not an error.
pub(super) async fn finish_examination<T>(
    tx: Box<dyn Tx>,
    look: Result<T, StoreError>,
) -> Result<Option<Examined<T>>, StoreError> {
    match (tx.commit().await, look) {
        (Err(CommitError::Conflict), _) => Ok(None),
        (Err(CommitError::Store(error)), _) => Err(error),
        (Ok(()), Ok(found)) => Ok(Some(Ok(found))),
        (Ok(()), Err(damaged @ StoreError::Damaged { .. })) => Ok(Some(Err(damaged))),
        (Ok(()), Err(error)) => Err(error),
    }
}
