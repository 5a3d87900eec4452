//! Data folders: opened for a server, or worked on while no server uses them. Nothing outside the store names the engine that
//! keeps them.

pub use super::sled::Options;
pub use super::sled::maintenance::{check, compact, restore, salvage};

use super::maintenance::Maintain;
use super::{Engine, StoreError};
use std::path::Path;
use std::sync::Arc;

/// A folder that is open.
pub struct OpenFolder {
    /// Where records live.
    pub engine: Arc<dyn Engine>,
    /// What an operator does with it.
    pub maintenance: Arc<dyn Maintain>,
}

/// Opens a folder, new or known. Blocks while it is recovered.
///
/// # Errors
/// When another process uses it, when it is damaged beyond what snapshot and journal repair, or when the system refuses.
pub fn open(path: &Path, options: &Options) -> Result<OpenFolder, StoreError> {
    let (engine, _report) = super::sled::open(path, options)?;
    let engine = Arc::new(engine);
    Ok(OpenFolder { engine: Arc::clone(&engine) as _, maintenance: engine })
}
