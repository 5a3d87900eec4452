//! Removed roles: a marker that outlives a crash, and the deletion of their assignments in small steps.
//!
//! The removal of a role is one transaction: its row is deleted, the marker created. From then on its assignments are
//! invalid. Their rows are deleted by the request that removed the role, or later by a job that finds the marker.

use super::assignment::{RoleUserRecord, index_of, role_prefix};
use super::{permission_key, role_key};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::time::UnixMillis;
use crate::domain::userroles::{Incarnation, Role, RoleName};
use crate::store::key::KeyReader;
use crate::store::walk::Pages;
use crate::store::{Key, Keyspace, Scan, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};

/// The record of a removed role whose assignments are being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRemovalRecord {
    /// The time the role was removed.
    pub since: UnixMillis,
}

crate::record!(RoleRemovalRecord, Meta, version 1);

/// A role that was removed and may still have rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedRole {
    /// The app.
    pub app: AppId,
    /// Its name, which may be in use again.
    pub role: RoleName,
    /// The incarnation that was removed.
    pub incarnation: Incarnation,
}

/// The progress of deleting a removed role's rows.
#[derive(Debug, Clone)]
pub struct RoleRemovalProgress(Option<Key>);

pub(in crate::store) const PREFIX: &str = "role-removal";

/// The prefix of the markers of an app's removed roles.
pub(in crate::store) fn marker_prefix(app: &AppId) -> Key {
    Key::of(Keyspace::Meta).text(PREFIX).text(&app.connection_uri_domain).text(&app.app_id)
}

/// Removes a role: everything but the rows of its assignments is deleted in this transaction.
///
/// # Errors
/// When a name is too long for a key.
pub fn begin(
    tx: &mut dyn Tx,
    app: &AppId,
    name: &RoleName,
    role: &Role,
    since: UnixMillis,
) -> Result<RemovedRole, StoreError> {
    tx.delete(role_key(app, name));
    for permission in &role.permissions {
        tx.delete(permission_key(app, permission, name));
    }
    let removed = RemovedRole { app: app.clone(), role: name.clone(), incarnation: role.incarnation };
    codec::put(tx, removed.marker_key(), &RoleRemovalRecord { since })?;
    Ok(removed)
}

impl RemovedRole {
    /// The key of its marker.
    #[must_use]
    pub fn marker_key(&self) -> Key {
        marker_prefix(&self.app).text(self.role.as_str()).raw(&self.incarnation.0.to_be_bytes())
    }

    /// The start of the deletion, at the app's first tenant.
    #[must_use]
    pub fn start(&self) -> RoleRemovalProgress {
        RoleRemovalProgress(Some(Key::of_app(Keyspace::RoleUser, &self.app)))
    }

    /// Deletes up to `limit` of its assignments. `None` when all are gone; the last step deletes the marker.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn step(
        &self,
        tx: &mut dyn Tx,
        at: RoleRemovalProgress,
        limit: usize,
    ) -> Result<Option<RoleRemovalProgress>, StoreError> {
        let Some(start) = at.0 else {
            tx.delete(self.marker_key());
            return Ok(None);
        };
        let Some(tenant) = self.tenant_at(tx, &start).await? else {
            return Ok(Some(RoleRemovalProgress(None)));
        };
        let prefix = role_prefix(&self.app, &tenant, &self.role);
        let start = start.max(prefix.clone());
        let mut pages = Pages::of(prefix, limit).from(Some(start));
        let rows = pages.records::<RoleUserRecord>(tx).await?.unwrap_or_default();
        for (key, record) in rows {
            if record.incarnation == self.incarnation {
                self.delete(tx, key).await?;
            }
        }
        let next_tenant = || Key::of_tenant(Keyspace::RoleUser, &self.app, &tenant).prefix_end();
        Ok(Some(RoleRemovalProgress(pages.into_next_key().or_else(next_tenant))))
    }

    /// Deletes an assignment's two rows, unless they were rewritten for a new role of this name: a scan is not
    /// re-checked by the commit, so the row is read once more.
    async fn delete(&self, tx: &mut dyn Tx, key: Key) -> Result<(), StoreError> {
        let record = codec::get::<RoleUserRecord>(tx, &key).await?;
        if record.is_none_or(|record| record.incarnation != self.incarnation) {
            return Ok(());
        }
        if let Some(index) = index_of(&key) {
            tx.delete(index);
        }
        tx.delete(key);
        Ok(())
    }

    /// The tenant of the app's next row of any role, from `start` on: tenants without assignments cost nothing.
    async fn tenant_at(&self, tx: &mut dyn Tx, start: &Key) -> Result<Option<TenantId>, StoreError> {
        let end = Key::of_app(Keyspace::RoleUser, &self.app).prefix_end();
        let rows = tx.scan(&Scan { start: start.clone(), end, reverse: false, limit: 1 }).await?;
        let Some((key, _)) = rows.first() else { return Ok(None) };
        let mut parts = KeyReader::new(key);
        let (_domain, _app) = (parts.text(), parts.text());
        Ok(parts.text().map(TenantId::new))
    }
}

/// Up to `limit` roles that were removed and whose assignments may still have rows.
///
/// # Errors
/// When the store fails.
pub async fn pending(tx: &mut dyn Tx, limit: usize) -> Result<Vec<RemovedRole>, StoreError> {
    let start = Key::of(Keyspace::Meta).text(PREFIX);
    let rows = tx.scan(&Scan { end: start.prefix_end(), start, reverse: false, limit }).await?;
    Ok(rows.iter().filter_map(|(key, _)| parse_marker(key)).collect())
}

fn parse_marker(key: &Key) -> Option<RemovedRole> {
    let mut parts = KeyReader::new(key);
    let _prefix = parts.text()?;
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let role = RoleName::from_stored(parts.text()?);
    let incarnation = Incarnation(u64::from_be_bytes(parts.rest().try_into().ok()?));
    Some(RemovedRole { app, role, incarnation })
}
