//! `PUT /recipe/user`: another e-mail address, another password, or both at once.

use super::{forget_failures, hash_of, reading, writing};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::user::{LoginMethod, PasswordHash, RecipeId, User};
use crate::fault::Fault;
use crate::state::password::SignInRefused;
use crate::store::user::{self, Found, Taken};
use crate::store::{Tx, passwordreset, user_data};

/// Changes a login method with a password.
pub struct UpdateLogin<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The login method: internal or mapped id.
    pub id: UserId,
    /// The new address; normalised.
    pub email: Option<String>,
    /// The new password.
    pub password: Option<&'a str>,
}

/// The outcome of changing a login method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updated {
    /// Done, durably.
    Ok,
    /// No user has this id, or it is not a login method with a password.
    UnknownUser,
    /// Another account in one of its tenants has this address and a password.
    EmailTaken,
    /// The person is a primary user, and in one of its tenants another primary user has this address.
    EmailReserved,
}

impl UpdateLogin<'_> {
    /// Changes the login method and returns the outcome.
    ///
    /// # Errors
    /// When the store fails, or too many passwords wait to be hashed.
    pub async fn run(self, context: &Context) -> Result<Updated, SignInRefused> {
        let hash = match self.password {
            None => None,
            Some(password) => {
                // Report an unknown login method without the cost of a hash.
                if !transact(context, &self.id, "looking up a login", |tx| self.is_known(tx)).await? {
                    return Ok(Updated::UnknownUser);
                }
                let parameters = self.scope.app.config.password_hashing;
                Some(PasswordHash::new(context.hashing.hash(password, parameters, context.entropy.as_ref()).await?))
            }
        };
        let changed =
            transact(context, &self.id, "committing a changed login", |tx| self.attempt(context, tx, hash.as_ref()));
        match changed.await? {
            Ok(method) => {
                if let Some(method) = method.filter(|_| hash.is_some()) {
                    forget_failures(context, &self.scope, &method);
                }
                Ok(Updated::Ok)
            }
            Err(None) => Ok(Updated::UnknownUser),
            Err(Some(taken)) => Ok(refused(&taken)?),
        }
    }

    async fn is_known(&self, mut tx: Box<dyn Tx>) -> Result<Step<bool>, Fault> {
        let is_known = self.find(tx.as_mut()).await?.is_some();
        Ok(Step::Commit(tx, is_known))
    }

    /// The login method as it is now; or the conflict with another user, or `None` where there is no such method.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        hash: Option<&PasswordHash>,
    ) -> Result<Step<Result<Option<LoginMethod>, Option<Taken>>>, Fault> {
        let app_id = &self.scope.app.id;
        let Some(Found { user: before, id }) = self.find(tx.as_mut()).await? else {
            return Ok(Step::Commit(tx, Err(None)));
        };
        let mut after = before.clone();
        if let Some(hash) = hash {
            after.set_password(&id, hash);
        }
        if let Some(email) = &self.email {
            after.set_email(&id, email);
        }
        if let Err(taken) = user::save(tx.as_mut(), app_id, &[&before], &[&after]).await.map_err(writing)? {
            let taken = user::reservation_first(tx.as_mut(), app_id, &before, taken).await.map_err(reading)?;
            // The address is another user's only if this user is still as it was read.
            return Ok(Step::Commit(tx, Err(Some(taken))));
        }
        let events = events(&before, &after, &id);
        user_data::remove_outdated(tx.as_mut(), app_id, &[&before], &[&after]).await.map_err(writing)?;
        if hash.is_some() {
            passwordreset::end_for_login(tx.as_mut(), app_id, &after, &id).await.map_err(writing)?;
        }
        for event in events {
            audit::note(tx.as_mut(), context, &self.scope, event).await?;
        }
        let method = after.method(&id).cloned();
        Ok(Step::Commit(tx, Ok(method)))
    }

    /// The person, if the id is that of a login method with a password.
    async fn find(&self, tx: &mut dyn Tx) -> Result<Option<Found>, Fault> {
        let found = user::find(tx, &self.scope.app.id, &self.id).await.map_err(reading)?;
        Ok(found.filter(|found| found.user.method(&found.id).is_some_and(|method| hash_of(method).is_some())))
    }
}

fn refused(taken: &Taken) -> Result<Updated, Fault> {
    match taken {
        Taken::Identity { .. } => Ok(Updated::EmailTaken),
        Taken::Reservation { .. } => Ok(Updated::EmailReserved),
        Taken::Id { .. } => Err(Fault::invariant("changing a login: its ids are its own")),
    }
}

/// Which parts of a login method changed.
fn events(before: &User, after: &User, id: &UserId) -> Vec<AuditEvent> {
    let (Some(old), Some(new)) = (before.method(id), after.method(id)) else { return Vec::new() };
    let changed = [
        (AuditKind::EmailChanged, old.login.email() != new.login.email()),
        (AuditKind::PasswordChanged, hash_of(old) != hash_of(new)),
    ];
    let event = |kind| {
        let event = AuditEvent::of(kind).user(after.shown_id()).recipe_user(after.shown(id));
        event.recipe(RecipeId::EmailPassword).login(new.login.email().unwrap_or_default())
    };
    changed.into_iter().filter(|(_, changed)| *changed).map(|(kind, _)| event(kind)).collect()
}
