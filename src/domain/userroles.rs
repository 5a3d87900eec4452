//! Roles: named sets of permissions that belong to an app.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Longest name of a role or permission, in bytes.
pub const MAX_NAME: usize = 255;
/// Maximum number of permissions of one role: keeps the changes of one transaction small.
pub const MAX_PERMISSIONS: usize = 10_000;

/// Why a text is not a valid name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Nothing but white space.
    Empty,
    /// Above [`MAX_NAME`].
    TooLong,
}

/// A role's name: trimmed, not empty, at most [`MAX_NAME`] bytes; case matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleName(String);

/// A permission: free text under the same rules as a [`RoleName`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permission(String);

impl RoleName {
    /// Trims a caller's text.
    ///
    /// # Errors
    /// When nothing or too much is left.
    pub fn new(text: &str) -> Result<Self, NameError> {
        trimmed(text).map(Self)
    }

    /// Wraps text that was a name before (a stored key).
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name as it appears on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Permission {
    /// Trims a caller's text.
    ///
    /// # Errors
    /// When nothing or too much is left.
    pub fn new(text: &str) -> Result<Self, NameError> {
        trimmed(text).map(Self)
    }

    /// Wraps text that was a permission before (a stored key).
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The permission as it appears on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn trimmed(text: &str) -> Result<String, NameError> {
    match text.trim() {
        "" => Err(NameError::Empty),
        name if name.len() > MAX_NAME => Err(NameError::TooLong),
        name => Ok(name.to_owned()),
    }
}

/// Distinguishes a role from an earlier one with the same name: assignments of the earlier role do not apply to this
/// one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u64);

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Drawn at random when the role was created.
    pub incarnation: Incarnation,
    /// Its permissions, at most [`MAX_PERMISSIONS`].
    pub permissions: BTreeSet<Permission>,
}

/// A role would have more than [`MAX_PERMISSIONS`] permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyPermissions;

impl Role {
    /// A role without permissions.
    #[must_use]
    pub const fn new(incarnation: Incarnation) -> Self {
        Self { incarnation, permissions: BTreeSet::new() }
    }

    /// Adds permissions; returns those that are new.
    ///
    /// # Errors
    /// When the role would have too many.
    pub fn permit(&mut self, permissions: &[Permission]) -> Result<Vec<Permission>, TooManyPermissions> {
        let mut added = Vec::new();
        for permission in permissions {
            if self.permissions.insert(permission.clone()) {
                added.push(permission.clone());
            }
        }
        if self.permissions.len() > MAX_PERMISSIONS { Err(TooManyPermissions) } else { Ok(added) }
    }

    /// Removes these permissions, or all; returns those that the role had.
    pub fn withdraw(&mut self, permissions: Option<&[Permission]>) -> Vec<Permission> {
        match permissions {
            Some(these) => these.iter().filter_map(|permission| self.permissions.take(permission)).collect(),
            None => std::mem::take(&mut self.permissions).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(names: &[&str]) -> Vec<Permission> {
        names.iter().map(|name| Permission::new(name).unwrap()).collect()
    }

    #[test]
    fn names_are_trimmed_and_have_a_length() {
        assert_eq!(RoleName::new(" Admin\n").unwrap().as_str(), "Admin");
        assert_eq!(RoleName::new(" \t"), Err(NameError::Empty));
        let longest = "ü".repeat(127) + "x";
        assert_eq!(RoleName::new(&format!(" {longest} ")).unwrap().as_str(), longest);
        assert_eq!(RoleName::new(&"ü".repeat(128)), Err(NameError::TooLong));
        assert_eq!(Permission::new(&"p".repeat(256)), Err(NameError::TooLong));
    }

    #[test]
    fn what_was_new_and_what_was_there_is_told() {
        let mut role = Role::new(Incarnation(1));
        assert_eq!(role.permit(&permissions(&["b", "a", "b"])), Ok(permissions(&["b", "a"])));
        assert_eq!(role.permit(&permissions(&["a", "c"])), Ok(permissions(&["c"])));
        assert_eq!(role.withdraw(Some(&permissions(&["a", "x", "a"]))), permissions(&["a"]));
        assert_eq!(role.withdraw(Some(&[])), []);
        assert_eq!(role.withdraw(None), permissions(&["b", "c"]));
        assert!(role.permissions.is_empty());
    }

    #[test]
    fn a_role_permits_only_so_much() {
        let names: Vec<_> = (0..MAX_PERMISSIONS).map(|n| Permission::new(&n.to_string()).unwrap()).collect();
        let mut role = Role::new(Incarnation(1));
        assert_eq!(role.permit(&names).unwrap().len(), MAX_PERMISSIONS);
        assert_eq!(role.permit(&names), Ok(Vec::new()));
        assert_eq!(role.permit(&permissions(&["one more"])), Err(TooManyPermissions));
    }
}
