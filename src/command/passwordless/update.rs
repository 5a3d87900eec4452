//! `PUT /recipe/user`: changes or removes an e-mail address or a phone number.

use super::failed;
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::passwordless::Contact;
use crate::domain::user::{AccountInfo, Login, LoginMethod, RecipeId, User};
use crate::fault::Fault;
use crate::store::user::{self, Found, Taken};
use crate::store::{Tx, passwordless, user_data};

/// Changes a login method that signs in with codes.
pub struct UpdateContacts {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The login method: internal or mapped id.
    pub id: UserId,
    /// The change of its address; normalised.
    pub email: ContactChange,
    /// The change of its phone number; normalised.
    pub phone_number: ContactChange,
}

/// A change of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactChange {
    /// It stays as it is.
    Keep,
    /// It is removed.
    Clear,
    /// It is replaced with this.
    Set(String),
}

/// The outcome of changing a login method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updated {
    /// Done, durably. Pending sign-ins of the old and of the new contact have ended.
    Ok,
    /// No user has this id, or it is not a login method of this recipe.
    UnknownUser,
    /// No contact to send codes to would be left.
    NothingLeft,
    /// Another login method of this recipe in one of its tenants has this address.
    EmailTaken,
    /// The same, for the phone number.
    PhoneNumberTaken,
    /// The person is a primary user, and in one of its tenants another primary user has this address.
    EmailReserved,
    /// The same, for the phone number.
    PhoneNumberReserved,
}

impl ContactChange {
    fn of(&self, current: Option<&str>) -> Option<String> {
        match self {
            Self::Keep => current.map(str::to_owned),
            Self::Clear => None,
            Self::Set(new) => Some(new.clone()),
        }
    }
}

impl UpdateContacts {
    /// Changes the login method and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Updated, Fault> {
        transact(context, &self.id, "committing a changed login", |tx| self.attempt(context, tx)).await?
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<Result<Updated, Fault>>, Fault> {
        let app_id = &self.scope.app.id;
        let Some((Found { user: before, id }, old)) = self.find(tx.as_mut()).await? else {
            return Ok(Step::Commit(tx, Ok(Updated::UnknownUser)));
        };
        let email = self.email.of(old.login.email());
        let phone_number = self.phone_number.of(old.login.phone_number());
        if email.is_none() && phone_number.is_none() {
            return Ok(Step::Done(Ok(Updated::NothingLeft)));
        }
        let new = LoginMethod { login: Login::Passwordless { email, phone_number }, ..old.clone() };
        let mut after = before.clone();
        if let Some(method) = after.method_mut(&id) {
            *method = new.clone();
        }
        if let Err(taken) = user::save(tx.as_mut(), app_id, &[&before], &[&after]).await.map_err(failed)? {
            let taken = user::reservation_first(tx.as_mut(), app_id, &before, taken).await.map_err(failed)?;
            // The contact is another user's only if this user is still as it was read.
            return Ok(Step::Commit(tx, refused(&taken)));
        }
        let changed = changed(&old, &new);
        passwordless::delete_all(tx.as_mut(), app_id, &old, &changed).await.map_err(failed)?;
        user_data::remove_outdated(tx.as_mut(), app_id, &[&before], &[&after]).await.map_err(failed)?;
        for event in events(&after, &new, &changed) {
            audit::note(tx.as_mut(), context, &self.scope, event).await?;
        }
        Ok(Step::Commit(tx, Ok(Updated::Ok)))
    }

    /// The person and the login method, if the id is that of one of this recipe.
    async fn find(&self, tx: &mut dyn Tx) -> Result<Option<(Found, LoginMethod)>, Fault> {
        let found = user::find(tx, &self.scope.app.id, &self.id).await.map_err(failed)?;
        Ok(found.and_then(|found| {
            let method = found.user.method(&found.id).filter(|method| method.login.recipe() == RecipeId::Passwordless);
            let method = method?.clone();
            Some((found, method))
        }))
    }
}

fn refused(taken: &Taken) -> Result<Updated, Fault> {
    match taken {
        Taken::Identity { info: AccountInfo::Email(_), .. } => Ok(Updated::EmailTaken),
        Taken::Identity { info: AccountInfo::PhoneNumber(_), .. } => Ok(Updated::PhoneNumberTaken),
        Taken::Reservation { info: AccountInfo::Email(_), .. } => Ok(Updated::EmailReserved),
        Taken::Reservation { info: AccountInfo::PhoneNumber(_), .. } => Ok(Updated::PhoneNumberReserved),
        Taken::Identity { .. } | Taken::Reservation { .. } | Taken::Id { .. } => {
            Err(Fault::invariant("changing a contact: something else is taken"))
        }
    }
}

/// The contacts that only one of the two has: those that were removed and those that were added.
fn changed(old: &LoginMethod, new: &LoginMethod) -> Vec<Contact> {
    let (old, new) = (Contact::all_of(&old.login), Contact::all_of(&new.login));
    let went = old.iter().filter(|contact| !new.contains(contact));
    let came = new.iter().filter(|contact| !old.contains(contact));
    went.chain(came).cloned().collect()
}

/// One event for each contact that changed, with the new contact, or the old one if it was removed.
fn events(user: &User, new: &LoginMethod, changed: &[Contact]) -> Vec<AuditEvent> {
    let event = |kind, contact: &Contact| {
        let event = AuditEvent::of(kind).user(user.shown_id()).recipe_user(new.shown_id());
        event.recipe(RecipeId::Passwordless).login(contact.text())
    };
    let last = |of: fn(&Contact) -> Option<&str>| changed.iter().rfind(|contact| of(contact).is_some());
    let (email, number) = (last(Contact::email), last(Contact::phone_number));
    let email = email.map(|contact| event(AuditKind::EmailChanged, contact));
    email.into_iter().chain(number.map(|contact| event(AuditKind::PhoneNumberChanged, contact))).collect()
}
