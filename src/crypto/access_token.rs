//! Access tokens: minting and verifying JWTs of every layout (CDI: access token versions 1 to 5).

use crate::domain::ids::SessionHandle;
use crate::domain::ids::UserId;
use crate::domain::json::JsonObject;
use crate::domain::key::KeyKind;
use crate::domain::session::{AccessTokenVersion, IssuedToken, SessionView};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use std::sync::Arc;

/// The keys that sign and verify an app's tokens at one moment.
pub struct TokenKeys {}

/// What an access token says.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// Its layout.
    pub version: AccessTokenVersion,
    /// Handle (with tenant), user ids and custom claims.
    pub session: Arc<SessionView>,
    /// Hash of the refresh token it was issued with.
    pub refresh_token_hash_1: TokenHash1,
    /// Hash of the refresh token before that, while the newer one has not been used.
    pub parent_refresh_token_hash_1: Option<TokenHash1>,
    /// The anti-CSRF token, if enabled.
    pub anti_csrf_token: Option<String>,
    /// When it was minted; whole seconds from version 3 on.
    pub created: UnixMillis,
    /// When it stops being accepted; whole seconds from version 3 on.
    pub expiry: UnixMillis,
}

/// What to put into a new access token.
#[derive(Debug, Clone, Copy)]
pub struct NewAccessToken<'a> {
    /// Its layout (version 1 is minted as version 2).
    pub version: AccessTokenVersion,
    /// The session; its tenant becomes `tId`.
    pub handle: &'a SessionHandle,
    /// Primary user.
    pub user_id: &'a UserId,
    /// User of the login method (`rsub`).
    pub recipe_user_id: &'a UserId,
    /// Hash of the refresh token that goes with it.
    pub refresh_token_hash_1: &'a TokenHash1,
    /// Hash of the refresh token before that, while the newer one has not been used.
    pub parent_refresh_token_hash_1: Option<&'a TokenHash1>,
    /// The anti-CSRF token, if enabled.
    pub anti_csrf_token: Option<&'a str>,
    /// Custom claims.
    pub user_data: &'a JsonObject,
    /// Now.
    pub created: UnixMillis,
    /// When it shall stop being accepted (rounded down to the second from version 3 on).
    pub expiry: UnixMillis,
}

/// Why a token was not minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// A custom claim has a name that this layout reserves.
    #[error("The user payload contains protected field")]
    ProtectedClaim,
    /// The key would not sign.
    #[error("signing with key {kid} failed")]
    Signing {
        /// Which key.
        kid: String,
    },
}

/// Why a token is not accepted. Every one of them is answered `TRY_REFRESH_TOKEN` at verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Not a JWT of any layout: parts, encodings, header.
    #[error("Invalid JWT")]
    Unparsable,
    /// A JWT, but no key of this app has that `kid`.
    #[error("Unknown signing key")]
    UnknownKey,
    /// The signature is not this key's.
    #[error("Signature verification failed")]
    BadSignature,
    /// Claims of its version are missing or of the wrong type.
    #[error("Access token does not contain all the information. Maybe the structure has changed?")]
    Claims,
    /// Its time is over.
    #[error("Access token expired")]
    Expired,
}

impl TokenRefusal {
    /// The sentence for the reply.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Unparsable => "Invalid JWT",
            Self::UnknownKey => "Unknown signing key",
            Self::BadSignature => "Signature verification failed",
            Self::Claims => "Access token does not contain all the information. Maybe the structure has changed?",
            Self::Expired => "Access token expired",
        }
    }
}

impl TokenKeys {
    /// Mints an access token with the key of this kind that signs now. `expiry` and `created` of the result are what
    /// the reply's JSON carries.
    ///
    /// # Errors
    /// [`MintError::ProtectedClaim`], or a key that fails.
    pub fn mint(&self, _kind: KeyKind, _token: &NewAccessToken<'_>) -> Result<IssuedToken, MintError> {
        todo!()
    }

    /// Checks structure, key, signature, claims and expiry. Prefer [`VerifiedTokens`], which remembers.
    ///
    /// [`VerifiedTokens`]: crate::command::session::verified::VerifiedTokens
    ///
    /// # Errors
    /// The first check that failed.
    pub fn verify(&self, _token: &str, _now: UnixMillis) -> Result<AccessToken, TokenRefusal> {
        todo!()
    }
}

/// Reads an access token **without checking its signature or expiry** (CDI: regenerate).
///
/// # Errors
/// [`TokenRefusal::Unparsable`] when it is no JWT of ours by layout, [`TokenRefusal::Claims`] when claims are missing.
pub fn parse_unverified(_token: &str) -> Result<AccessToken, TokenRefusal> {
    todo!()
}

/// The claim names that custom data may not use in this layout.
#[must_use]
pub const fn protected_claims(version: AccessTokenVersion) -> &'static [&'static str] {
    const V2: &[&str] = &[
        "userId",
        "expiryTime",
        "timeCreated",
        "sessionHandle",
        "refreshTokenHash1",
        "parentRefreshTokenHash1",
        "antiCsrfToken",
        "userData",
    ];
    const V5: &[&str] = &[
        "sub",
        "exp",
        "iat",
        "sessionHandle",
        "refreshTokenHash1",
        "parentRefreshTokenHash1",
        "antiCsrfToken",
        "tId",
        "rsub",
    ];
    match version {
        AccessTokenVersion::V1 | AccessTokenVersion::V2 => V2,
        AccessTokenVersion::V3 => V5.split_at(7).0,
        AccessTokenVersion::V4 => V5.split_at(8).0,
        AccessTokenVersion::V5 => V5,
    }
}

/// True if `user_data` has a top-level name that this layout reserves.
#[must_use]
pub fn has_protected_claim(_version: AccessTokenVersion, _user_data: &JsonObject) -> bool {
    todo!()
}
