//! [`Directory`]: every connection URI domain, app and tenant in memory, with effective settings.
//!
//! Requests read it under short locks; commands change single entries after their commit. Entries without settings of
//! their own share their parent's, so ten thousand of them need little more memory than their names.

use super::front_hosts::{FrontHosts, HostKind};
use super::traffic::Traffic;
use crate::config::front::FrontConfig;
use crate::config::{AppConfig, BaseConfig};
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::tenancy::Tenant;
use crate::state::key::slot::RingSlot;
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{
    Mutex, MutexGuard, RwLock as AsyncRwLock, RwLockReadGuard as AsyncRead, RwLockWriteGuard as AsyncWrite,
};

/// Every connection URI domain, app and tenant, with effective settings. Read on each request, rarely changed.
///
/// A handle: clones share one directory.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<DirectoryState>,
}

struct DirectoryState {
    base: Arc<BaseConfig>,
    domains: RwLock<Domains>,
    front_hosts: RwLock<FrontHosts>,
    serials: AtomicU64,
    locks: ChangeLocks,
}

/// Apps by id, by connection URI domain.
type Domains = HashMap<Box<str>, HashMap<Box<str>, Arc<AppEntry>>>;

/// One app.
pub struct AppEntry {
    /// Its id.
    pub id: AppId,
    /// Distinguishes it from an earlier app with the same name; stays the same when its settings change.
    pub serial: u64,
    /// Its effective settings: those of its public tenant.
    pub config: Arc<AppConfig>,
    /// Its request counts; kept when its settings change, and dropped with the app.
    pub traffic: Arc<Traffic>,
    /// The slot of its key ring, set once a request has needed it.
    pub(super) ring_slot: OnceLock<Arc<RingSlot>>,
    /// The front door's discovery document, set once it has been asked for. It follows from the settings, and an app
    /// whose settings change gets a new entry.
    discovery: OnceLock<Bytes>,
    tenants: Arc<RwLock<Tenants>>,
}

type Tenants = HashMap<TenantId, Arc<TenantEntry>>;

/// One tenant of an app.
#[derive(Debug)]
pub struct TenantEntry {
    /// Its id.
    pub id: TenantId,
    /// Its effective settings.
    pub config: Arc<AppConfig>,
    /// The settings made for this tenant itself.
    pub own: Tenant,
}

/// Locks for changes: apps change one at a time each, a change of a domain excludes all others.
struct ChangeLocks {
    domains: AsyncRwLock<()>,
    apps: [Mutex<()>; 64],
}

/// The right to change an app, or everything.
#[expect(dead_code, reason = "held for their drop")]
pub(crate) enum ChangeGuard<'a> {
    App(AsyncRead<'a, ()>, Option<MutexGuard<'a, ()>>),
    All(AsyncWrite<'a, ()>),
}

impl Directory {
    /// The directory of a new installation: the base domain with its public app and tenant.
    #[must_use]
    pub fn new(base: Arc<BaseConfig>) -> Self {
        let config = Arc::clone(&base.app);
        let locks = ChangeLocks { domains: AsyncRwLock::default(), apps: std::array::from_fn(|_| Mutex::default()) };
        let shared = DirectoryState {
            base,
            domains: RwLock::default(),
            front_hosts: RwLock::default(),
            serials: AtomicU64::new(1),
            locks,
        };
        let directory = Self { shared: Arc::new(shared) };
        directory.put(&AppId::base(), TenantEntry { id: TenantId::public(), config, own: Tenant::public() });
        directory
    }

    /// The settings of the whole server.
    #[must_use]
    pub fn base(&self) -> &Arc<BaseConfig> {
        &self.shared.base
    }

    /// The app, if it exists.
    #[must_use]
    pub fn app(&self, id: &AppId) -> Option<Arc<AppEntry>> {
        self.find(&id.connection_uri_domain, &id.app_id)
    }

    /// The app with these names, if it exists; for callers that do not have an [`AppId`].
    #[must_use]
    pub fn find(&self, connection_uri_domain: &str, app_id: &str) -> Option<Arc<AppEntry>> {
        read(&self.shared.domains).get(connection_uri_domain)?.get(app_id).map(Arc::clone)
    }

    /// The app whose own front door has this host, if any; of several, the base app, or else the first by domain and
    /// id.
    #[must_use]
    pub fn find_by_front_host(&self, host: &str) -> Option<Arc<AppEntry>> {
        let id = read(&self.shared.front_hosts).find(host)?;
        self.app(&id)
    }

    /// True if any app's front door has an address.
    #[must_use]
    pub fn has_front_addresses(&self) -> bool {
        read(&self.shared.front_hosts).has_addresses()
    }

    /// The hosts of an app's front door that other apps have, too.
    #[must_use]
    pub fn shared_front_hosts(&self, app: &AppId) -> Vec<String> {
        read(&self.shared.front_hosts).shared_by(app)
    }

    /// The hosts under which browsers reach the front door of an app, tenants' hosts included.
    #[must_use]
    pub fn front_hosts(&self, app: &AppEntry) -> Vec<String> {
        let Some(front) = &app.config.front else { return Vec::new() };
        let mut hosts: Vec<String> = front.api.origin.iter().map(|origin| origin.host.clone()).collect();
        if self.has_tenant_hosts(&app.id, front) {
            hosts.extend(app.tenants().iter().flat_map(|tenant| front.tenant_hosts.of(&tenant.id)));
        }
        hosts
    }

    /// True if an app has hosts for its tenants; those that it only inherits belong to the base app.
    fn has_tenant_hosts(&self, app: &AppId, front: &FrontConfig) -> bool {
        let base = self.shared.base.app.front.as_ref();
        *app == AppId::base() || base.is_none_or(|base| !base.tenant_hosts.is_same_table(&front.tenant_hosts))
    }

