//! [`Directory`]: every connection URI domain, app and tenant in memory, with effective settings.
//!
//! Requests read it under short locks; commands change single entries after their commit. Entries without settings of
//! their own share their parent's, so ten thousand of them cost little more than their names.

use crate::config::{AppConfig, BaseConfig};
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Every connection URI domain, app and tenant, with effective settings. Read on each request, changed rarely.
pub struct Directory {
    base: Arc<BaseConfig>,
    domains: RwLock<Domains>,
}

/// Apps by id, by connection URI domain.
type Domains = HashMap<Box<str>, HashMap<Box<str>, Arc<AppEntry>>>;

/// One app.
pub struct AppEntry {
    /// Its id.
    pub id: AppId,
    /// Its effective settings: those of its public tenant.
    pub config: Arc<AppConfig>,
    tenants: Arc<RwLock<HashMap<TenantId, Arc<TenantEntry>>>>,
}

/// One tenant of an app.
#[derive(Debug)]
pub struct TenantEntry {
    /// Its id.
    pub id: TenantId,
    /// Its effective settings.
    pub config: Arc<AppConfig>,
}

impl Directory {
    /// The directory of a new installation: the base domain with its public app and tenant.
    #[must_use]
    pub fn new(base: Arc<BaseConfig>) -> Self {
        let directory = Self { domains: RwLock::default(), base };
        let config = Arc::clone(&directory.base.app);
        directory.put_app(AppEntry::new(AppId::base(), config));
        directory
    }

    /// The settings of the whole server.
    #[must_use]
    pub fn base(&self) -> &Arc<BaseConfig> {
        &self.base
    }

    /// The app, if it exists.
    #[must_use]
    pub fn app(&self, id: &AppId) -> Option<Arc<AppEntry>> {
        self.find(&id.connection_uri_domain, &id.app_id)
    }

    /// The app with these names, if it exists; for callers that have no [`AppId`] at hand.
    #[must_use]
    pub fn find(&self, connection_uri_domain: &str, app_id: &str) -> Option<Arc<AppEntry>> {
        read(&self.domains).get(connection_uri_domain)?.get(app_id).map(Arc::clone)
    }

    /// True if a connection URI domain of this name was created.
    pub fn has_connection_uri_domain(&self, host: &str) -> bool {
        read(&self.domains).contains_key(host)
    }

    /// Every app, in no particular order; for jobs.
    #[must_use]
    pub fn apps(&self) -> Vec<Arc<AppEntry>> {
        read(&self.domains).values().flat_map(HashMap::values).cloned().collect()
    }

    pub(super) fn put_app(&self, entry: AppEntry) {
        let mut domains = write(&self.domains);
        let domain = domains.entry(entry.id.connection_uri_domain.as_str().into()).or_default();
        domain.insert(entry.id.app_id.as_str().into(), Arc::new(entry));
    }
}

impl AppEntry {
    /// An app with its public tenant.
    fn new(id: AppId, config: Arc<AppConfig>) -> Self {
        let public = TenantEntry { id: TenantId::public(), config: Arc::clone(&config) };
        let tenants = HashMap::from([(TenantId::public(), Arc::new(public))]);
        Self { id, config, tenants: Arc::new(RwLock::new(tenants)) }
    }

    /// The tenant, if it exists.
    #[must_use]
    pub fn tenant(&self, id: &TenantId) -> Option<Arc<TenantEntry>> {
        read(&self.tenants).get(id).map(Arc::clone)
    }

    /// Every tenant, in no particular order.
    #[must_use]
    pub fn tenants(&self) -> Vec<Arc<TenantEntry>> {
        read(&self.tenants).values().cloned().collect()
    }

    /// True for the app that a domain always has.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.id.app_id == PUBLIC
    }
}

impl fmt::Debug for AppEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppEntry").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Locks here guard maps that no panic leaves half-changed.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
