//! `POST /recipe/session/refresh`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::ids::{SessionHandle, UserId};
pub use crate::domain::session::event::ReuseSubtype;
use crate::domain::session::{AccessTokenVersion, IssuedSession, RefreshPolicy};
use crate::fault::Fault;

/// Exchanges a refresh token.
pub struct RefreshSession<'a> {
    /// Where.
    pub scope: Scope,
    /// The token as presented.
    pub refresh_token: &'a str,
    /// The anti-CSRF token as presented.
    pub anti_csrf_token: Option<&'a str>,
    /// The application uses anti-CSRF tokens.
    pub enable_anti_csrf: bool,
    /// Kind of key from now on; `None` keeps the session's.
    pub use_dynamic_signing_key: Option<bool>,
    /// Lifetime of the access token in ms instead of the configured one, without jitter.
    pub access_token_validity_ms: Option<u64>,
    /// Layout of the access token.
    pub token_version: AccessTokenVersion,
    /// Which refresh machine.
    pub policy: RefreshPolicy,
}

/// How it ended.
pub enum Refreshed {
    /// New tokens, durably.
    Ok(Box<IssuedSession>),
    /// No session for this token; the protocol's sentence.
    Unauthorised {
        /// The sentence.
        message: &'static str,
        /// `recentTokenReuseSubtype`, when a recent token was reused and the app treats that as signed out.
        subtype: Option<ReuseSubtype>,
    },
    /// A token that had been replaced came back.
    TokenTheft {
        /// Which session.
        handle: SessionHandle,
        /// Its primary user.
        user_id: UserId,
        /// Its login method's user.
        recipe_user_id: UserId,
        /// `recentTokenReuseSubtype`, under `RotateOnRefresh`.
        subtype: Option<ReuseSubtype>,
    },
    /// `access_token_validity_ms` is 0 or above the configured lifetime.
    InvalidAccessTokenValidity {
        /// The configured lifetime.
        max_ms: u64,
    },
}

impl RefreshSession<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, _app: &App) -> Result<Refreshed, Fault> {
        todo!()
    }
}
