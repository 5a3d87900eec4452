//! Users across recipes: look-up, lists, deletion, ids, linking (CDI: users).

pub mod association;
mod change;
pub mod count;
pub mod delete;
pub mod import;
mod info;
pub mod linking;
pub mod list;
pub mod look_up;
pub mod mapping;
mod person;
pub(in crate::command) mod prepare;

pub use change::Conflict;
pub use info::UserInfo;
pub use person::Person;
pub(in crate::command) use person::{confirm_email, new_id, require_tenant};

use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::fault::Fault;
use crate::store::{Tx, user};

/// Looks up a user by any of its ids: internal or mapped, of the group or of a login method.
pub struct FindUser {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The id as presented.
    pub id: UserId,
}

impl FindUser {
    /// Returns the user; `None` for an id that belongs to no user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<UserInfo>, Fault> {
        transact(context, &self.id, "looking up a user", |tx| self.load(tx)).await
    }

    async fn load(&self, mut tx: Box<dyn Tx>) -> Result<Step<Option<UserInfo>>, Fault> {
        let failed = |error| Fault::new("looking up a user", error);
        let id = &self.scope.app.id;
        let info = match user::find(tx.as_mut(), id, &self.id).await.map_err(failed)? {
            Some(found) => Some(UserInfo::load(tx.as_mut(), id, found.user).await.map_err(failed)?),
            None => None,
        };
        Ok(Step::Commit(tx, info))
    }
}
