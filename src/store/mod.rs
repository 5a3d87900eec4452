//! The storage seam: an ordered key-value transaction.
//!
//! Repositories (`store/totp.rs`, …) are written once over `&mut dyn Tx`; engines implement [`Engine`] and [`Tx`].
//! `commit` is optimistic: it re-checks what the transaction read, applies everything or nothing, and returns when the
//! writes are durable. If a read value has changed, it returns [`CommitError::Conflict`] and the command runs again.
//! Scans are not re-checked, so uniqueness always relies on a point key.

use async_trait::async_trait;
use std::sync::Arc;

pub mod activity;
pub mod app;
pub mod archive;
pub mod audit;
mod buffer;
pub mod bulk_import;
pub mod clock;
pub mod codec;
pub mod counter;
pub mod cross_references;
pub mod dashboard;
pub mod data_folder;
pub mod emailverification;
pub mod hook_event;
pub mod kept_row;
pub mod key;
pub mod key_vault;
pub mod limits;
pub mod maintenance;
pub mod memory;
pub mod outbox;
pub mod passwordless;
pub mod passwordreset;
pub mod provider;
pub mod records;
pub mod removal;
pub mod sealing_key;
pub mod session;
pub mod signing_key;
pub mod sled;
pub mod tallies;
pub mod tally;
pub mod tenant;
pub mod timeline;
pub mod token_series;
pub mod totp;
pub mod user;
pub mod user_data;
pub mod user_import;
pub mod usermetadata;
pub mod userroles;
pub mod walk;

pub use key::{Key, Keyspace};

/// The progress of long work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The current stage ("reading the journal").
    pub stage: &'static str,
    /// Units done in this stage.
    pub done: u64,
    /// Units in this stage; 0 if unknown.
    pub total: u64,
}

/// Called once with the reason when the store has failed and the process must end.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;
/// Called from time to time during long work.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// Called with every row; an error from it ends the reading.
pub type EachRow<'a> = &'a mut dyn FnMut(&Key, &[u8]) -> Result<(), StoreError>;

/// A transactional store of records. Engines are shared by all requests.
#[async_trait]
pub trait Engine: Send + Sync {
    /// A new transaction. Cheap; does not access storage.
    fn begin(&self) -> Box<dyn Tx>;

    /// The encoding of records in this engine.
    fn encoding(&self) -> Encoding;

    /// Statistics for `/metrics` and `sessiond config`.
    fn stats(&self) -> EngineStats;

    /// Calls `row` with every row, in key order, as of one moment, while the store is in use. Blocks: call it from
    /// threads that may block.
    ///
    /// # Errors
    /// When the content cannot be read as of one moment, or with the error of `row`. An engine may not support this at
    /// all.
    fn rows_now(&self, _row: EachRow<'_>) -> Result<(), StoreError> {
        let what = "this engine cannot read all rows as of one moment".to_owned();
        Err(StoreError::Unusable { place: "the store".to_owned(), what })
    }

    /// Reclaims disk space still held by replaced and removed records, while the store is in use, if there is enough of
    /// it to be worth the work. Blocks: call it from threads that may block.
    ///
    /// # Errors
    /// When a system call fails; nothing is lost then.
    fn reclaim(&self, _progress: &dyn Fn(Progress)) -> Result<(), StoreError> {
        Ok(())
    }

    /// Ends the engine after the last commit: everything is on disk, and marked as cleanly stopped.
    async fn close(&self) -> Result<(), StoreError>;
}

