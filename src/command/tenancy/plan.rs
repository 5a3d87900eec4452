//! What a change of a tenant's settings leads to: the effective settings of the tenant and of all that inherit from it.
//!
//! Settings are inherited per key: own → the app's public tenant → the domain's public tenant → the server's.

use crate::config::AppConfig;
use crate::config::settings::{self, Level};
use crate::config::validate::split_api_keys;
use crate::config::values::{Value, Values};
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::state::directory::{Directory, TenantEntry};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::sync::Arc;

/// Own settings of one tenant, parsed.
pub(super) type Own = Map<String, Json>;

/// Effective settings of tenants, parents first.
pub(super) type Effects = Vec<(AppId, TenantId, Arc<AppConfig>)>;

/// Effective settings, and the values behind them.
#[derive(Clone)]
struct Effective {
    values: Values,
    config: Arc<AppConfig>,
}

/// A change: this tenant gets these own settings.
pub(super) struct Plan<'a> {
    pub(super) directory: &'a Directory,
    pub(super) app: &'a AppId,
    pub(super) tenant: &'a TenantId,
    pub(super) own: &'a Own,
}

impl Plan<'_> {
    /// Checks the change and returns the effective settings of the tenant and of all that inherit from it.
    ///
    /// # Errors
    /// The protocol's sentence, without its prefix.
    pub(super) fn effects(&self) -> Result<Effects, String> {
        let mut effects = Vec::new();
        if !self.tenant.is_public() {
            let config = self.tenant_config()?;
            effects.push((self.app.clone(), self.tenant.clone(), config));
        } else {
            self.app_effects(self.app, &mut effects)?;
        }
        // The domain's public tenant passes its settings on to every app; the base one has none of its own.
        if self.tenant.is_public() && self.app.app_id == PUBLIC && !self.app.connection_uri_domain.is_empty() {
            for other in self.directory.apps_of(&self.app.connection_uri_domain) {
                if other.id != *self.app {
                    self.app_effects(&other.id, &mut effects)?;
                }
            }
        }
        only_for_the_server(self.own)?;
        Ok(effects)
    }

    /// The changed tenant's settings, if it is not a public one.
    fn tenant_config(&self) -> Result<Arc<AppConfig>, String> {
        if self.own.is_empty()
            && let Some(app) = self.directory.app(self.app)
        {
            return Ok(Arc::clone(&app.config));
        }
        let public = self.level(self.app, &TenantId::public())?;
        let own = self.over(&public, self.app, self.tenant)?;
        same_in_app(&public.values, &own.values)?;
        Ok(own.config)
    }

    /// The settings of an app's public tenant and of all its others.
    fn app_effects(&self, app: &AppId, effects: &mut Effects) -> Result<(), String> {
        let public = self.level(app, &TenantId::public())?;
        effects.push((app.clone(), TenantId::public(), Arc::clone(&public.config)));
        let Some(entry) = self.directory.app(app) else { return Ok(()) };
        for tenant in entry.tenants().into_iter().filter(|tenant| !tenant.id.is_public()) {
            if has_none(&tenant) {
                effects.push((app.clone(), tenant.id.clone(), Arc::clone(&public.config)));
                continue;
            }
            let own = self.over(&public, app, &tenant.id)?;
            same_in_app(&public.values, &own.values)?;
            effects.push((app.clone(), tenant.id.clone(), own.config));
        }
        Ok(())
    }

    /// A tenant's effective settings after the change.
    fn level(&self, app: &AppId, tenant: &TenantId) -> Result<Effective, String> {
        let inherited = match parent(app, tenant) {
            Some(parent) => self.level(&parent, &TenantId::public())?,
            None => {
                let base = self.directory.base();
                Effective { values: base.values().clone(), config: Arc::clone(&base.app) }
            }
        };
        self.over(&inherited, app, tenant)
    }

    /// A tenant's own settings over inherited ones; without own settings, the inherited ones unchanged.
    fn over(&self, inherited: &Effective, app: &AppId, tenant: &TenantId) -> Result<Effective, String> {
        let entry = self.directory.app(app).and_then(|entry| entry.tenant(tenant));
        let own = if app == self.app && tenant == self.tenant {
            Cow::Borrowed(self.own)
        } else {
            Cow::Owned(entry.as_ref().map(|entry| own_settings(entry)).unwrap_or_default())
        };
        if own.is_empty() {
            return Ok(inherited.clone());
        }
        let base = self.directory.base();
        let mut values = inherited.values.clone();
        base.overlay(&mut values, &own)?;
        let config = match entry {
            Some(entry) if !self.reaches(app, tenant) => Arc::clone(&entry.config),
            _ => {
                base.check(&values)?;
                Arc::new(AppConfig::from_values(&values, Some(&inherited.config)))
            }
        };
        Ok(Effective { values, config })
    }

    /// Whether the change is to this tenant or to one that it inherits from.
    fn reaches(&self, app: &AppId, tenant: &TenantId) -> bool {
        (app == self.app && tenant == self.tenant)
            || parent(app, tenant).is_some_and(|parent| self.reaches(&parent, &TenantId::public()))
    }
}

