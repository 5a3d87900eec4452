//! Creates and updates tenants, and through their public tenants apps and connection URI domains.

use super::plan::{Effects, Plan, own_settings};
use super::work::Work;
use crate::command::transact::{Step, transact_unqueued};
use crate::config::settings;
use crate::context::Context;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::json::JsonObject;
use crate::domain::tenancy::{Tenant, TenantChange};
use crate::fault::Fault;
use crate::state::directory::{Directory, TenantEntry};
use crate::store::app::AppRecord;
use crate::store::removal::RemovalTarget;
use crate::store::{self, StoreError, Tx};
use serde_json::{Map, Value as Json};

/// Creates a tenant or changes it. The public tenant represents its app, and that of a public app its domain.
pub struct PutTenant {
    /// The app; created together with its public tenant.
    pub app: AppId,
    /// The tenant.
    pub tenant: TenantId,
    /// Recipes and factors.
    pub change: TenantChange,
    /// Settings to change; `null` removes one.
    pub core_config: Option<Map<String, Json>>,
    /// Whether the caller may change protected settings.
    pub may_change_protected: bool,
    /// Whether to leave an existing tenant unchanged.
    pub only_new: bool,
}

/// The outcome of creating or changing a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutTenantOutcome {
    /// It is stored, durably.
    Ok {
        /// Whether it is new.
        created: bool,
    },
    /// It existed before and is unchanged.
    Exists,
    /// A rule was broken: the protocol's sentence (400).
    Invalid(String),
    /// Protected settings were touched (403).
    Protected,
    /// The tenant's app does not exist.
    UnknownApp,
}

