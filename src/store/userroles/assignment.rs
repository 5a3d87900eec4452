//! Roles assigned to users in tenants: two rows per assignment, one to read by user and one to read by role.

use super::PAGE;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::userroles::{Incarnation, RoleName};
use crate::store::key::KeyReader;
use crate::store::walk::Pages;
use crate::store::{Key, Keyspace, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A role of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRoleRecord {
    /// The incarnation of the role.
    pub incarnation: Incarnation,
}

/// A user of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleUserRecord {
    /// The incarnation of the role.
    pub incarnation: Incarnation,
    /// The user, if the key contains only a hash.
    pub long_user_id: Option<UserId>,
}

crate::record!(UserRoleRecord, UserRole, version 1);
crate::record!(RoleUserRecord, RoleUser, version 1);

/// A user, a tenant and a role of an app: the parts of an assignment.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// The app.
    pub app: &'a AppId,
    /// The tenant in which it applies.
    pub tenant: &'a TenantId,
    /// The user.
    pub user: &'a UserId,
    /// The role.
    pub role: &'a RoleName,
}

impl Assignment<'_> {
    /// The key of its row under the user.
    #[must_use]
    pub fn user_key(&self) -> Key {
        user_prefix(self.app, self.user).text(self.tenant.as_str()).text(self.role.as_str())
    }

    /// The key of its row under the role.
    #[must_use]
    pub fn role_key(&self) -> Key {
        role_prefix(self.app, self.tenant, self.role).user(self.user)
    }

    /// True if it exists for this incarnation of the role.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn exists(&self, tx: &mut dyn Tx, incarnation: Incarnation) -> Result<bool, StoreError> {
        let record = codec::get::<UserRoleRecord>(tx, &self.user_key()).await?;
        Ok(record.is_some_and(|record| record.incarnation == incarnation))
    }

    /// Writes both rows of the assignment.
    ///
    /// # Errors
    /// When the user's id is too large.
    pub fn put(&self, tx: &mut dyn Tx, incarnation: Incarnation) -> Result<(), StoreError> {
        let long_user_id = (!Key::holds_user(self.user)).then(|| self.user.clone());
        codec::put(tx, self.user_key(), &UserRoleRecord { incarnation })?;
        codec::put(tx, self.role_key(), &RoleUserRecord { incarnation, long_user_id })
    }

    /// Deletes both rows of the assignment.
    pub fn delete(&self, tx: &mut dyn Tx) {
        tx.delete(self.user_key());
        tx.delete(self.role_key());
    }
}

fn user_prefix(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::UserRole, app).user(user)
}

/// The prefix of all users of a role in a tenant.
pub(super) fn role_prefix(app: &AppId, tenant: &TenantId, role: &RoleName) -> Key {
    Key::of_tenant(Keyspace::RoleUser, app, tenant).text(role.as_str())
}

/// The key of the row under the user that belongs to a row under the role.
#[must_use]
pub fn index_of(key: &Key) -> Option<Key> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let (tenant, role, user) = (parts.text()?, parts.text()?, parts.text()?);
    // The user's part unchanged: it may be a hash already.
    Some(Key::of_app(Keyspace::UserRole, &app).text(&user).text(&tenant).text(&role))
}

/// The inverse: the key of the row under the role that belongs to a row under the user.
pub(super) fn row_of(key: &Key) -> Option<Key> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let (user, tenant, role) = (parts.text()?, parts.text()?, parts.text()?);
    Some(Key::of_tenant(Keyspace::RoleUser, &app, &TenantId::new(tenant)).text(&role).text(&user))
}

/// The user's roles in a tenant: one scan, and a read of each role.
///
/// # Errors
/// When the store fails.
pub async fn roles_of(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    user: &UserId,
) -> Result<Vec<RoleName>, StoreError> {
    let prefix = user_prefix(app, user).text(tenant.as_str());
    let skip = prefix.bytes.len();
    let (mut pages, mut found) = (Pages::of(prefix, PAGE), Vec::new());
    while let Some(rows) = pages.records::<UserRoleRecord>(tx).await? {
        for (key, record) in rows {
            let Some(name) = KeyReader::after(&key, skip).and_then(|mut rest| rest.text()) else { continue };
            let name = RoleName::from_stored(name);
            if super::incarnation(tx, app, &name).await? == Some(record.incarnation) {
                found.push(name);
            }
        }
    }
    Ok(found)
}

/// Up to a page of a role's users in a tenant, and the start of the next page; `None` after the last.
///
/// # Errors
/// When the store fails.
pub async fn users_page(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    (role, incarnation): (&RoleName, Incarnation),
    start: Option<Key>,
) -> Result<(Vec<UserId>, Option<Key>), StoreError> {
    let prefix = role_prefix(app, tenant, role);
    let skip = prefix.bytes.len();
    let mut pages = Pages::of(prefix, PAGE).from(start);
    let rows = pages.records::<RoleUserRecord>(tx).await?.unwrap_or_default();
    let user = |(key, record): (Key, RoleUserRecord)| {
        if record.incarnation != incarnation {
            return None;
        }
        record.long_user_id.or_else(|| KeyReader::after(&key, skip)?.text().map(UserId::new))
    };
    Ok((rows.into_iter().filter_map(user).collect(), pages.into_next_key()))
}

/// Removes all roles of a user, in all tenants.
///
/// # Errors
/// When the store fails.
pub async fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    remove_all(tx, user_prefix(app, user)).await
}

/// Removes all roles of a user in one tenant.
///
/// # Errors
/// When the store fails.
pub async fn remove_user_in(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, user: &UserId) -> Result<(), StoreError> {
    remove_all(tx, user_prefix(app, user).text(tenant.as_str())).await
}

async fn remove_all(tx: &mut dyn Tx, prefix: Key) -> Result<(), StoreError> {
    let mut pages = Pages::of(prefix, PAGE);
    while let Some(rows) = pages.rows(tx).await? {
        for (key, _) in rows {
            if let Some(row) = row_of(&key) {
                tx.delete(row);
            }
            tx.delete(key);
        }
    }
    Ok(())
}

/// True if a role is assigned under this id, in any tenant.
///
/// # Errors
/// When the store fails.
pub async fn in_use(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<bool, StoreError> {
    let prefix = user_prefix(app, user);
    let skip = prefix.bytes.len();
    let mut pages = Pages::of(prefix, PAGE);
    let mut valid: HashMap<RoleName, Option<Incarnation>> = HashMap::new();
    while let Some(rows) = pages.records::<UserRoleRecord>(tx).await? {
        for (key, record) in rows {
            let parts = KeyReader::after(&key, skip).and_then(|mut rest| Some((rest.text()?, rest.text()?)));
            let Some((_tenant, role)) = parts else { continue };
            let role = RoleName::from_stored(role);
            if !valid.contains_key(&role) {
                valid.insert(role.clone(), super::incarnation(tx, app, &role).await?);
            }
            if valid.get(&role) == Some(&Some(record.incarnation)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