/// The app whose public tenant a tenant inherits from; none for those that inherit from the server.
fn parent(app: &AppId, tenant: &TenantId) -> Option<AppId> {
    if !tenant.is_public() {
        return Some(app.clone());
    }
    let domain = &app.connection_uri_domain;
    (app.app_id != PUBLIC).then(|| AppId { connection_uri_domain: domain.clone(), app_id: PUBLIC.to_owned() })
}

/// Effective settings of a stored tenant whose parents are in the directory; broken rules only cause a warning.
pub(super) fn stored_config(directory: &Directory, app: &AppId, tenant: &TenantId, own: &Own) -> Arc<AppConfig> {
    let base = directory.base();
    let ancestors = ancestors(directory, app, tenant);
    let inherited = ancestors.first().map_or_else(|| Arc::clone(&base.app), |entry| Arc::clone(&entry.config));
    if own.is_empty() {
        return inherited;
    }
    let (values, mut problems) = layered(directory, &ancestors, own);
    problems.extend(base.check(&values).err());
    for problem in problems {
        tracing::warn!(app = app.app_id, tenant = tenant.as_str(), problem, "a stored setting is no longer valid");
    }
    Arc::new(AppConfig::from_values(&values, Some(&inherited)))
}

/// The value of each setting in effect for a tenant: its own, or the inherited one.
#[must_use]
pub fn effective_values(directory: &Directory, app: &AppId, tenant: &TenantEntry) -> Values {
    layered(directory, &ancestors(directory, app, &tenant.id), &own_settings(tenant)).0
}

/// The tenants that a tenant inherits from, nearest first; the server itself is not among them.
fn ancestors(directory: &Directory, app: &AppId, tenant: &TenantId) -> Vec<Arc<TenantEntry>> {
    let mut found = Vec::new();
    let mut above = parent(app, tenant);
    while let Some(app) = above {
        found.extend(directory.app(&app).and_then(|entry| entry.tenant(&TenantId::public())));
        above = parent(&app, &TenantId::public());
    }
    found
}

/// A tenant's own settings over those of its ancestors over the server's, and what could not be read of them.
fn layered(directory: &Directory, ancestors: &[Arc<TenantEntry>], own: &Own) -> (Values, Vec<String>) {
    let base = directory.base();
    let mut values = base.values().clone();
    let mut problems = Vec::new();
    let inherited = ancestors.iter().rev().flat_map(|entry| own_settings(entry));
    for (key, json) in inherited.chain(own.clone()) {
        problems.extend(base.overlay(&mut values, &Own::from_iter([(key, json)])).err());
    }
    (values, problems)
}

/// The settings that were set for a tenant itself.
pub(super) fn own_settings(tenant: &TenantEntry) -> Own {
    if has_none(tenant) { Own::new() } else { tenant.own.core_config.to_map().unwrap_or_default() }
}

fn has_none(tenant: &TenantEntry) -> bool {
    tenant.own.core_config.as_str() == "{}"
}

/// Checks that settings that must agree within an app do.
fn same_in_app(public: &Values, tenant: &Values) -> Result<(), String> {
    let differs = settings::ALL.iter().enumerate().find(|(place, setting)| {
        setting.level == Level::App && !same_value(setting.key, public.at(*place), tenant.at(*place))
    });
    match differs {
        Some((_, setting)) => Err(format!("You cannot set different values for {} for the same appId", setting.key)),
        None => Ok(()),
    }
}

fn same_value(key: &str, a: &Value, b: &Value) -> bool {
    if key == "api_keys"
        && let (Some(a), Some(b)) = (a.as_text(), b.as_text())
    {
        return split_api_keys(a) == split_api_keys(b);
    }
    a == b
}

/// Refuses settings of the whole server, which cannot be set for an app or a tenant.
fn only_for_the_server(own: &Own) -> Result<(), String> {
    let is_core = |key: &&String| {
        settings::find(key).is_some_and(|setting| setting.level == Level::Core && setting.key != "core_config_version")
    };
    match own.keys().find(is_core) {
        Some(key) => Err(format!("{key} can only be set via the core's base config setting")),
        None => Ok(()),
    }
}
