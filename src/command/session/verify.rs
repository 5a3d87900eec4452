//! `POST /recipe/session/verify`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::session::{IssuedToken, RefreshPolicy, SessionView};
use crate::fault::Fault;
use std::sync::Arc;

/// Checks an access token.
pub struct VerifySession<'a> {
    /// Where.
    pub scope: Scope,
    /// The token as presented.
    pub access_token: &'a str,
    /// The anti-CSRF token as presented.
    pub anti_csrf_token: Option<&'a str>,
    /// The request is one that needs the anti-CSRF check.
    pub do_anti_csrf_check: bool,
    /// The application uses anti-CSRF tokens.
    pub enable_anti_csrf: bool,
    /// Look the session up.
    pub check_database: bool,
    /// Legacy promotion, or the stateless check.
    pub policy: RefreshPolicy,
}

/// How it ended.
pub enum Verified {
    /// The token is good.
    Ok {
        /// What the token says, with the payload that now holds.
        session: Arc<SessionView>,
        /// Minted when this token was promoted or its payload had changed; never under `RotateOnRefresh`.
        access_token: Option<IssuedToken>,
        /// `RotateOnRefresh` with `check_database`: the stored payload differs from the token's.
        payload_update_available: Option<bool>,
    },
    /// The session is over; the protocol's sentence.
    Unauthorised(&'static str),
    /// The token is not good (any more); the protocol's sentence.
    TryRefreshToken(&'static str),
}

impl VerifySession<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, _app: &App) -> Result<Verified, Fault> {
        todo!()
    }
}
