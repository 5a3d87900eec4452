//! [`FrontHosts`]: which app a host of the front door belongs to.

use crate::domain::ids::AppId;
use std::collections::{BTreeSet, HashMap};

/// Why a host belongs to an app, from what decides first to what decides last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum HostKind {
    /// It is that of `api_domain`.
    Api,
    /// It is a tenant's, by name.
    Tenant,
    /// Hosts directly below it are tenants'.
    TenantsBelow,
}

/// The hosts of every app's front door.
#[derive(Debug, Default)]
pub(super) struct FrontHosts(HashMap<HostKind, HashMap<Box<str>, BTreeSet<AppId>>>);

impl FrontHosts {
    pub(super) fn add(&mut self, kind: HostKind, host: &str, app: &AppId) {
        self.0.entry(kind).or_default().entry(host.into()).or_default().insert(app.clone());
    }

    /// Removes the hosts of an app.
    pub(super) fn forget(&mut self, app: &AppId) {
        for hosts in self.0.values_mut() {
            hosts.retain(|_, apps| {
                apps.remove(app);
                !apps.is_empty()
            });
        }
    }

    /// The app that has a host; of several, the base app, or else the first by domain and id.
    pub(super) fn find(&self, host: &str) -> Option<AppId> {
        let base = AppId::base();
        let of =
            |kind, host: &str| self.0.get(&kind)?.get(host)?.iter().min_by_key(|app| (**app != base, *app)).cloned();
        let below = || of(HostKind::TenantsBelow, host.split_once('.')?.1);
        of(HostKind::Api, host).or_else(|| of(HostKind::Tenant, host)).or_else(below)
    }

    /// True if any app has an `api_domain`.
    pub(super) fn has_addresses(&self) -> bool {
        self.0.get(&HostKind::Api).is_some_and(|hosts| !hosts.is_empty())
    }

    /// The hosts of an app that another app has as well.
    pub(super) fn shared_by(&self, app: &AppId) -> Vec<String> {
        let mut owners: HashMap<String, BTreeSet<&AppId>> = HashMap::new();
        for (kind, hosts) in &self.0 {
            for (host, apps) in hosts {
                let shown = if *kind == HostKind::TenantsBelow { format!("*.{host}") } else { host.to_string() };
                owners.entry(shown).or_default().extend(apps);
            }
        }
        let is_shared = |apps: &BTreeSet<&AppId>| apps.len() > 1 && apps.contains(app);
        let mut shared: Vec<_> = owners.into_iter().filter(|(_, apps)| is_shared(apps)).map(|(host, _)| host).collect();
        shared.sort();
        shared
    }
}
