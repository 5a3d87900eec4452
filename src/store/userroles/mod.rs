//! Roles and their assignments at rest.
//!
//! * [`Keyspace::Role`]: (domain, app, role) → [`RoleRecord`].
//! * [`Keyspace::RoleByPermission`]: (domain, app, permission, role) → nothing; written with the role.
//! * [`Keyspace::UserRole`]: (domain, app, user, tenant, role) → [`assignment::UserRoleRecord`], to
//!   read a user's roles.
//! * [`Keyspace::RoleUser`]: (domain, app, tenant, role, user) → [`assignment::RoleUserRecord`], written with it.
//!
//! An assignment refers to the incarnation of its role. Removing a role invalidates its assignments at once, because
//! they no longer refer to an existing role; their rows are deleted afterwards ([`removal`]), even while a new role of
//! the same name is in use.

pub mod assignment;
mod check;
pub mod removal;

pub use assignment::{in_use, index_of, remove_user, remove_user_in};
pub use check::check;

use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::userroles::{Incarnation, Permission, Role, RoleName};
use crate::store::key::KeyReader;
use crate::store::user_data::recipe::UserData;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Rows read in one scan.
const PAGE: usize = 256;

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleRecord(pub Role);

crate::record!(RoleRecord, Role, version 1);

impl From<RoleRecord> for Incarnation {
    fn from(record: RoleRecord) -> Self {
        record.0.incarnation
    }
}

/// The key of a role. A transaction that depends on the role reads it, and so conflicts with the role's removal.
#[must_use]
pub fn role_key(app: &AppId, role: &RoleName) -> Key {
    Key::of_app(Keyspace::Role, app).text(role.as_str())
}

fn permission_prefix(app: &AppId, permission: &Permission) -> Key {
    Key::of_app(Keyspace::RoleByPermission, app).text(permission.as_str())
}

fn permission_key(app: &AppId, permission: &Permission, role: &RoleName) -> Key {
    permission_prefix(app, permission).text(role.as_str())
}

/// The role, if it exists.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, role: &RoleName) -> Result<Option<Role>, StoreError> {
    Ok(codec::get::<RoleRecord>(tx, &role_key(app, role)).await?.map(|record| record.0))
}

/// The current incarnation of the role with this name, without reading its permissions.
///
/// # Errors
/// When the store fails.
pub async fn incarnation(tx: &mut dyn Tx, app: &AppId, role: &RoleName) -> Result<Option<Incarnation>, StoreError> {
    codec::get_head::<RoleRecord, Incarnation>(tx, &role_key(app, role)).await
}

/// Writes a role. `added` and `withdrawn` are the permissions gained and lost.
///
/// # Errors
/// When its permissions are too large.
pub fn put(
    tx: &mut dyn Tx,
    app: &AppId,
    name: &RoleName,
    role: Role,
    added: &[Permission],
    withdrawn: &[Permission],
) -> Result<(), StoreError> {
    for permission in added {
        codec::put_marker(tx, permission_key(app, permission, name));
    }
    for permission in withdrawn {
        tx.delete(permission_key(app, permission, name));
    }
    codec::put(tx, role_key(app, name), &RoleRecord(role))
}

/// Names of up to a page of the app's roles, and the start of the next page; `None` after the last.
///
/// # Errors
/// When the store fails.
pub async fn page(
    tx: &mut dyn Tx,
    app: &AppId,
    start: Option<Key>,
) -> Result<(Vec<RoleName>, Option<Key>), StoreError> {
    names(tx, Key::of_app(Keyspace::Role, app), start).await
}

/// Names of up to a page of the roles with this permission, and the start of the next page; `None` after the last.
///
/// # Errors
/// When the store fails.
pub async fn page_with(
    tx: &mut dyn Tx,
    app: &AppId,
    permission: &Permission,
    start: Option<Key>,
) -> Result<(Vec<RoleName>, Option<Key>), StoreError> {
    names(tx, permission_prefix(app, permission), start).await
}

/// A page of the keys that consist of `prefix` and a role's name.
async fn names(tx: &mut dyn Tx, prefix: Key, start: Option<Key>) -> Result<(Vec<RoleName>, Option<Key>), StoreError> {
    let skip = prefix.bytes.len();
    let mut pages = Pages::of(prefix, PAGE).from(start);
    let rows = pages.rows(tx).await?.unwrap_or_default();
    let name = |(key, _): &(Key, Vec<u8>)| KeyReader::after(key, skip)?.text().map(RoleName::from_stored);
    Ok((rows.iter().filter_map(name).collect(), pages.into_next_key()))
}

/// The roles of users as user data.
pub(super) struct RolesUserData;

#[async_trait]
impl UserData for RolesUserData {
    async fn in_use(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<bool, StoreError> {
        in_use(tx, app, id).await
    }

    async fn remove(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
        remove_user(tx, app, id).await
    }

    async fn remove_in(&self, tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &UserId) -> Result<(), StoreError> {
        remove_user_in(tx, app, tenant, id).await
    }
}
