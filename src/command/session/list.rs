//! `GET /recipe/session/user` and `GET /recipe/session`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;

/// Lists a user's live sessions.
pub struct ListSessions {
    /// Where.
    pub scope: Scope,
    /// Whose.
    pub user_id: UserId,
    /// In this tenant; `None` for all of the app.
    pub tenant: Option<TenantId>,
}

impl ListSessions {
    /// Runs the command; handles as text.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, _app: &App) -> Result<Vec<String>, Fault> {
        todo!()
    }
}

/// Looks a session up by its handle.
pub struct FindSession<'a> {
    /// Where.
    pub scope: Scope,
    /// Its name as presented.
    pub handle: &'a str,
}

/// A live session.
pub struct SessionInfo {
    /// Its public name.
    pub handle: SessionHandle,
    /// The current primary user.
    pub user_id: UserId,
    /// The login method's user.
    pub recipe_user_id: UserId,
    /// Kept in the store only.
    pub user_data_in_database: JsonObject,
    /// Custom claims as stored.
    pub user_data_in_jwt: JsonObject,
    /// End of life unless refreshed.
    pub expiry: UnixMillis,
    /// Creation.
    pub time_created: UnixMillis,
}

impl FindSession<'_> {
    /// Runs the command; `None` when it is missing or has expired.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, _app: &App) -> Result<Option<SessionInfo>, Fault> {
        todo!()
    }
}
