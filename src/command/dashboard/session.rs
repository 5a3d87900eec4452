//! `POST /recipe/dashboard/session/verify`, `DELETE /recipe/dashboard/session`, `GET /recipe/dashboard/user/sessions`.

use super::{DashboardUser, reading};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use crate::fault::Fault;
use crate::store::dashboard;

/// Whose session this is.
pub struct VerifySession<'a> {
    /// Where.
    pub scope: Scope,
    /// The session's id as presented.
    pub session_id: &'a str,
}

impl VerifySession<'_> {
    /// The user, if the session counts: it is not expired, and the user was neither changed nor removed since.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Option<DashboardUser>, Fault> {
        let app_id = &self.scope.app.id;
        let mut tx = app.store.begin();
        let hash = TokenHash1::of(self.session_id);
        let session = dashboard::session(tx.as_mut(), app_id, &hash).await.map_err(reading)?;
        let Some(session) = session else { return Ok(None) };
        let user = dashboard::user(tx.as_mut(), app_id, &session.user_id).await.map_err(reading)?;
        Ok(user.filter(|user| session.counts_for(user, app.now())).map(DashboardUser::from))
    }
}

/// Ends a session.
pub struct EndSession<'a> {
    /// Where.
    pub scope: Scope,
    /// The session's id, or its name in a [list](ListSessions).
    pub session_id: &'a str,
}

impl EndSession<'_> {
    /// Runs the command; of a session that is unknown there is nothing to end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<(), Fault> {
        let mut tx = app.store.begin();
        let names = [Some(TokenHash1::of(self.session_id)), TokenHash1::parse(self.session_id)];
        for hash in names.into_iter().flatten() {
            tx.delete(dashboard::session_key(&self.scope.app.id, &hash));
        }
        tx.commit().await.map_err(|error| Fault::new("committing the end of a dashboard session", error))
    }
}

/// A session as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The id is not kept: this is its hash in hex, which ends the session but does not open the dashboard.
    pub name: String,
    /// Since when.
    pub created: UnixMillis,
    /// Good until then.
    pub expires: UnixMillis,
}

/// Lists a user's sessions that count.
pub struct ListSessions<'a> {
    /// Where.
    pub scope: Scope,
    /// Whose.
    pub user_id: &'a UserId,
}

impl ListSessions<'_> {
    /// Runs the command; oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Vec<Listed>, Fault> {
        let app_id = &self.scope.app.id;
        let mut tx = app.store.begin();
        let user = dashboard::user(tx.as_mut(), app_id, self.user_id).await.map_err(reading)?;
        let Some(user) = user else { return Ok(Vec::new()) };
        let found = dashboard::sessions_of(tx.as_mut(), app_id, &user, app.now()).await.map_err(reading)?;
        let listed = found.into_iter().map(|(hash, session)| Listed {
            name: hash.to_hex(),
            created: session.created,
            expires: session.expires,
        });
        Ok(listed.collect())
    }
}
