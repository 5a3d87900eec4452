//! Why an installation cannot be moved in.

use crate::fault::Fault;
use crate::move_in::dump::DumpError;
use crate::move_in::row::ColumnError;
use crate::move_in::schema::SurveyError;
use crate::store::{CommitError, StoreError};

/// Why an installation cannot be moved in. Nothing of it is left in the new folder's place.
#[derive(Debug, thiserror::Error)]
pub enum MoveInError {
    /// The dump cannot be read, or holds something else.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// The dump cannot be read.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// A row is not what a core writes.
    #[error("table {table}, row {row}: {what}")]
    Row {
        /// The table.
        table: String,
        /// The row's place in it, from 1.
        row: u64,
        /// What is wrong.
        what: String,
    },
    /// It cannot be told which tables hold the tenants of users.
    #[error(
        "the tables of this core disagree about the tenants of {count} users, such as {examples}: it depends on the core's \
         migration_mode which of them are right, and that is not in the dump. Pass --migration-mode with the value that \
         the core's config.yaml or SUPERTOKENS_MIGRATION_MODE has (LEGACY if neither has any)"
    )]
    Membership {
        /// How many users.
        count: usize,
        /// The ids of three of them.
        examples: String,
    },
    /// Something is there already.
    #[error("there are apps, users or keys in this data folder already: move into a new one")]
    NotEmpty,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another failure of ours.
    #[error("{}", .0.chain())]
    Fault(#[from] Fault),
}

/// What is wrong with a row.
#[derive(Debug)]
pub(super) enum RowError {
    /// It is not what a core writes.
    Wrong(String),
    /// It cannot be written.
    Failed(MoveInError),
}

impl RowError {
    /// The error, for a row at this place of a table.
    pub(super) fn at(self, table: &str, row: u64) -> MoveInError {
        match self {
            Self::Wrong(what) => MoveInError::Row { table: table.to_owned(), row, what },
            Self::Failed(error) => error,
        }
    }
}

impl From<ColumnError> for RowError {
    fn from(error: ColumnError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<StoreError> for RowError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<MoveInError> for RowError {
    fn from(error: MoveInError) -> Self {
        Self::Failed(error)
    }
}

impl From<Fault> for RowError {
    fn from(error: Fault) -> Self {
        Self::Failed(error.into())
    }
}

impl From<CommitError> for MoveInError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Conflict => Fault::new("writing moved rows", CommitError::Conflict).into(),
        }
    }
}
