//! Changing the master key of a running server.

use crate::context::Context;
use crate::state::key::{MasterKey, ResealError};

/// Seals every key of the installation under another master key, or under none.
pub struct ResealKeys<'a> {
    /// The new master key; `None` stores keys plain from now on.
    pub new: Option<&'a MasterKey>,
}

impl ResealKeys<'_> {
    /// Runs the command; returns how many secrets were sealed anew.
    ///
    /// # Errors
    /// Why not.
    pub async fn run(self, app: &Context) -> Result<usize, ResealError> {
        app.keys.reseal(&*app.store, self.new, &*app.entropy).await
    }
}
