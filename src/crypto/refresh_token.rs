//! Refresh tokens: sealed, opaque to everyone else.

use crate::crypto::sealing::SealingKey;
use crate::domain::entropy::Entropy;
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;

/// What a refresh token says, to us alone. Two tokens with the same content differ in 24 random bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session; carries the tenant.
    pub handle: SessionHandle,
    /// The user of the login method.
    pub user_id: UserId,
    /// Hash of the refresh token it was exchanged for; `None` for a session's first.
    pub parent_refresh_token_hash_1: Option<TokenHash1>,
    /// The anti-CSRF token, if enabled.
    pub anti_csrf_token: Option<String>,
    /// The family's generation when it was minted (see `domain::session::family`).
    pub generation: u64,
    /// When it was made.
    pub minted: UnixMillis,
}

impl SealingKey {
    /// Seals a refresh token into text.
    #[must_use]
    pub fn seal_refresh_token(&self, _token: &RefreshToken, _entropy: &dyn Entropy) -> Secret<String> {
        todo!()
    }

    /// Opens a presented refresh token. `None` for anything that this key did not seal.
    #[must_use]
    pub fn open_refresh_token(&self, _text: &str) -> Option<RefreshToken> {
        todo!()
    }
}
