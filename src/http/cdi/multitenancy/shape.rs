//! The tenant object in its two shapes.

use super::shared::may_touch_protected;
use crate::command::tenancy::providers;
use crate::config::settings;
use crate::context::Context;
use crate::domain::tenancy::{Provider, Recipe};
use crate::fault::Fault;
use crate::http::cdi::call::Call;
use crate::state::directory::{AppEntry, TenantEntry};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How tenants are shown to one caller.
pub(super) struct View {
    shape: Shape,
    show_protected: bool,
}

enum Shape {
    Second,
    First {
        /// From CDI 5.0: factor lists are shown, and no longer decide per recipe.
        with_factors: bool,
    },
}

/// An app in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppBody {
    app_id: String,
    tenants: Vec<Value>,
}

/// A connection URI domain in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DomainBody {
    connection_uri_domain: String,
    apps: Vec<AppBody>,
}

impl View {
    pub(super) fn second_generation(app: &Context, call: &Call) -> Self {
        Self { shape: Shape::Second, show_protected: may_touch_protected(app, call) }
    }

    pub(super) fn first_generation(app: &Context, call: &Call) -> Self {
        let shape = Shape::First { with_factors: call.wire.tenants_have_factors };
        Self { shape, show_protected: may_touch_protected(app, call) }
    }

    pub(super) fn tenant(&self, entry: &TenantEntry, providers: &[Provider]) -> Value {
        let own = &entry.own;
        let mut body = Map::new();
        body.insert("tenantId".to_owned(), json!(entry.id.as_str()));
        match self.shape {
            Shape::Second => {
                body.insert("thirdParty".to_owned(), json!({"providers": providers}));
                if let Some(list) = own.shown_first_factors() {
                    body.insert("firstFactors".to_owned(), json!(list));
                }
            }
            Shape::First { with_factors } => {
                let enabled = |recipe| own.shows_enabled(recipe, !with_factors);
                body.insert("emailPassword".to_owned(), json!({"enabled": enabled(Recipe::EmailPassword)}));
                let third_party = json!({"enabled": enabled(Recipe::ThirdParty), "providers": providers});
                body.insert("thirdParty".to_owned(), third_party);
                body.insert("passwordless".to_owned(), json!({"enabled": enabled(Recipe::Passwordless)}));
                if let Some(list) = own.first_factors.as_ref().filter(|list| with_factors && !list.is_empty()) {
                    body.insert("firstFactors".to_owned(), json!(list));
                }
            }
        }
        let shows_secondary = !matches!(self.shape, Shape::First { with_factors: false });
        if let Some(list) = own.required_secondary_factors.as_ref().filter(|_| shows_secondary) {
            body.insert("requiredSecondaryFactors".to_owned(), json!(list));
        }
        body.insert("coreConfig".to_owned(), Value::Object(self.core_config(entry)));
        Value::Object(body)
    }

    /// Own settings as they were given.
    fn core_config(&self, entry: &TenantEntry) -> Map<String, Value> {
        let mut config = entry.own.core_config.to_map().unwrap_or_default();
        if !self.show_protected {
            config.retain(|key, _| settings::find(key).is_some_and(|setting| !setting.protected));
        }
        config
    }

    pub(super) async fn tenants(&self, app: &Context, entry: &AppEntry) -> Result<Vec<Value>, Fault> {
        let mut providers = providers(app, &entry.id, None).await?;
        let tenant = |tenant: &Arc<TenantEntry>| {
            let own = providers.remove(&tenant.id).unwrap_or_default();
            self.tenant(tenant, &own)
        };
        Ok(entry.tenants().iter().map(tenant).collect())
    }

    pub(super) async fn apps(&self, app: &Context, entries: &[Arc<AppEntry>]) -> Result<Vec<AppBody>, Fault> {
        let mut apps = Vec::with_capacity(entries.len());
        for entry in entries {
            apps.push(AppBody { app_id: entry.id.app_id.clone(), tenants: self.tenants(app, entry).await? });
        }
        Ok(apps)
    }

    pub(super) async fn domain(&self, app: &Context, entries: &[Arc<AppEntry>]) -> Result<DomainBody, Fault> {
        let name = entries.first().map(|entry| entry.id.connection_uri_domain.clone()).unwrap_or_default();
        Ok(DomainBody { connection_uri_domain: name, apps: self.apps(app, entries).await? })
    }
}
