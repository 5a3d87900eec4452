//! `POST /recipe/dashboard/session/verify`, `DELETE /recipe/dashboard/session`, `GET /recipe/dashboard/user/sessions`.

use super::{DashboardUser, reading};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use crate::fault::Fault;
use crate::store::dashboard;

/// Finds the user of a session.
pub struct VerifyDashboardSession<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The session's id as presented.
    pub session_id: &'a str,
}

impl VerifyDashboardSession<'_> {
    /// The user, if the session is valid: not expired, and its user neither changed nor removed since.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<DashboardUser>, Fault> {
        let app_id = &self.scope.app.id;
        let mut tx = context.store.begin();
        let hash = TokenHash1::of(self.session_id);
        let session = dashboard::session(tx.as_mut(), app_id, &hash).await.map_err(reading)?;
        let Some(session) = session else { return Ok(None) };
        let user = dashboard::user(tx.as_mut(), app_id, &session.user_id).await.map_err(reading)?;
        Ok(user.filter(|user| session.counts_for(user, context.now())).map(DashboardUser::from))
    }
}

/// Ends a session.
pub struct EndSession<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The session's id, or its name in a [list](ListSessions).
    pub session_id: &'a str,
}

impl EndSession<'_> {
    /// Ends the session; does nothing if it is unknown.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(), Fault> {
        let mut tx = context.store.begin();
        let names = [Some(TokenHash1::of(self.session_id)), TokenHash1::parse(self.session_id)];
        for hash in names.into_iter().flatten() {
            tx.delete(dashboard::session_key(&self.scope.app.id, &hash));
        }
        tx.commit().await.map_err(|error| Fault::new("committing the end of a dashboard session", error))
    }
}

/// A session as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// The hash of the id in hex, because the id is not kept: it can end the session but does not open the dashboard.
    pub name: String,
    /// When the session was created.
    pub created: UnixMillis,
    /// When it expires.
    pub expires: UnixMillis,
}

/// Lists a user's valid sessions.
pub struct ListSessions<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Id of the user.
    pub user_id: &'a UserId,
}

impl ListSessions<'_> {
    /// Returns the sessions, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<ListedSession>, Fault> {
        let app_id = &self.scope.app.id;
        let mut tx = context.store.begin();
        let user = dashboard::user(tx.as_mut(), app_id, self.user_id).await.map_err(reading)?;
        let Some(user) = user else { return Ok(Vec::new()) };
        let found = dashboard::sessions_of(tx.as_mut(), app_id, &user, context.now()).await.map_err(reading)?;
        let listed = found.into_iter().map(|(hash, session)| ListedSession {
            name: hash.to_hex(),
            created: session.created,
            expires: session.expires,
        });
        Ok(listed.collect())
    }
}
