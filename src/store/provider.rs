//! Providers at rest: [`Keyspace::ThirdPartyProvider`]: (domain, app, tenant, provider's id) → [`ProviderRecord`].

use super::key::KeyReader;
use super::session::just_after;
use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::tenancy::Provider;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A provider of a tenant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRecord {
    /// JSON text: much of it is free-form.
    provider: String,
}

crate::record!(ProviderRecord, ThirdPartyProvider, version 1);

impl std::fmt::Debug for ProviderRecord {
    /// Without the text: it has secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderRecord").finish_non_exhaustive()
    }
}

impl From<&Provider> for ProviderRecord {
    fn from(provider: &Provider) -> Self {
        Self { provider: provider.to_text() }
    }
}

/// Where a provider lives.
#[must_use]
pub fn key(app: &AppId, tenant: &TenantId, id: &str) -> Key {
    Key::of_tenant(Keyspace::ThirdPartyProvider, app, tenant).bounded_text(id)
}

/// Whether the tenant has a provider of this id.
///
/// # Errors
/// When the store fails.
pub async fn exists(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &str) -> Result<bool, StoreError> {
    Ok(tx.get(&key(app, tenant, id)).await?.is_some())
}

/// Writes a provider.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, provider: &Provider) -> Result<(), StoreError> {
    codec::put(tx, key(app, tenant, &provider.third_party_id), &ProviderRecord::from(provider))
}

/// Deletes a provider.
pub fn delete(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &str) {
    tx.delete(key(app, tenant, id));
}

/// The providers of a tenant, by id.
///
/// # Errors
/// When the store fails.
pub async fn of_tenant(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId) -> Result<Vec<Provider>, StoreError> {
    let mut found = scan(tx, Key::of_tenant(Keyspace::ThirdPartyProvider, app, tenant)).await?;
    Ok(found.remove(tenant).unwrap_or_default())
}

/// The providers of an app's tenants, by id.
///
/// # Errors
/// When the store fails.
pub async fn of_app(tx: &mut dyn Tx, app: &AppId) -> Result<BTreeMap<TenantId, Vec<Provider>>, StoreError> {
    scan(tx, Key::of_app(Keyspace::ThirdPartyProvider, app)).await
}

/// Rows read in one go.
const PAGE: usize = 256;

async fn scan(tx: &mut dyn Tx, prefix: Key) -> Result<BTreeMap<TenantId, Vec<Provider>>, StoreError> {
    let mut found: BTreeMap<TenantId, Vec<Provider>> = BTreeMap::new();
    let end = prefix.prefix_end();
    let mut next = Some(prefix);
    while let Some(start) = next.take() {
        let scan = Scan { start, end: end.clone(), reverse: false, limit: PAGE };
        let rows = codec::scan::<ProviderRecord>(tx, &scan).await?;
        if let Some((last, _)) = rows.last().filter(|_| rows.len() == PAGE) {
            next = Some(just_after(last.clone()));
        }
        for (key, record) in rows {
            let (tenant, provider) = parse(&key, &record)?;
            found.entry(tenant).or_default().push(provider);
        }
    }
    Ok(found)
}

fn parse(key: &Key, record: &ProviderRecord) -> Result<(TenantId, Provider), StoreError> {
    let mut parts = KeyReader::new(key);
    let (_domain, _app) = (parts.text(), parts.text());
    let tenant = parts.text().map(TenantId::new);
    let provider = serde_json::from_str(&record.provider).ok().and_then(Provider::parse);
    tenant.zip(provider).ok_or_else(|| codec::damaged(key, "it is no provider".to_owned()))
}
