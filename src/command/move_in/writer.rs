//! [`Writer`]: many rows in few transactions.

use super::error::MoveInError;
use crate::store::{Engine, Tx};

/// Rows per transaction: a transaction's buffer is searched by every read in it.
const ROWS_PER_STEP: usize = 500;

/// Writes into a folder that nobody else uses.
pub(super) struct Writer<'a> {
    store: &'a dyn Engine,
    tx: Box<dyn Tx>,
    rows: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(store: &'a dyn Engine) -> Self {
        Self { store, tx: store.begin(), rows: 0 }
    }

    /// The transaction that is being filled.
    pub(super) fn tx(&mut self) -> &mut dyn Tx {
        &mut *self.tx
    }

    /// Counts a row; commits when there are enough.
    pub(super) async fn step(&mut self) -> Result<(), MoveInError> {
        self.rows += 1;
        if self.rows >= ROWS_PER_STEP { self.flush().await } else { Ok(()) }
    }

    /// Commits what is left.
    pub(super) async fn flush(&mut self) -> Result<(), MoveInError> {
        let full = std::mem::replace(&mut self.tx, self.store.begin());
        self.rows = 0;
        Ok(full.commit().await?)
    }
}
