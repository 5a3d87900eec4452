//! `POST /recipe/session/regenerate`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::json::JsonObject;
use crate::domain::session::{IssuedToken, SessionView};
use crate::fault::Fault;

/// A new access token with a new payload. The presented token's signature is not checked (protocol 01 §1.5).
pub struct RegenerateAccessToken<'a> {
    /// Where.
    pub scope: Scope,
    /// The token as presented, possibly expired.
    pub access_token: &'a str,
    /// Replaces the stored payload; `None` takes the stored one.
    pub user_data_in_jwt: Option<JsonObject>,
    /// CDI ≥ 2.21 refuses protected names.
    pub check_protected_claims: bool,
}

/// How it ended.
pub enum Regenerated {
    /// The payload stands.
    Ok {
        /// The session with its new payload.
        session: SessionView,
        /// Absent when the presented token had expired.
        access_token: Option<IssuedToken>,
    },
    /// No such session, or claims of the wrong shape; the protocol's sentence.
    Unauthorised(&'static str),
    /// The payload has a name that the token's version reserves.
    ProtectedClaim,
    /// Not a JWT at all (the original answers 500).
    Unparsable,
}

impl RegenerateAccessToken<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, _app: &App) -> Result<Regenerated, Fault> {
        todo!()
    }
}
