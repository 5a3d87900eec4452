//! Providers at rest: [`Keyspace::ThirdPartyProvider`]: (domain, app, tenant, provider's id) → [`ProviderRecord`].

use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId};
use crate::store::key::KeyReader;
use serde::{Deserialize, Serialize};

/// A provider of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRecord {
    /// The provider as JSON text: much of it is free-form.
    pub provider: ProviderText,
}

/// The stored form of a provider's text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProviderText {
    /// In plain text: written by version 1, until a job seals it.
    Plain(String),
    /// Sealed under a key of the app, for its [`place`].
    Sealed(Vec<u8>),
}

crate::record!(ProviderRecord, ThirdPartyProvider, version 2 after ProviderRecordV1);

impl std::fmt::Debug for ProviderText {
    /// Omits the text, which contains secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Sealed(_) => "Sealed",
        })
    }
}

/// Version 1: the text is not sealed.
#[derive(Serialize, Deserialize)]
pub struct ProviderRecordV1 {
    /// The provider as JSON.
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
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// Its key.
    pub key: Key,
    /// Its record.
    pub record: ProviderRecord,
}

/// The key of a provider.
#[must_use]
pub fn key(app: &AppId, tenant: &TenantId, id: &str) -> Key {
    Key::of_tenant(Keyspace::ThirdPartyProvider, app, tenant).bounded_text(id)
}

/// The context that the sealed text of a provider is bound to: tenant and provider id. The app is not included, because
/// its name changes when it moves; each app has a sealing key of its own.
#[must_use]
pub fn place<'k>(app: &AppId, key: &'k Key) -> &'k [u8] {
    let of_app = Key::of_app(key.keyspace, app).bytes.len();
    key.bytes.get(of_app..).unwrap_or_default()
}

/// The app in the key of a provider.
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

/// Rows read at once.
const PAGE: usize = 256;

async fn scan(tx: &mut dyn Tx, prefix: Key) -> Result<Vec<StoredProvider>, StoreError> {
    let (mut pages, mut found) = (Pages::of(prefix, PAGE), Vec::new());
    while let Some(rows) = pages.records::<ProviderRecord>(tx).await? {
        for (key, record) in rows {
            let mut parts = KeyReader::new(&key);
            let (_domain, _app) = (parts.text(), parts.text());
            let tenant = parts.text().map(TenantId::new);
            let tenant = tenant.ok_or_else(|| codec::damaged(&key, "it does not belong to a tenant".to_owned()))?;
            found.push(StoredProvider { tenant, key, record });
        }
    }
    Ok(found)
}
