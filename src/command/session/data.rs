//! `PUT /recipe/session/data` and `PUT /recipe/jwt/data`.

use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::access_token::has_protected_claim;
use crate::domain::ids::SessionHandle;
use crate::domain::json::JsonObject;
use crate::domain::session::AccessTokenVersion;
use crate::domain::session::event::EventKind;
use crate::fault::Fault;
use crate::store::{Tx, session};

/// Replaces one of a session's two data objects.
pub struct UpdateSession<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The session's handle as presented.
    pub handle: &'a str,
    /// The object to replace, and its new value.
    pub change: SessionDataChange,
}

/// One of the two objects, with its new value.
pub enum SessionDataChange {
    /// The object `userDataInDatabase`.
    Database(JsonObject),
    /// The object `userDataInJWT`; refused if it has a name reserved by this token version (`None`: not checked).
    Payload(JsonObject, Option<AccessTokenVersion>),
}

/// The outcome of replacing session data.
pub enum Updated {
    /// Replaced, durably.
    Ok,
    /// Missing or expired.
    NoSuchSession,
    /// The payload has a reserved name.
    ProtectedClaim,
}

impl UpdateSession<'_> {
    /// Replaces the object and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Updated, Fault> {
        if let SessionDataChange::Payload(payload, Some(version)) = &self.change
            && has_protected_claim(*version, payload)
        {
            return Ok(Updated::ProtectedClaim);
        }
        let Some(handle) = SessionHandle::parse(self.handle) else { return Ok(Updated::NoSuchSession) };
        transact(context, &handle, "committing session data", |tx| self.attempt(context, tx, &handle)).await
    }

    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        handle: &SessionHandle,
    ) -> Result<Step<Updated>, Fault> {
        let id = &self.scope.app.id;
        let found = session::get(tx.as_mut(), id, handle).await;
        let found = found.map_err(|error| Fault::new("loading a session", error))?;
        let now = context.now();
        let Some(mut record) = found.filter(|record| record.family.expires > now) else {
            return Ok(Step::Done(Updated::NoSuchSession));
        };
        let request_id = self.scope.cause.request_id.clone();
        match &self.change {
            SessionDataChange::Database(data) => {
                record.user_data_in_database = data.clone();
                record.log.push(now, EventKind::DatabaseUpdated { request_id });
            }
            SessionDataChange::Payload(payload, _) => {
                record.user_data_in_jwt = payload.clone();
                record.log.push(now, EventKind::PayloadUpdated { request_id });
            }
        }
        session::update(tx.as_mut(), id, handle, &record).map_err(|error| Fault::new("writing session data", error))?;
        Ok(Step::Commit(tx, Updated::Ok))
    }
}
