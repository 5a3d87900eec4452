//! Providers at rest: [`Keyspace::ThirdPartyProvider`]: (domain, app, tenant, provider's id) → [`ProviderRecord`].

use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId};
use crate::store::key::KeyReader;
use serde::{Deserialize, Serialize};

/// A provider of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRecord {
    /// JSON text: much of it is free-form.
    pub provider: ProviderText,
}

/// How the text of a provider is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProviderText {
    /// As it is: written by version 1, until a job seals it.
    Plain(String),
    /// Sealed under a key of the app, for its [`place`].
    Sealed(Vec<u8>),
}

crate::record!(ProviderRecord, ThirdPartyProvider, version 2 after ProviderRecordV1);

impl std::fmt::Debug for ProviderText {
    /// Without the text: it has secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Sealed(_) => "Sealed",
        })
    }
}

/// Version 1: the text as it is.
#[derive(Serialize, Deserialize)]
pub struct ProviderRecordV1 {
    /// JSON.
    pub provider: String,
}

crate::record!(ProviderRecordV1, ThirdPartyProvider, version 1);

impl From<ProviderRecordV1> for ProviderRecord {
    fn from(old: ProviderRecordV1) -> Self {
        Self { provider: ProviderText::Plain(old.provider) }
    }
}

/// A stored provider.
#[derive(Debug)]
pub struct StoredProvider {
    /// Whose.
    pub tenant: TenantId,
    /// Where it lives.
    pub key: Key,
    /// What is there.
    pub record: ProviderRecord,
}

/// Where a provider lives.
#[must_use]
pub fn key(app: &AppId, tenant: &TenantId, id: &str) -> Key {
    Key::of_tenant(Keyspace::ThirdPartyProvider, app, tenant).bounded_text(id)
}

/// What the sealed text of a provider is bound to: tenant and provider's id. Not the app, whose name changes when it moves;
/// each app has a sealing key of its own.
#[must_use]
pub fn place<'k>(app: &AppId, key: &'k Key) -> &'k [u8] {
    let of_app = Key::of_app(key.keyspace, app).bytes.len();
    key.bytes.get(of_app..).unwrap_or_default()
}

/// The app whose provider lives at a key.
#[must_use]
pub fn app_of(key: &Key) -> Option<AppId> {
    let mut parts = KeyReader::new(key);
    Some(AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? })
}

/// Whether the tenant has a provider of this id.
///
/// # Errors
/// When the store fails.
pub async fn exists(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &str) -> Result<bool, StoreError> {
    Ok(tx.get(&key(app, tenant, id)).await?.is_some())
}

/// Deletes a provider.
pub fn delete(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &str) {
    tx.delete(key(app, tenant, id));
}

/// The providers of a tenant, by id.
///
/// # Errors
/// When the store fails.
pub async fn of_tenant(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId) -> Result<Vec<StoredProvider>, StoreError> {
    scan(tx, Key::of_tenant(Keyspace::ThirdPartyProvider, app, tenant)).await
}

/// The providers of an app's tenants, by tenant and id.
///
/// # Errors
/// When the store fails.
pub async fn of_app(tx: &mut dyn Tx, app: &AppId) -> Result<Vec<StoredProvider>, StoreError> {
    scan(tx, Key::of_app(Keyspace::ThirdPartyProvider, app)).await
}

/// Rows read in one go.
const PAGE: usize = 256;

async fn scan(tx: &mut dyn Tx, prefix: Key) -> Result<Vec<StoredProvider>, StoreError> {
    let (mut pages, mut found) = (Pages::of(prefix, PAGE), Vec::new());
    while let Some(rows) = pages.records::<ProviderRecord>(tx).await? {
        for (key, record) in rows {
            let mut parts = KeyReader::new(&key);
            let (_domain, _app) = (parts.text(), parts.text());
            let tenant = parts.text().map(TenantId::new);
            let tenant = tenant.ok_or_else(|| codec::damaged(&key, "it is of no tenant".to_owned()))?;
            found.push(StoredProvider { tenant, key, record });
        }
    }
    Ok(found)
}
