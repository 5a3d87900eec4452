//! `PUT /recipe/user`: another e-mail address, another password, or both at once.

use super::{forgive, hash_of, reading, writing};
use crate::command::audit;
use crate::command::retry::{Retry, steady};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::user::{PasswordHash, RecipeId, User};
use crate::fault::Fault;
use crate::state::password::Unserved;
use crate::store::user::{self, Found, Taken};
use crate::store::{Tx, passwordreset};

/// Changes a login method with a password.
pub struct UpdateLogin<'a> {
    /// Where.
    pub scope: Scope,
    /// The login method: internal or mapped id.
    pub id: UserId,
    /// The new address; normalised.
    pub email: Option<String>,
    /// The new password.
    pub password: Option<&'a str>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updated {
    /// Done, durably.
    Ok,
    /// Nobody has this id, or it is not a login method with a password.
    UnknownUser,
    /// Another account in one of its tenants has this address and a password.
    EmailTaken,
    /// The person is a primary user, and in one of its tenants another primary user has this address.
    EmailReserved,
}

impl UpdateLogin<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails, or too many passwords wait to be hashed.
    pub async fn run(self, app: &Context) -> Result<Updated, Unserved> {
        let hash = match self.password {
            None => None,
            Some(password) => {
                // Who is unknown is told so without the price of a hash.
                let found = steady!(app, &self.id, "looking a login up", |tx| self.find(tx).await?);
                if found.is_none() {
                    return Ok(Updated::UnknownUser);
                }
                let parameters = self.scope.app.config.password_hashing;
                Some(PasswordHash::new(app.hashing.hash(password, parameters, app.entropy.as_ref()).await?))
            }
        };
        let mut retry = Retry::new(&app.contention, &self.id);
        loop {
            let mut tx = app.store.begin();
            let Some(Found { user: before, id }) = self.find(tx.as_mut()).await? else {
                match retry.commit(tx, "looking a login up").await? {
                    true => return Ok(Updated::UnknownUser),
                    false => continue,
                }
            };
            let mut after = before.clone();
            if let Some(hash) = &hash {
                after.set_password(&id, hash);
            }
            if let Some(email) = &self.email {
                after.set_email(&id, email);
            }
            let saved = user::save(tx.as_mut(), &self.scope.app.id, &[&before], &[&after]).await.map_err(writing)?;
            if let Err(taken) = saved {
                let taken = user::reservation_first(tx.as_mut(), &self.scope.app.id, &before, taken).await;
                let taken = taken.map_err(reading)?;
                // By somebody else only if the user is still as it was read.
                match retry.commit(tx, "looking at a changed login").await? {
                    true => return Ok(refused(&taken)?),
                    false => continue,
                }
            }
            let events = events(&before, &after, &id);
            if !events.is_empty() {
                passwordreset::end_of(tx.as_mut(), &self.scope.app.id, [&id, &before.id]).await.map_err(writing)?;
            }
            for event in events {
                audit::note(tx.as_mut(), app, &self.scope, event)?;
            }
            if retry.commit(tx, "committing a changed login").await? {
                if let Some(method) = after.method(&id).filter(|_| hash.is_some()) {
                    forgive(app, &self.scope, method);
                }
                return Ok(Updated::Ok);
            }
        }
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

/// What changed of a login method.
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