    /// True if a connection URI domain with this name was created.
    #[must_use]
    pub fn has_connection_uri_domain(&self, host: &str) -> bool {
        read(&self.shared.domains).contains_key(host)
    }

    /// Every app, by domain and id.
    #[must_use]
    pub fn apps(&self) -> Vec<Arc<AppEntry>> {
        let mut apps: Vec<_> = read(&self.shared.domains).values().flat_map(HashMap::values).cloned().collect();
        apps.sort_by(|a, b| a.id.cmp(&b.id));
        apps
    }

    /// The apps of one domain, by id.
    #[must_use]
    pub fn apps_of(&self, connection_uri_domain: &str) -> Vec<Arc<AppEntry>> {
        let domains = read(&self.shared.domains);
        let mut apps: Vec<_> =
            domains.get(connection_uri_domain).map(|apps| apps.values().cloned().collect()).unwrap_or_default();
        drop(domains);
        apps.sort_by(|a, b| a.id.cmp(&b.id));
        apps
    }

    /// Waits until no one else is changing this app; with `alone`, until no one is changing anything.
    pub(crate) async fn begin_change(&self, app: &AppId, alone: bool) -> ChangeGuard<'_> {
        let locks = &self.shared.locks;
        if alone {
            return ChangeGuard::All(locks.domains.write().await);
        }
        let domain = locks.domains.read().await;
        let mut hasher = DefaultHasher::new();
        app.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % locks.apps.len() as u64).unwrap_or_default();
        let app = match locks.apps.get(place) {
            Some(app) => Some(app.lock().await),
            None => None,
        };
        ChangeGuard::App(domain, app)
    }

    /// Adds or replaces a tenant; an app is added with its public tenant.
    pub(crate) fn put(&self, app: &AppId, tenant: TenantEntry) {
        if !tenant.id.is_public() {
            if let Some(entry) = self.app(app) {
                write(&entry.tenants).insert(tenant.id.clone(), Arc::new(tenant));
            }
            return;
        }
        let mut domains = write(&self.shared.domains);
        let domain = domains.entry(app.connection_uri_domain.as_str().into()).or_default();
        let (serial, traffic, tenants) = match domain.get(app.app_id.as_str()) {
            Some(entry) => (entry.serial, Arc::clone(&entry.traffic), Arc::clone(&entry.tenants)),
            None => (self.shared.serials.fetch_add(1, Ordering::Relaxed), Arc::default(), Arc::default()),
        };
        let config = Arc::clone(&tenant.config);
        self.note_front_hosts(app, &config);
        write(&tenants).insert(tenant.id.clone(), Arc::new(tenant));
        let (id, ring_slot, discovery) = (app.clone(), OnceLock::new(), OnceLock::new());
        let entry = AppEntry { id, serial, config, traffic, ring_slot, discovery, tenants };
        domain.insert(app.app_id.as_str().into(), Arc::new(entry));
    }

    /// Notes the hosts of an app's front door. That of `api_domain` is inherited from the server, and is the base app's.
    fn note_front_hosts(&self, app: &AppId, config: &AppConfig) {
        let host_of = |config: &AppConfig| Some(config.front.as_ref()?.api.origin.as_ref()?.host.clone());
        let is_own = |host: &String| *app == AppId::base() || Some(host) != host_of(&self.shared.base.app).as_ref();
        let mut hosts = write(&self.shared.front_hosts);
        hosts.forget(app);
        if let Some(host) = host_of(config).filter(is_own) {
            hosts.add(HostKind::Api, &host, app);
        }
        if let Some(front) = config.front.as_ref().filter(|front| self.has_tenant_hosts(app, front)) {
            front.tenant_hosts.named().for_each(|host| hosts.add(HostKind::Tenant, host, app));
            front.tenant_hosts.domains().for_each(|domain| hosts.add(HostKind::TenantsBelow, domain, app));
        }
    }

    /// Removes a tenant.
    pub(crate) fn remove_tenant(&self, app: &AppId, tenant: &TenantId) {
        if let Some(entry) = self.app(app) {
            write(&entry.tenants).remove(tenant);
        }
    }

    /// Removes an app, and its domain with the domain's last app.
    pub(crate) fn remove_app(&self, app: &AppId) {
        write(&self.shared.front_hosts).forget(app);
        let mut domains = write(&self.shared.domains);
        if let Some(domain) = domains.get_mut(app.connection_uri_domain.as_str()) {
            domain.remove(app.app_id.as_str());
            if domain.is_empty() {
                domains.remove(app.connection_uri_domain.as_str());
            }
        }
    }
}

impl AppEntry {
    /// The tenant, if it exists.
    #[must_use]
    pub fn tenant(&self, id: &TenantId) -> Option<Arc<TenantEntry>> {
        read(&self.tenants).get(id).map(Arc::clone)
    }

    /// Every tenant, by id.
    #[must_use]
    pub fn tenants(&self) -> Vec<Arc<TenantEntry>> {
        let mut tenants: Vec<_> = read(&self.tenants).values().cloned().collect();
        tenants.sort_by(|a, b| a.id.cmp(&b.id));
        tenants
    }

    /// The number of tenants, including the public one.
    #[must_use]
    pub fn tenant_count(&self) -> usize {
        read(&self.tenants).len()
    }

    /// The front door's discovery document; `write` makes it from the settings of this entry.
    pub fn discovery_document(&self, write: impl FnOnce() -> Bytes) -> Bytes {
        self.discovery.get_or_init(write).clone()
    }

    /// True for the app that every domain has.
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

/// The locks here guard maps that a panic never leaves half-changed.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
