//! Account linking: login methods become groups, and groups come apart (CDI: account linking).
//!
//! Pure rules over [`User`]s. That no two primary users of a tenant share an account info is for the store to see: it
//! holds the reservations that follow from what these rules make.

use super::{AccountInfo, LoginMethod, User};
use crate::domain::ids::UserId;
use std::collections::BTreeSet;

/// What [`make_primary`] comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MakePrimaryOutcome {
    /// It is one.
    Already,
    /// The id is that of a login method linked to another id.
    Linked,
    /// The user to be, if nobody else has its account infos.
    Now(Box<User>),
}

/// Makes the user primary of which `id` is an internal id.
#[must_use]
pub fn make_primary(user: &User, id: &UserId) -> MakePrimaryOutcome {
    match user.is_primary {
        true if user.id == *id => MakePrimaryOutcome::Already,
        true => MakePrimaryOutcome::Linked,
        false => MakePrimaryOutcome::Now(Box::new(User { is_primary: true, ..user.clone() })),
    }
}

/// What [`link`] comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// What should be the primary user is not one.
    NotPrimary,
    /// Both are one user.
    Already,
    /// The login method is a primary user of its own, or linked to another one.
    Elsewhere,
    /// The group to be, if nobody else has its account infos.
    Now(Box<User>),
}

/// Links the login method of `recipe` to `primary`.
#[must_use]
pub fn link(recipe: &User, primary: &User) -> Linked {
    match (primary.is_primary, recipe.is_primary) {
        (false, _) => Linked::NotPrimary,
        (true, true) if recipe.id == primary.id => Linked::Already,
        (true, true) => Linked::Elsewhere,
        (true, false) => {
            let mut group = primary.clone();
            group.methods.extend(recipe.methods.iter().cloned());
            group.sort();
            Linked::Now(Box::new(group))
        }
    }
}

/// What [`unlink`] comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlinked {
    /// The id is of no login method of a primary user.
    NotLinked,
    /// The group has come apart.
    Now {
        /// The users that take its place.
        after: Vec<User>,
        /// The login method that could not live on: another user has its id.
        deleted: Option<Box<LoginMethod>>,
        /// Internal ids whose sessions end.
        signed_out: BTreeSet<UserId>,
    },
}

/// Takes the login method with this internal id out of its group.
///
/// The group keeps its id. So its founder cannot leave and live on: it is deleted, unless it is the only one; then it
/// just stops being primary. When a group without its founder loses its last method, its id ends.
#[must_use]
pub fn unlink(user: &User, id: &UserId) -> Unlinked {
    let Some(method) = user.method(id).filter(|_| user.is_primary) else { return Unlinked::NotLinked };
    let signed_out = BTreeSet::from([id.clone()]);
    if let [only] = user.methods.as_slice() {
        let ended = BTreeSet::from([user.id.clone()]);
        return Unlinked::Now {
            after: vec![User::new(only.clone())],
            deleted: None,
            signed_out: signed_out.union(&ended).cloned().collect(),
        };
    }
    let rest = without(user, method);
    if *id == user.id {
        return Unlinked::Now { after: vec![rest], deleted: Some(Box::new(method.clone())), signed_out };
    }
    Unlinked::Now { after: vec![rest, User::new(method.clone())], deleted: None, signed_out }
}

/// What is left of a user of whom something is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The rest of the group.
    pub after: Option<User>,
    /// Internal ids of the login methods that go.
    pub methods: BTreeSet<UserId>,
    /// Internal ids whose data in other recipes goes: sessions, metadata, roles, verification.
    pub forgotten: BTreeSet<UserId>,
}

/// How much of a user to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every login method of the group.
    Group,
    /// The one with the given id.
    Method,
}

/// Deletes the user of which `id` is an internal id, or this login method of it. `None`: a group's id whose own method
/// is gone names no method.
///
/// While other methods are left, the data that other recipes keep under the group's id stays: it is theirs too.
#[must_use]
pub fn delete(user: &User, id: &UserId, extent: Extent) -> Option<Deletion> {
    let all = user.methods.iter().map(|method| method.id.clone());
    if extent == Extent::Group || user.methods.len() <= 1 && user.method(id).is_some() {
        let methods: BTreeSet<UserId> = all.collect();
        let forgotten = methods.iter().chain([&user.id]).cloned().collect();
        return Some(Deletion { after: None, methods, forgotten });
    }
    let method = user.method(id)?;
    let gone = BTreeSet::from([id.clone()]);
    let forgotten = if *id == user.id { BTreeSet::new() } else { gone.clone() };
    Some(Deletion { after: Some(without(user, method)), methods: gone, forgotten })
}

/// The group without one of several methods. Its id and that id's mapping stay.
fn without(user: &User, method: &LoginMethod) -> User {
    let mut rest = user.clone();
    rest.methods.retain(|other| other.id != method.id);
    if method.id == user.id {
        rest.kept_mapping = method.external.clone();
    }
    rest
}

impl AccountInfo {
    /// The protocol's sentence for an account info that belongs to another primary user.
    #[must_use]
    pub const fn taken_sentence(&self) -> &'static str {
        match self {
            Self::Email(_) => "This user's email is already associated with another user ID",
            Self::PhoneNumber(_) => "This user's phone number is already associated with another user ID",
            Self::ThirdParty(_) => "This user's third party login is already associated with another user ID",
        }
    }
}

#[cfg(test)]
mod tests;
