//! `POST /recipe/session/remove`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::ids::{TenantId, UserId};
use crate::fault::Fault;

/// Ends sessions.
pub struct RevokeSessions {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub which: Which,
}

/// Which sessions to end.
pub enum Which {
    /// These; unknown ones are skipped.
    Handles(Vec<String>),
    /// All live sessions of a user in one tenant, or in all.
    User {
        /// Whose.
        user_id: UserId,
        /// In this tenant; `None` for all of the app.
        tenant: Option<TenantId>,
    },
}

impl RevokeSessions {
    /// Runs the command; returns the handles that existed and are now gone, as text.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, _app: &App) -> Result<Vec<String>, Fault> {
        todo!()
    }
}
