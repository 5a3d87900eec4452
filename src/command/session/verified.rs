//! Access tokens whose signature has been checked already, by the hash of the whole token.

use crate::command::key::KeyRing;
use crate::crypto::access_token::{AccessToken, TokenRefusal};
use crate::domain::time::UnixMillis;
use std::sync::Arc;

/// A bounded cache; every hit is still checked for expiry and key state.
pub struct VerifiedTokens {}

impl VerifiedTokens {
    /// A cache of at most about `capacity_bytes` of memory; 0 remembers nothing.
    #[must_use]
    pub fn new(_capacity_bytes: u64) -> Self {
        todo!()
    }

    /// What the token says, if it is good now; a look-up when it was good before.
    ///
    /// # Errors
    /// Why it is not good.
    pub fn verify(&self, _ring: &KeyRing, _token: &str, _now: UnixMillis) -> Result<Arc<AccessToken>, TokenRefusal> {
        todo!()
    }

    /// Look-ups that were answered from memory, since the start.
    #[must_use]
    pub fn hits(&self) -> u64 {
        todo!()
    }

    /// Look-ups that cost a signature check, since the start.
    #[must_use]
    pub fn misses(&self) -> u64 {
        todo!()
    }
}
