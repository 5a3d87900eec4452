//! The user metadata recipe's operations (CDI: user metadata).

use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::usermetadata::merged;
use crate::fault::{Fault, Gone};
use crate::store::{self, StoreError, Tx, usermetadata};

/// Reads metadata of users.
pub struct ReadMetadata {
    /// The app, and what led to the command.
    pub scope: Scope,
}

impl ReadMetadata {
    /// The metadata of one user; `None` if there never was any.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, context: &Context, user: &UserId) -> Result<Option<JsonObject>, Fault> {
        let mut tx = context.store.begin();
        usermetadata::get(tx.as_mut(), &self.scope.app.id, user).await.map_err(reading)
    }

    /// The metadata of each of these users, in their order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_all(&self, context: &Context, users: &[UserId]) -> Result<Vec<Option<JsonObject>>, Fault> {
        let mut tx = context.store.begin();
        let mut found = Vec::with_capacity(users.len());
        for user in users {
            found.push(usermetadata::get(tx.as_mut(), &self.scope.app.id, user).await.map_err(reading)?);
        }
        Ok(found)
    }
}

/// Merges an object into a user's metadata; see [`merged`].
pub struct UpdateMetadata {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user; need not exist.
    pub user_id: UserId,
    /// The members to change.
    pub update: JsonObject,
}

impl UpdateMetadata {
    /// Merges the members; returns the resulting metadata. Concurrent updates of a user are serialised: none is lost.
    ///
    /// # Errors
    /// When the store fails or the object has become too large.
    pub async fn run(self, context: &Context) -> Result<JsonObject, Fault> {
        let about = (&self.scope.app.id, &self.user_id);
        transact(context, &about, "committing user metadata", |tx| self.attempt(tx)).await
    }

    async fn attempt(&self, mut tx: Box<dyn Tx>) -> Result<Step<JsonObject>, Fault> {
        Ok(match self.add(tx.as_mut()).await? {
            (new, true) => Step::Commit(tx, new),
            (unchanged, false) => Step::Done(unchanged),
        })
    }

    /// Adds the update to a transaction. Returns the resulting metadata, and whether it is other than before.
    ///
    /// # Errors
    /// When the store fails or the object has become too large.
    pub(in crate::command) async fn add(&self, tx: &mut dyn Tx) -> Result<(JsonObject, bool), Fault> {
        let id = &self.scope.app.id;
        let current = usermetadata::get(tx, id, &self.user_id).await.map_err(reading)?;
        let new = merged(current.as_ref().unwrap_or(&JsonObject::empty()), &self.update);
        if current.as_ref() == Some(&new) {
            return Ok((new, false));
        }
        if !store::app::exists(tx, id).await.map_err(reading)? {
            return Err(Fault::new("writing user metadata", Gone { app: id.clone(), tenant: TenantId::public() }));
        }
        usermetadata::put(tx, id, &self.user_id, new.clone()).map_err(writing)?;
        Ok((new, true))
    }
}

/// Removes a user's metadata.
pub struct RemoveMetadata {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user whose metadata is removed.
    pub user_id: UserId,
}

impl RemoveMetadata {
    /// Removes the metadata.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(), Fault> {
        let about = (&self.scope.app.id, &self.user_id);
        transact(context, &about, "committing the removal of user metadata", |tx| self.attempt(tx)).await
    }

    async fn attempt(&self, mut tx: Box<dyn Tx>) -> Result<Step<()>, Fault> {
        let id = &self.scope.app.id;
        if !usermetadata::in_use(tx.as_mut(), id, &self.user_id).await.map_err(reading)? {
            return Ok(Step::Done(()));
        }
        usermetadata::remove_user(tx.as_mut(), id, &self.user_id);
        Ok(Step::Commit(tx, ()))
    }
}

fn reading(error: StoreError) -> Fault {
    Fault::new("reading user metadata", error)
}

fn writing(error: StoreError) -> Fault {
    Fault::new("writing user metadata", error)
}
