//! Access tokens: minting and verifying JWTs of every layout (CDI: access token versions 1 to 5).
//!
//! Only this server mints the tokens it verifies, so a token's header must be, byte for byte, one that a key of the app
//! writes: the header selects one of the known keys and nothing else. `alg` tricks, foreign `kid`s, `jku`, `jwk`, `x5u`
//! and `crit` fail at that comparison. The header of a custom JWT is one of those too: session claims that an
//! application has put into one are read, and marked as written by the application.

mod claims;
mod header;
mod keys;
mod mint;
mod parts;

pub use claims::{has_member, has_protected_claim, parse_unverified};
pub use keys::{SigningKeys, TokenKeys, VerifyingKey};

use crate::crypto::signature::KeyError;
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::{AccessTokenVersion, SessionView};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use std::sync::Arc;

/// The content of an access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// Its layout.
    pub version: AccessTokenVersion,
    /// Whether the application has written these claims (a custom JWT); then they prove nothing without the session's
    /// row.
    pub is_custom: bool,
    /// Handle (with tenant), user ids and custom claims.
    pub session: Arc<SessionView>,
    /// The hash of the refresh token it was issued with.
    pub refresh_token_hash_1: TokenHash1,
    /// The hash of that refresh token's parent, as long as the refresh token has not been used.
    pub parent_refresh_token_hash_1: Option<TokenHash1>,
    /// The anti-CSRF token, if enabled.
    pub anti_csrf_token: Option<String>,
    /// When it was minted; whole seconds from version 3 on.
    pub created: UnixMillis,
    /// When it stops being accepted; whole seconds from version 3 on.
    pub expiry: UnixMillis,
}

/// The content of an access token to be minted.
#[derive(Debug, Clone, Copy)]
pub struct NewAccessToken<'a> {
    /// Its layout (version 1 is minted as version 2).
    pub version: AccessTokenVersion,
    /// The session; its tenant becomes `tId`.
    pub handle: &'a SessionHandle,
    /// The primary user.
    pub user_id: &'a UserId,
    /// The user of the login method (`rsub`).
    pub recipe_user_id: &'a UserId,
    /// The hash of the refresh token issued with it.
    pub refresh_token_hash_1: &'a TokenHash1,
    /// The hash of that refresh token's parent, as long as the refresh token has not been used.
    pub parent_refresh_token_hash_1: Option<&'a TokenHash1>,
    /// The anti-CSRF token, if enabled.
    pub anti_csrf_token: Option<&'a str>,
    /// Custom claims.
    pub user_data: &'a JsonObject,
    /// The present.
    pub created: UnixMillis,
    /// When it will stop being accepted (rounded down to the second from version 3 on).
    pub expiry: UnixMillis,
}

/// Longer texts are refused before any work is done.
pub const MAX_TOKEN: usize = 2 << 20;

/// Why a token was not minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// A custom claim has a name that this layout reserves.
    #[error("The user payload contains protected field")]
    ProtectedClaim,
    /// The layout needs an RSA key, but none was requested with the ring.
    #[error("there is no RSA key to sign with")]
    NoRsaKey,
    /// The key failed to sign.
    #[error("signing with key {kid} failed")]
    Signing {
        /// The key's name.
        kid: String,
        /// The key's error.
        source: KeyError,
    },
}

/// Why a token is not accepted. At verify, each of these is answered with `TRY_REFRESH_TOKEN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Not a JWT of any layout: parts, encodings, header.
    #[error("Invalid JWT")]
    Unparsable,
    /// A JWT, but no key of this app has that `kid`.
    #[error("Unknown signing key")]
    UnknownKey,
    /// The signature was not made by this key.
    #[error("Signature verification failed")]
    BadSignature,
    /// Claims of its version are missing or of the wrong type.
    #[error("Access token does not contain all the information. Maybe the structure has changed?")]
    Claims,
    /// It has expired.
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
