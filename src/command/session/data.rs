//! `PUT /recipe/session/data` and `PUT /recipe/jwt/data`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::json::JsonObject;
use crate::domain::session::AccessTokenVersion;
use crate::fault::Fault;

/// Replaces one of a session's two data objects.
pub struct UpdateSession<'a> {
    /// Where.
    pub scope: Scope,
    /// Its name as presented.
    pub handle: &'a str,
    /// Which object, and what it becomes.
    pub change: Change,
}

/// Which of the two objects.
pub enum Change {
    /// `userDataInDatabase`.
    Database(JsonObject),
    /// `userDataInJWT`; refused if it has a name reserved by this token version (`None`: not checked).
    Payload(JsonObject, Option<AccessTokenVersion>),
}

/// How it ended.
pub enum Updated {
    /// Replaced, durably.
    Ok,
    /// Missing or expired.
    NoSuchSession,
    /// The payload has a reserved name.
    ProtectedClaim,
}

impl UpdateSession<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, _app: &App) -> Result<Updated, Fault> {
        todo!()
    }
}
