//! Data folders: opened for a server, or maintained while no server uses them. Nothing outside the store names the
//! engine behind them.

pub use super::sled::Options;
pub use super::sled::maintenance::{check, compact, restore, salvage};

use super::maintenance::Maintain;
use super::{Engine, StoreError};
use std::path::Path;
use std::sync::Arc;

/// An open folder.
pub struct OpenFolder {
    /// The engine that stores the records.
    pub engine: Arc<dyn Engine>,
    /// Its maintenance operations.
    pub maintenance: Arc<dyn Maintain>,
}

/// Opens a new or existing folder. Blocks during recovery.
///
/// # Errors
/// When another process uses it, when it is damaged beyond what snapshot and journal can repair, or when a system call
/// fails.
pub fn open(path: &Path, options: &Options) -> Result<OpenFolder, StoreError> {
    let (engine, _report) = super::sled::open(path, options)?;
    let engine = Arc::new(engine);
    Ok(OpenFolder { engine: Arc::clone(&engine) as _, maintenance: engine })
}
