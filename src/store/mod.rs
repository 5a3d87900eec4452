//! The storage seam: an ordered key-value transaction.
//!
//! Repositories (`store/totp.rs`, …) are written once over `&mut dyn Tx`; engines implement [`Engine`] and [`Tx`].
//! `commit` is optimistic: it re-checks what the transaction read, applies everything or nothing, and returns when the
//! writes are durable, or says [`CommitError::Conflict`] and the command runs again. Scans are not re-checked, so
//! uniqueness is always a point key.

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
pub mod key;
pub mod key_vault;
pub mod limits;
pub mod maintenance;
pub mod memory;
pub mod passwordless;
pub mod passwordreset;
pub mod provider;
pub mod records;
pub mod removal;
pub mod sealing_key;
pub mod session;
pub mod signing_key;
pub mod sled;
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

/// How far long work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done ("reading the journal").
    pub stage: &'static str,
    /// Units done in this stage.
    pub done: u64,
    /// Units in this stage; 0 when unknown.
    pub total: u64,
}

/// Called once when the store has failed and the process must end; gets the reason.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;
/// Called now and then during long work.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// Told every row; its error ends the reading.
pub type EachRow<'a> = &'a mut dyn FnMut(&Key, &[u8]) -> Result<(), StoreError>;

/// A place where records live. Engines are shared by all requests.
#[async_trait]
pub trait Engine: Send + Sync {
    /// A new transaction. Cheap; touches no storage.
    fn begin(&self) -> Box<dyn Tx>;

    /// How this engine wants records encoded.
    fn encoding(&self) -> Encoding;

    /// Figures for `/metrics` and `sessiond config`.
    fn stats(&self) -> EngineStats;

    /// Gives every row to `row`, in key order, as of one moment, beside the traffic. Blocks: for threads that may.
    ///
    /// # Errors
    /// When the store cannot say what it held, or what `row` says. An engine may not be able to at all.
    fn rows_now(&self, _row: EachRow<'_>) -> Result<(), StoreError> {
        let what = "this engine cannot read all of it as of one moment".to_owned();
        Err(StoreError::Unusable { place: "the store".to_owned(), what })
    }

    /// Gives back disk space that replaced and removed records still take, beside the traffic, if there is so much of it that it
    /// is worth the work. Blocks: for threads that may.
    ///
    /// # Errors
    /// When the system refuses; nothing is lost then.
    fn reclaim(&self, _progress: &dyn Fn(Progress)) -> Result<(), StoreError> {
        Ok(())
    }

    /// Ends the engine after the last commit: everything on disk, marked as cleanly stopped.
    async fn close(&self) -> Result<(), StoreError>;
}

/// One transaction: remembers what it read, buffers what it writes.
#[async_trait]
pub trait Tx: Send {
    /// The value at `key`, as of now plus this transaction's own writes.
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values at many keys, as [`get`](Self::get) has them; quicker where keys lie side by side.
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

    /// Buffers a change of the [`counter`] at `key` by `delta`; an absent counter is 0, one that comes to 0 is removed,
    /// and it stays at the ends of the range of numbers.
    ///
    /// Additions never conflict with each other, because none says what was there before; several transactions that add
    /// to one key share a frame. A `get` in this transaction sees them and is re-checked like any other; a `scan` does not
    /// see them. `commit` fails with [`StoreError::Damaged`], and applies nothing, when no counter is at `key`.
    fn add(&mut self, key: Key, delta: i64);

    /// Keys and values in `scan`'s range and order, own writes included. Not re-checked at commit.
    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError>;

    /// How records must be encoded for this transaction's engine.
    fn encoding(&self) -> Encoding;

    /// Re-checks every `get`, applies all writes or none, returns when they are durable.
    async fn commit(self: Box<Self>) -> Result<(), CommitError>;
}

/// The bytes of a record: compact for embedded engines, readable for engines whose users query them.
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
    /// Last key, exclusive; `None` runs to the keyspace's end.
    pub end: Option<Key>,
    /// From the last key to the first.
    pub reverse: bool,
    /// At most so many entries.
    pub limit: usize,
}

/// What an engine can say about itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineStats {
    /// Commits that became durable since the start.
    pub commits: u64,
    /// Commits refused because something read had changed.
    pub conflicts: u64,
    /// Groups written (one disk wait each).
    pub groups: u64,
    /// Bytes in the journal now.
    pub journal_bytes: u64,
    /// Bytes on disk now, everything included.
    pub disk_bytes: u64,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Something this transaction read has changed: load and decide again.
    #[error("another transaction changed what this one had read")]
    Conflict,
    /// The engine could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What can go wrong below the seam.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Stored bytes are not what was written.
    #[error("damaged data in {place}: {what}. {way_out}")]
    Damaged {
        /// File or key that is damaged.
        place: String,
        /// What does not hold.
        what: String,
        /// What the operator can do.
        way_out: String,
    },
    /// A folder or a wish that cannot be used as it stands; nothing is damaged.
    #[error("{place}: {what}")]
    Unusable {
        /// File or folder.
        place: String,
        /// Why, and what to do.
        what: String,
    },
    /// The operating system refused.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On which file.
        path: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// No space for another write; reads go on.
    #[error("the disk that holds {path} is full: writes are refused until there is space")]
    DiskFull {
        /// The data folder.
        path: String,
    },
    /// The process may not make its files any larger; reads go on.
    #[error(
        "{path} has reached this process's limit on file sizes (ulimit -f, LimitFSIZE): writes are refused. Raise the limit \
         and start again"
    )]
    FileSizeLimit {
        /// File or data folder.
        path: String,
    },
    /// A record above the size cap.
    #[error("a record of {size} bytes is above the limit of {limit} bytes")]
    TooLarge {
        /// Encoded size.
        size: usize,
        /// The cap.
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
