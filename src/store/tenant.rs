//! Tenants at rest: [`Keyspace::Tenant`]: (domain, app, tenant) → [`TenantRecord`].
//!
//! The base tenant exists without a record; it gets one with its first change.

use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::json::JsonObject;
use crate::domain::tenancy::Tenant;
use crate::store::key::KeyReader;
use serde::{Deserialize, Serialize};

/// A tenant's own state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRecord {
    email_password: bool,
    third_party: bool,
    passwordless: bool,
    first_factors: Option<Vec<String>>,
    required_secondary_factors: Option<Vec<String>>,
    /// The settings as JSON text: free-form.
    core_config: String,
}

crate::record!(TenantRecord, Tenant, version 1);

impl std::fmt::Debug for TenantRecord {
    /// Omits the settings, which may contain API keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantRecord").field("first_factors", &self.first_factors).finish_non_exhaustive()
    }
}

impl From<&Tenant> for TenantRecord {
    fn from(tenant: &Tenant) -> Self {
        let list = |factors: &std::collections::BTreeSet<String>| factors.iter().cloned().collect();
        Self {
            email_password: tenant.email_password,
            third_party: tenant.third_party,
            passwordless: tenant.passwordless,
            first_factors: tenant.first_factors.as_ref().map(list),
            required_secondary_factors: tenant.required_secondary_factors.as_ref().map(list),
            core_config: tenant.core_config.as_str().to_owned(),
        }
    }
}

impl From<TenantRecord> for Tenant {
    fn from(record: TenantRecord) -> Self {
        Self {
            email_password: record.email_password,
            third_party: record.third_party,
            passwordless: record.passwordless,
            first_factors: record.first_factors.map(|list| list.into_iter().collect()),
            required_secondary_factors: record.required_secondary_factors.map(|list| list.into_iter().collect()),
            core_config: JsonObject::from_stored(record.core_config),
        }
    }
}

/// The key of a tenant's record.
#[must_use]
pub fn key(app: &AppId, tenant: &TenantId) -> Key {
    Key::of_tenant(Keyspace::Tenant, app, tenant)
}

/// The tenant, if it has a record.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId) -> Result<Option<Tenant>, StoreError> {
    Ok(codec::get::<TenantRecord>(tx, &key(app, tenant)).await?.map(Tenant::from))
}

/// Writes a tenant.
///
/// # Errors
/// When its settings are too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, id: &TenantId, tenant: &Tenant) -> Result<(), StoreError> {
    codec::put(tx, key(app, id), &TenantRecord::from(tenant))
}

/// Removes a tenant's record.
pub fn delete(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId) {
    tx.delete(key(app, tenant));
}

/// Whether the tenant exists. A transaction that calls this fails to commit if the tenant is removed in the meantime,
/// so nothing it writes can outlive the tenant.
///
/// # Errors
/// When the store fails.
pub async fn exists(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId) -> Result<bool, StoreError> {
    Ok(tx.get(&key(app, tenant)).await?.is_some() || (*app == AppId::base() && tenant.is_public()))
}

/// The next tenants of a walk; `None` after the last ones.
///
/// # Errors
/// When the store fails.
pub async fn page(tx: &mut dyn Tx, pages: &mut Pages) -> Result<Option<Vec<(AppId, TenantId, Tenant)>>, StoreError> {
    let Some(rows) = pages.records::<TenantRecord>(tx).await? else { return Ok(None) };
    let parsed = rows.into_iter().filter_map(|(key, record)| {
        let (app, tenant) = parse_key(&key)?;
        Some((app, tenant, Tenant::from(record)))
    });
    Ok(Some(parsed.collect()))
}

fn parse_key(key: &Key) -> Option<(AppId, TenantId)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    Some((app, TenantId::new(parts.text()?)))
}
