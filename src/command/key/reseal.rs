//! Changes the master key of a running server.

use crate::context::Context;
use crate::state::key::{MasterKey, ResealError};

/// Seals every key of the installation under another master key, or under none.
pub struct ResealKeys<'a> {
    /// The new master key; `None` stores keys unsealed from now on.
    pub new: Option<&'a MasterKey>,
}

impl ResealKeys<'_> {
    /// Reseals the keys; returns how many secrets were resealed.
    ///
    /// # Errors
    /// The reason why the keys were not resealed.
    pub async fn run(self, context: &Context) -> Result<usize, ResealError> {
        context.keys.reseal(&*context.store, self.new, &*context.entropy).await
    }
}
