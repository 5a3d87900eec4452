//! `POST /user/remove` and `sessiond users delete`.

use super::change::{self, Decide, Decision, UserUpdate};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::session::event::UserChange;
pub use crate::domain::user::linking::Extent;
use crate::domain::user::linking::{self, Deletion};
use crate::domain::user::{LoginMethod, User};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::Found;
use async_trait::async_trait;

/// Deletes a user, or one of its login methods, with everything that recipes keep for it. Its sessions end with that
/// cause.
pub struct DeleteUser {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Any id: internal or mapped, of the group or of a login method.
    pub id: UserId,
    /// Whether to delete the whole user or one login method.
    pub extent: Extent,
}

/// The outcome of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// Deleted, durably.
    Ok {
        /// Number of login methods deleted.
        methods: usize,
    },
    /// No user has this id; or it is that of a group, and the login method that had it is already deleted.
    Nothing,
}

impl DeleteUser {
    /// Deletes the user and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Deleted, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }
}

#[async_trait]
impl Decide for DeleteUser {
    type Outcome = Deleted;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<Deleted>, Fault> {
        let Some(Found { user, id }) = change::find(tx, &self.scope, &self.id).await? else {
            return Ok(Decision::Done(Deleted::Nothing));
        };
        let Some(Deletion { after, methods, forgotten }) = linking::delete(&user, &id, self.extent) else {
            return Ok(Decision::Done(Deleted::Nothing));
        };
        let forgotten = change::data_ids(tx, &self.scope.app.id, &user, &forgotten).await?;
        let audit = methods.iter().filter_map(|id| user.method(id)).map(|method| gone(&user, method)).collect();
        let outcome = Deleted::Ok { methods: methods.len() };
        let change = UserUpdate {
            before: vec![user],
            after: after.into_iter().collect(),
            signed_out: Some((UserChange::Deletion, forgotten.clone())),
            forgotten,
            audit,
            ..UserUpdate::default()
        };
        Ok(Decision::Change(Box::new(change), outcome))
    }
}

/// An audit event about a login method that is deleted.
pub(super) fn gone(user: &User, method: &LoginMethod) -> AuditEvent {
    let event = AuditEvent::of(AuditKind::UserDeleted).user(user.shown_id()).recipe_user(user.shown(&method.id));
    let event = event.recipe(method.login.recipe());
    match method.login.email().or_else(|| method.login.phone_number()) {
        Some(login) => event.login(login),
        None => event,
    }
}
