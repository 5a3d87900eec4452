//! The session that a refresh token would refresh.

use super::session_owner::SessionOwner;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::session::SessionView;
use crate::fault::Fault;
use crate::store::session;

/// Finds the session that a refresh token would refresh, without using it. Whether it may be used is for the refresh to
/// say.
pub struct FindRefreshable<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The token as presented.
    pub refresh_token: &'a str,
}

impl FindRefreshable<'_> {
    /// Returns the session; `None` if the token cannot be opened, or its session has ended.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, context: &Context) -> Result<Option<SessionView>, Fault> {
        let app = &self.scope.app;
        let ring = context.key_ring(app).await?;
        let Some(token) = ring.open_refresh_token(self.refresh_token) else { return Ok(None) };
        let mut tx = context.store.begin();
        let found = session::get(tx.as_mut(), &app.id, &token.handle).await;
        let found = found.map_err(|error| Fault::new("loading a session", error))?;
        let Some(record) = found.filter(|record| record.family.expires > context.now()) else { return Ok(None) };
        let owner = SessionOwner::of_row(tx.as_mut(), &app.id, &record.user_id).await?;
        Ok(Some(SessionView {
            handle: token.handle,
            user_id: owner.user_id,
            recipe_user_id: owner.recipe_user_id,
            user_data_in_jwt: record.user_data_in_jwt,
        }))
    }
}