/// One transaction: remembers what it read, buffers what it writes.
#[async_trait]
pub trait Tx: Send {
    /// The value at `key`, as of now plus this transaction's own writes.
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values at several keys, like [`get`](Self::get); faster for adjacent keys.
    async fn get_many(&mut self, keys: &[Key]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(self.get(key).await?);
        }
        Ok(values)
    }

    /// Buffers a write.
    fn put(&mut self, key: Key, value: Vec<u8>);

    /// Buffers a removal; removing nothing is fine.
    fn delete(&mut self, key: Key);

    /// Buffers a change of the [`counter`] at `key` by `delta`. An absent counter is 0, one that becomes 0 is removed,
    /// and the value saturates at the limits of its type.
    ///
    /// Additions never conflict with each other, because none depends on the previous value; several transactions that
    /// add to one key share a frame. A `get` in this transaction sees them and is re-checked like any other; a `scan`
    /// does not see them. `commit` fails with [`StoreError::Damaged`], and applies nothing, if the record at `key` is
    /// not a counter.
    fn add(&mut self, key: Key, delta: i64);

    /// Keys and values in `scan`'s range and order, own writes included. Not re-checked at commit.
    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError>;

    /// Whether it has buffered a write to this keyspace.
    fn has_written(&self, keyspace: Keyspace) -> bool;

    /// The encoding of records in this transaction's engine.
    fn encoding(&self) -> Encoding;

    /// Re-checks every `get`, applies all writes or none, returns when they are durable.
    async fn commit(self: Box<Self>) -> Result<(), CommitError>;
}

/// The encoding of records: compact for embedded engines, readable for engines whose users query them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// bincode with version marker and checksum.
    Binary,
    /// JSON with a version member.
    Json,
}

/// A range of keys of one keyspace.
#[derive(Debug, Clone)]
pub struct Scan {
    /// First key, inclusive.
    pub start: Key,
    /// Last key, exclusive; `None` for the end of the keyspace.
    pub end: Option<Key>,
    /// True to scan from the last key to the first.
    pub reverse: bool,
    /// The maximum number of entries.
    pub limit: usize,
}

/// Statistics of an engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineStats {
    /// Commits that have become durable since the start.
    pub commits: u64,
    /// Commits refused because something read had changed.
    pub conflicts: u64,
    /// Groups written (one disk wait each).
    pub groups: u64,
    /// Current size of the journal, in bytes.
    pub journal_bytes: u64,
    /// Current size on disk in total, in bytes.
    pub disk_bytes: u64,
}

/// The reason a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Something this transaction read has changed: load and decide again.
    #[error("another transaction changed what this one had read")]
    Conflict,
    /// The engine failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Errors of the storage layer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Stored bytes are not what was written.
    #[error("damaged data in {place}: {what}. {way_out}")]
    Damaged {
        /// File or key that is damaged.
        place: String,
        /// What is wrong.
        what: String,
        /// What the operator can do.
        way_out: String,
    },
    /// A folder or request that cannot be used; nothing is damaged.
    #[error("{place}: {what}")]
    Unusable {
        /// The file or folder.
        place: String,
        /// The reason, and what to do.
        what: String,
    },
    /// A system call failed.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// The file concerned.
        path: String,
        /// The OS error.
        source: std::io::Error,
    },
    /// No space for another write; reads still work.
    #[error("the disk that holds {path} is full: writes are refused until there is space")]
    DiskFull {
        /// The data folder.
        path: String,
    },
    /// The process may not make its files any larger; reads still work.
    #[error(
        "{path} has reached this process's limit on file sizes (ulimit -f, LimitFSIZE): writes are refused. Raise the limit \
         and start again"
    )]
    FileSizeLimit {
        /// File or data folder.
        path: String,
    },
    /// A record above the size limit.
    #[error("a record of {size} bytes is above the limit of {limit} bytes")]
    TooLarge {
        /// Encoded size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The folder belongs to another process.
    #[error("the data folder {path} is in use by process {pid}: stop it first, or choose another --data-dir")]
    Locked {
        /// The data folder.
        path: String,
        /// Process that holds it, or `unknown`.
        pid: String,
    },
    /// The engine has stopped after an earlier failure, or is shutting down.
    #[error("the store takes no more writes: {reason}")]
    Stopped {
        /// The first cause.
        reason: String,
    },
}
