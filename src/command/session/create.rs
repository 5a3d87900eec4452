//! `POST /recipe/session`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::{AccessTokenVersion, IssuedSession};
use crate::fault::Fault;

/// Creates a session.
pub struct CreateSession {
    /// Where.
    pub scope: Scope,
    /// In which tenant.
    pub tenant: TenantId,
    /// For whom.
    pub user_id: UserId,
    /// Mint an anti-CSRF token.
    pub enable_anti_csrf: bool,
    /// Custom claims.
    pub user_data_in_jwt: JsonObject,
    /// Kept in the store only.
    pub user_data_in_database: JsonObject,
    /// Sign with the dynamic key (else the static one).
    pub use_dynamic_signing_key: bool,
    /// Lifetime of the access token in ms instead of the configured one, without jitter.
    pub access_token_validity_ms: Option<u64>,
    /// Layout of the access token.
    pub token_version: AccessTokenVersion,
}

/// How it ended.
pub enum Created {
    /// The session stands, durably.
    Ok(Box<IssuedSession>),
    /// The payload has a name that the token's version reserves.
    ProtectedClaim,
    /// `access_token_validity_ms` is 0 or above the configured lifetime.
    InvalidAccessTokenValidity {
        /// The configured lifetime.
        max_ms: u64,
    },
}

impl CreateSession {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, _app: &App) -> Result<Created, Fault> {
        todo!()
    }
}
