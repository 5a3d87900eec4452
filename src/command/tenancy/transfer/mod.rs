//! An app moves: out of one installation into an archive, and out of that into another one.

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

/// The form of archives that is written here.
const FORMAT: u32 = 1;

/// Told how far the work has come: what is being done, rows done, rows in all (0: unknown).
pub type Told = std::sync::Arc<dyn Fn(&'static str, u64, u64) + Send + Sync>;

/// Rows between two words about the progress.
const TOLD_EVERY: u64 = 1000;

/// What an archive says of itself, before its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    format: u32,
    /// Which version wrote it.
    sessiond: String,
    connection_uri_domain: String,
    app_id: String,
    exported: UnixMillis,
    /// How the secret halves of keys are kept in it.
    seal: KeyVaultRecord,
}

impl Label {
    fn app(&self) -> AppId {
        AppId { connection_uri_domain: self.connection_uri_domain.clone(), app_id: self.app_id.clone() }
    }
}

/// Why an app did not move. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// There is no such app to export.
    #[error("there is no such app; \"sessiond apps list\" names them")]
    UnknownApp,
    /// The folder's keys are sealed, and nobody said how the archive's should be.
    #[error(
        "the keys of this installation are sealed under a master key: give a key for the archive in \
         SESSIOND_ARCHIVE_KEY or --key-file (at least 32 characters), or pass --plain to write them unsealed"
    )]
    SealOrPlain,
    /// Rows are being deleted.
    #[error("a tenant or role of this app is being removed at this moment: try again while the server runs")]
    RemovalUnderWay,
    /// The archive's keys are sealed.
    #[error(
        "the keys in this archive are sealed: give the key it was exported with in SESSIOND_ARCHIVE_KEY or --key-file"
    )]
    KeyMissing,
    /// Another key was given.
    #[error("the keys in this archive are sealed under another key than the one given")]
    KeyWrong,
    /// The key that was given is no key.
    #[error("the key for the archive is too short: at least 32 characters")]
    KeyTooShort,
    /// A newer version wrote it.
    #[error("the archive was written by sessiond {0}, which is newer than this one: import it with that version")]
    Newer(String),
    /// The file holds something that no export writes.
    #[error("the archive is not what an export writes: {0}. Nothing was changed: export the app again")]
    Strange(&'static str),
    /// The name is taken.
    #[error("the app {0} exists here already; nothing is overwritten. --as imports it under another id")]
    Exists(String),
    /// The base app is always there; it can be filled as long as nothing is in it.
    #[error(
        "the public app of this installation holds data already; nothing is overwritten. --as imports the archive's app \
         under another id"
    )]
    PublicNotEmpty,
    /// Requests could see a half of it.
    #[error(
        "the public app can be imported only into a folder that no server uses: stop the server, or import it under \
         another id with --as"
    )]
    PublicIsServed,
    /// The app's domain is not there.
    #[error("there is no connection URI domain {0} here: create it first, or name another one with --domain")]
    NoDomain(String),
    /// A row could not be carried over.
    #[error(transparent)]
    Row(#[from] RewrapError),
    /// Store or file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rest.
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
