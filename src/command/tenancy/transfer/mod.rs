//! Moves an app: from one installation into an archive, and from that into another installation.

mod export;
mod import;

pub use export::{ExportApp, Exported};
pub use import::{ImportApp, Imported};

use crate::domain::ids::AppId;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::key::{RewrapError, UnlockError};
use crate::store::StoreError;
use crate::store::key_vault::KeyVaultRecord;
use serde::{Deserialize, Serialize};

/// The version of the archive format written here.
const FORMAT: u32 = 1;

/// Called with the progress of the work: what is being done, rows done, rows in all (0: unknown).
pub type OnTransferProgress = std::sync::Arc<dyn Fn(&'static str, u64, u64) + Send + Sync>;

/// Number of rows between two reports of progress.
const PROGRESS_EVERY: u64 = 1000;

/// An archive's description of itself, before its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    format: u32,
    /// The version of sessiond that wrote it.
    sessiond: String,
    connection_uri_domain: String,
    app_id: String,
    exported: UnixMillis,
    /// How the secret halves of keys are stored in it.
    seal: KeyVaultRecord,
}

impl Label {
    fn app(&self) -> AppId {
        AppId { connection_uri_domain: self.connection_uri_domain.clone(), app_id: self.app_id.clone() }
    }
}

/// Why an app was not moved. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// There is no such app to export.
    #[error("there is no such app; see \"sessiond apps list\"")]
    UnknownApp,
    /// The folder's keys are sealed, and the caller did not say how to store them in the archive.
    #[error(
        "the keys of this installation are sealed under a master key: give a key for the archive in \
         SESSIOND_ARCHIVE_KEY or --key-file (at least 32 characters), or pass --plain to write them unsealed"
    )]
    SealOrPlain,
    /// A tenant or role of the app is being removed.
    #[error("a tenant or role of this app is being removed right now: try again while the server is running")]
    RemovalUnderWay,
    /// The archive's keys are sealed.
    #[error(
        "the keys in this archive are sealed: give the key it was exported with in SESSIOND_ARCHIVE_KEY or --key-file"
    )]
    KeyMissing,
    /// Another key was given.
    #[error("the keys in this archive are sealed under another key than the one given")]
    KeyWrong,
    /// The given key is too short.
    #[error("the key for the archive is too short: at least 32 characters")]
    KeyTooShort,
    /// A newer version wrote it.
    #[error("the archive was written by sessiond {0}, which is newer than this one: import it with that version")]
    Newer(String),
    /// The file holds something that no export writes.
    #[error("the archive was not written by an export: {0}. Nothing was changed: export the app again")]
    Malformed(&'static str),
    /// The name is taken.
    #[error("the app {0} already exists here; nothing is overwritten. --as imports it under another id")]
    Exists(String),
    /// The base app always exists; it can be imported into as long as nothing is in it.
    #[error(
        "the public app of this installation already holds data; nothing is overwritten. --as imports the archive's app \
         under another id"
    )]
    PublicNotEmpty,
    /// Requests could see a partly imported app.
    #[error(
        "the public app can be imported only into a folder that no server uses: stop the server, or import it under \
         another id with --as"
    )]
    PublicIsServed,
    /// The app's domain does not exist.
    #[error("there is no connection URI domain {0} here: create it first, or name another one with --domain")]
    NoDomain(String),
    /// A row could not be carried over.
    #[error(transparent)]
    Row(#[from] RewrapError),
    /// The store or the file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Any other failure.
    #[error("{}", .0.chain())]
    Fault(#[from] Fault),
}

impl From<UnlockError> for TransferError {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Missing => Self::KeyMissing,
            UnlockError::TooShort => Self::KeyTooShort,
            UnlockError::Store(error) => Self::Store(error),
            UnlockError::Wrong | UnlockError::NotSealed | UnlockError::Raced => Self::KeyWrong,
        }
    }
}
