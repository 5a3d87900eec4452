//! Account linking: login methods are joined into groups, and groups are taken apart (CDI: account linking).
//!
//! Pure rules over [`User`]s. It is the store that ensures that no two primary users of a tenant share an account info:
//! it holds the reservations that follow from the results of these rules.

use super::{AccountInfo, LoginMethod, User};
use crate::domain::ids::UserId;
use std::collections::BTreeSet;

/// The outcome of [`make_primary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MakePrimaryOutcome {
    /// The user already is primary.
    Already,
    /// The id belongs to a login method that is linked to another id.
    Linked,
    /// The user as it will be, if no other user has its account infos.
    Now(Box<User>),
}

/// Makes the user that has the internal id `id` primary.
#[must_use]
pub fn make_primary(user: &User, id: &UserId) -> MakePrimaryOutcome {
    match user.is_primary {
        true if user.id == *id => MakePrimaryOutcome::Already,
        true => MakePrimaryOutcome::Linked,
        false => MakePrimaryOutcome::Now(Box::new(User { is_primary: true, ..user.clone() })),
    }
}

/// The outcome of [`link`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// The intended primary user is not primary.
    NotPrimary,
    /// Both already are one user.
    Already,
    /// The login method is a primary user itself, or linked to another one.
    Elsewhere,
    /// The group as it will be, if no other user has its account infos.
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

/// The outcome of [`unlink`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlinked {
    /// The id does not belong to a login method of a primary user.
    NotLinked,
    /// The group was separated.
    Now {
        /// The users that replace it.
        after: Vec<User>,
        /// The login method that was deleted, because its id remains another user's.
        deleted: Option<Box<LoginMethod>>,
        /// Internal ids whose sessions end.
        signed_out: BTreeSet<UserId>,
    },
}

/// Takes the login method with this internal id out of its group.
///
/// The group keeps its id, so its founder cannot leave and live on: it is deleted, unless it is the only method; then
/// it just stops being primary. When a group without its founder loses its last method, its id ends.
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

/// The result of deleting part or all of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The rest of the group.
    pub after: Option<User>,
    /// Internal ids of the login methods that are deleted.
    pub methods: BTreeSet<UserId>,
    /// Internal ids whose data in other recipes is deleted: sessions, metadata, roles, verification.
    pub forgotten: BTreeSet<UserId>,
}

/// How much of a user to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every login method of the group.
    Group,
    /// The one method with the given id.
    Method,
}

/// Deletes the user that has the internal id `id`, or only the login method with this id. `None` if that method does
/// not exist: `id` is a group's id whose founder is gone.
///
/// While other methods are left, the data that other recipes keep under the group's id stays: it belongs to them too.
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

/// The group without one of its methods. Its id and the mapping of that id stay.
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
