//! Removals of whole apps and tenants: a marker that outlives a crash, and the deletion of everything they own.
//!
//! A removal commits in one step (the record is deleted, the marker created) and then deletes what is left in small
//! transactions. A marker that is found later is handled first: by the server at its start, and by a creation under the
//! same name.

use super::session;
use super::walk::Pages;
use super::{Encoding, Key, Keyspace, Scan, StoreError, Tx, codec, emailverification, totp, user, userroles};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::time::UnixMillis;
use crate::store::key::{Belongs, KeyReader};
use serde::{Deserialize, Serialize};

/// The record of a removal whose rows are being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovalRecord {
    /// The time of the removal.
    pub since: UnixMillis,
}

crate::record!(RemovalRecord, Meta, version 1);

/// An app with everything in it, or one tenant of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalTarget {
    /// The app.
    pub app: AppId,
    /// The tenant; `None` for the whole app.
    pub tenant: Option<TenantId>,
}

pub(super) const PREFIX: &str = "removal";

impl RemovalTarget {
    /// The key of its marker.
    #[must_use]
    pub fn marker_key(&self) -> Key {
        let tenant = self.tenant.as_ref().map_or("", TenantId::as_str);
        let app = Key::of(Keyspace::Meta).text(PREFIX).text(&self.app.connection_uri_domain).text(&self.app.app_id);
        app.text(tenant)
    }

    /// Deletes up to `limit` rows that belong to it. Returns how many were found: 0 when nothing is left.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_some(&self, tx: &mut dyn Tx, limit: usize) -> Result<usize, StoreError> {
        for keyspace in Keyspace::ALL {
            let rows = match (&self.tenant, keyspace.belongs()) {
                (_, Belongs::Installation) | (Some(_), Belongs::App | Belongs::TenantIndex) => continue,
                (None, _) => Key::of_app(keyspace, &self.app),
                (Some(tenant), Belongs::Tenant) => Key::of_tenant(keyspace, &self.app, tenant),
            };
            let deleted = match &self.tenant {
                // Users stay in the app.
                Some(tenant) if keyspace == Keyspace::UserListing => {
                    user::leave_tenant(tx, &self.app, tenant, limit).await?
                }
                // An app's indexes are prefixes of their own; a tenant's are found through its rows.
                _ => delete_prefix(tx, rows, self.tenant.is_some(), limit).await?,
            };
            if deleted > 0 {
                return Ok(deleted);
            }
        }
        match self.tenant {
            None => delete_prefix(tx, userroles::removal::marker_prefix(&self.app), false, limit).await,
            Some(_) => Ok(0),
        }
    }
}

/// Deletes rows and, if `with_index` is set, the keys of each in indexes that are not ordered by tenant.
async fn delete_prefix(tx: &mut dyn Tx, start: Key, with_index: bool, limit: usize) -> Result<usize, StoreError> {
    let rows = tx.scan(&Scan { end: start.prefix_end(), start, reverse: false, limit }).await?;
    let count = rows.len();
    let encoding = tx.encoding();
    for (key, bytes) in rows {
        if with_index {
            index_keys(encoding, &key, &bytes)?.into_iter().for_each(|index| tx.delete(index));
        }
        tx.delete(key);
    }
    Ok(count)
}

/// The [`Belongs::TenantIndex`] keys of a row.
fn index_keys(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<Vec<Key>, StoreError> {
    match key.keyspace {
        Keyspace::Session => session::index_keys(encoding, key, bytes),
        Keyspace::Timeline => session::clients_keys(encoding, key, bytes),
        Keyspace::EmailVerificationToken => emailverification::index_keys(encoding, key, bytes),
        Keyspace::RoleUser => Ok(userroles::index_of(key).into_iter().collect()),
        Keyspace::TotpAttempts => Ok(totp::index_of(key).into_iter().collect()),
        _ => Ok(Vec::new()),
    }
}

/// Records that the rows of `removed` must be deleted.
///
/// # Errors
/// When an id is too long for a key.
pub fn begin(tx: &mut dyn Tx, removed: &RemovalTarget, since: UnixMillis) -> Result<(), StoreError> {
    codec::put(tx, removed.marker_key(), &RemovalRecord { since })
}

/// Whether rows of `removed` may be left.
///
/// # Errors
/// When the store fails.
pub async fn is_pending(tx: &mut dyn Tx, removed: &RemovalTarget) -> Result<bool, StoreError> {
    Ok(tx.get(&removed.marker_key()).await?.is_some())
}

/// True for the markers of removals inside an app, or of the app itself: some of its rows are no longer valid.
#[must_use]
pub fn is_marker_of(key: &Key, app: &AppId) -> bool {
    let tenants = Key::of(Keyspace::Meta).text(PREFIX).text(&app.connection_uri_domain).text(&app.app_id);
    let roles = userroles::removal::marker_prefix(app);
    key.keyspace == Keyspace::Meta && [tenants, roles].iter().any(|prefix| key.bytes.starts_with(&prefix.bytes))
}

/// Records that nothing of `removed` is left.
pub fn finish(tx: &mut dyn Tx, removed: &RemovalTarget) {
    tx.delete(removed.marker_key());
}

/// Removals that are not finished.
///
/// # Errors
/// When the store fails.
pub async fn pending(tx: &mut dyn Tx) -> Result<Vec<RemovalTarget>, StoreError> {
    let mut pages = Pages::of(Key::of(Keyspace::Meta).text(PREFIX), 256);
    let mut found = Vec::new();
    while let Some(rows) = pages.rows(tx).await? {
        found.extend(rows.iter().filter_map(|(key, _)| parse_marker(key)));
    }
    Ok(found)
}

fn parse_marker(key: &Key) -> Option<RemovalTarget> {
    let mut parts = KeyReader::new(key);
    let _prefix = parts.text()?;
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let tenant = parts.text()?;
    Some(RemovalTarget { app, tenant: (!tenant.is_empty()).then(|| TenantId::new(tenant)) })
}
