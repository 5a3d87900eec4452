//! Users: one person is a group of login methods under one id (CDI: users, account linking).

pub mod front_linking;
pub mod linking;
mod listing;
mod method;
mod phone;
pub mod reset_links;
mod search;
pub mod sign_up;

pub use listing::{Order, Position, Recipes, are_apart};
pub use method::{
    AccountInfo, ExternalId, Login, LoginMethod, MAX_EMAIL, PasswordHash, RecipeId, ThirdPartyAccount, is_fake_email,
    normalise_email,
};
pub use phone::{country_of, normalise_phone_number, valid_phone_number};
pub use search::{LookUp, SearchTags};

use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::UnixMillis;
use std::collections::BTreeSet;

/// One person. Ids inside are internal ones; what callers see is [`User::shown_id`].
///
/// There is always at least one login method. The group's id is the id of the method that founded it, and stays when
/// that method is deleted or the group loses all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The group's internal id: the id of its only method, or of the one that was made primary.
    pub id: UserId,
    /// Whether it was made primary: then its account infos are reserved, and other methods may be linked to it.
    pub is_primary: bool,
    /// The mapping of the group's id, once the method that had this id is gone.
    pub kept_mapping: Option<ExternalId>,
    /// At least one; oldest first, see [`User::sort`].
    pub methods: Vec<LoginMethod>,
}

impl User {
    /// A new user with one login method.
    #[must_use]
    pub fn new(method: LoginMethod) -> Self {
        Self { id: method.id.clone(), is_primary: false, kept_mapping: None, methods: vec![method] }
    }

    /// Sorts the methods into the order in which they are shown: oldest first, then by id.
    pub fn sort(&mut self) {
        self.methods.sort_by(|a, b| (a.time_joined, &a.id).cmp(&(b.time_joined, &b.id)));
    }

    /// The method with this internal id.
    #[must_use]
    pub fn method(&self, id: &UserId) -> Option<&LoginMethod> {
        self.methods.iter().find(|method| method.id == *id)
    }

    /// The method with this internal id, mutable.
    pub fn method_mut(&mut self, id: &UserId) -> Option<&mut LoginMethod> {
        self.methods.iter_mut().find(|method| method.id == *id)
    }

    /// Sets the password of the method with this internal id; does nothing if the method has no password.
    pub fn set_password(&mut self, id: &UserId, new: &PasswordHash) {
        if let Some(Login::EmailPassword { password, .. }) = self.method_mut(id).map(|method| &mut method.login) {
            password.clone_from(new);
        }
    }

    /// Sets the e-mail address of the method with this internal id.
    pub fn set_email(&mut self, id: &UserId, new: &str) {
        match self.method_mut(id).map(|method| &mut method.login) {
            Some(
                Login::EmailPassword { email, .. } | Login::ThirdParty { email, .. } | Login::Webauthn { email, .. },
            ) => new.clone_into(email),
            Some(Login::Passwordless { email, .. }) => *email = Some(new.to_owned()),
            None => {}
        }
    }

    /// When the group's oldest method joined.
    #[must_use]
    pub fn time_joined(&self) -> UnixMillis {
        self.methods.iter().map(|method| method.time_joined).min().unwrap_or_default()
    }

    /// The user's position in lists.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { time_joined: self.time_joined(), id: self.id.clone() }
    }

    /// True when this is the user's [`position`](Self::position).
    #[must_use]
    pub fn is_at(&self, place: &Position) -> bool {
        self.id == place.id && self.time_joined() == place.time_joined
    }

    /// Every tenant in which one of the methods may be used.
    #[must_use]
    pub fn tenants(&self) -> BTreeSet<&TenantId> {
        self.methods.iter().flat_map(|method| &method.tenants).collect()
    }

    /// Every account info of every method.
    #[must_use]
    pub fn account_infos(&self) -> BTreeSet<AccountInfo> {
        self.methods.iter().flat_map(|method| method.login.account_infos()).collect()
    }

    /// The mapping of one of the group's internal ids: of a method, or of the group itself.
    #[must_use]
    pub fn mapping(&self, id: &UserId) -> Option<&ExternalId> {
        match self.method(id) {
            Some(method) => method.external.as_ref(),
            None if *id == self.id => self.kept_mapping.as_ref(),
            None => None,
        }
    }

    /// Sets or removes the mapping of one of the group's internal ids. Returns false for an id that is not the group's.
    pub fn map(&mut self, id: &UserId, external: Option<ExternalId>) -> bool {
        if let Some(method) = self.method_mut(id) {
            method.external = external;
        } else if *id == self.id {
            self.kept_mapping = external;
        } else {
            return false;
        }
        true
    }

    /// The id that callers see for one of the group's internal ids: the external id if there is one.
    #[must_use]
    pub fn shown<'a>(&'a self, id: &'a UserId) -> &'a UserId {
        self.mapping(id).map_or(id, |external| &external.id)
    }

    /// The group's id as callers see it.
    #[must_use]
    pub fn shown_id(&self) -> &UserId {
        self.shown(&self.id)
    }
}

#[cfg(test)]
mod tests;