impl PutTenant {
    /// Stores the tenant and returns the outcome; runs to completion even if the caller goes away.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<PutTenantOutcome, Fault> {
        let work = Work::of(context);
        Work::to_the_end(async move { self.apply(&work).await }).await
    }

    async fn apply(self, work: &Work) -> Result<PutTenantOutcome, Fault> {
        let directory = &work.directory;
        let alone = self.is_domain();
        let _change_guard = directory.begin_change(&self.app, alone).await;
        for removed in self.names() {
            work.finish_if_pending(&removed).await?;
        }
        if !self.tenant.is_public() && directory.app(&self.app).is_none() {
            return Ok(PutTenantOutcome::UnknownApp);
        }
        if self.only_new && directory.app(&self.app).is_some_and(|entry| entry.tenant(&self.tenant).is_some()) {
            return Ok(PutTenantOutcome::Exists);
        }
        let decision = match self.decide(directory) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(refusal),
        };
        let (command, tenant) = (&self, &decision.tenant);
        let created = transact_unqueued(&*work.store, "committing a tenant", |mut tx| async move {
            let created = command.write(tx.as_mut(), tenant, work).await.map_err(storing)?;
            Ok(Step::Commit(tx, created))
        })
        .await?;
        decision.enter(directory, &self.app, &self.tenant);
        Ok(PutTenantOutcome::Ok { created })
    }

    /// Deletes what an earlier removal may have left under the same name.
    fn names(&self) -> Vec<RemovalTarget> {
        let mut names = vec![RemovalTarget { app: self.app.clone(), tenant: None }];
        if !self.tenant.is_public() {
            names.push(RemovalTarget { app: self.app.clone(), tenant: Some(self.tenant.clone()) });
        }
        names
    }

    fn is_base(&self) -> bool {
        self.app == AppId::base() && self.tenant.is_public()
    }

    fn is_domain(&self) -> bool {
        self.tenant.is_public() && self.app.app_id == PUBLIC && !self.app.connection_uri_domain.is_empty()
    }

    /// The new state, or the reason for a refusal. The order of checks is the protocol's.
    fn decide(&self, directory: &Directory) -> Result<Decision, PutTenantOutcome> {
        let existing = directory.app(&self.app).and_then(|entry| entry.tenant(&self.tenant));
        let invalid = |sentence: String| PutTenantOutcome::Invalid(format!("Invalid core config: {sentence}"));
        // The base domain is always loaded.
        let (domain, only) = (&self.app.connection_uri_domain, &directory.base().saas_load_only_cud);
        if !domain.is_empty() && only.as_ref().is_some_and(|only| only != domain) {
            return Err(PutTenantOutcome::Invalid(
                "Creation of connection uri domain or app or tenant is disallowed".to_owned(),
            ));
        }
        let old = match &existing {
            Some(entry) => entry.own.clone(),
            None => Tenant::new(self.tenant.is_public(), &self.change),
        };
        let mut tenant = old.changed(self.change.clone()).map_err(|error| invalid(error.to_string()))?;
        let old_settings = existing.as_ref().map(|entry| own_settings(entry)).unwrap_or_default();
        let given = self.core_config.clone().unwrap_or_default();
        if self.is_base() && !given.is_empty() {
            return Err(PutTenantOutcome::Invalid("Cannot modify base config".to_owned()));
        }
        if let Some(key) = given.keys().find(|key| settings::find(key).is_none()) {
            return Err(invalid(format!("Invalid config key: {key}")));
        }
        let is_protected = |key: &str| settings::find(key).is_some_and(|setting| setting.protected);
        let changes = |(key, value): (&String, &Json)| is_protected(key) && old_settings.get(key) != Some(value);
        if !self.may_change_protected && given.iter().any(changes) {
            return Err(PutTenantOutcome::Protected);
        }
        let settings = merged(old_settings.clone(), given);
        let effects = if existing.is_some() && settings == old_settings {
            None
        } else {
            let plan = Plan { directory, app: &self.app, tenant: &self.tenant, own: &settings };
            Some(plan.effects().map_err(invalid)?)
        };
        tenant.core_config = JsonObject::from_map(&settings);
        Ok(Decision { tenant, effects })
    }

    /// Writes the tenant, and its app if that is new. Returns whether the tenant is new.
    async fn write(&self, tx: &mut dyn Tx, tenant: &Tenant, work: &Work) -> Result<bool, StoreError> {
        let existed = store::tenant::exists(tx, &self.app, &self.tenant).await?;
        if !existed {
            let record = store::app::get(tx, &self.app).await?;
            let mut record = record.unwrap_or(AppRecord { created: work.now, changes: 0 });
            record.changes += 1;
            store::app::put(tx, &self.app, &record)?;
        }
        store::tenant::put(tx, &self.app, &self.tenant, tenant)?;
        Ok(!existed)
    }
}

struct Decision {
    tenant: Tenant,
    /// The new effective settings; `None`: they stay as they are.
    effects: Option<Effects>,
}

impl Decision {
    /// Brings the directory up to date.
    fn enter(self, directory: &Directory, app: &AppId, id: &TenantId) {
        let current = directory.app(app).and_then(|entry| entry.tenant(id));
        let Some(effects) = self.effects else {
            if let Some(current) = current {
                let config = current.config.clone();
                directory.put(app, TenantEntry { id: id.clone(), config, own: self.tenant });
            }
            return;
        };
        for (effect_app, effect_tenant, config) in effects {
            let own = if effect_app == *app && effect_tenant == *id {
                self.tenant.clone()
            } else {
                match directory.app(&effect_app).and_then(|entry| entry.tenant(&effect_tenant)) {
                    Some(entry) => entry.own.clone(),
                    None => continue,
                }
            };
            directory.put(&effect_app, TenantEntry { id: effect_tenant, config, own });
        }
    }
}

/// Stored settings after a change: `null` removes a stored one; for one that is not stored it is kept, and means the
/// default.
fn merged(mut stored: Map<String, Json>, given: Map<String, Json>) -> Map<String, Json> {
    for (key, value) in given {
        if value.is_null() && stored.contains_key(&key) {
            stored.shift_remove(&key);
        } else {
            stored.insert(key, value);
        }
    }
    stored
}

fn storing(error: StoreError) -> Fault {
    Fault::new("storing a tenant", error)
}
