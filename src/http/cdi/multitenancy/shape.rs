//! The tenant object in its two shapes.

use super::shared::may_touch_protected;
use crate::command::tenancy::providers;
use crate::config::settings;
use crate::context::Context;
use crate::domain::tenancy::{Provider, Recipe};
use crate::fault::Fault;
use crate::http::cdi::call::Call;
use crate::state::directory::{AppEntry, TenantEntry};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How tenants are shown to a particular caller.
pub(super) struct View {
    shape: Shape,
    show_protected: bool,
}

enum Shape {
    Second,
    First {
        /// From CDI 5.0: factor lists are shown, and no longer decide for each recipe.
        with_factors: bool,
    },
}

/// A tenant: members as text, so that numbers in providers are shown as given.
pub(super) struct TenantBody(Vec<(&'static str, Box<RawValue>)>);

impl TenantBody {
    fn add(&mut self, name: &'static str, value: &impl Serialize) {
        // invariant: all data of a tenant can be serialised
        self.0.extend(to_raw_value(value).ok().map(|value| (name, value)));
    }
}

impl Serialize for TenantBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Serialize)]
struct ThirdParty<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    providers: &'a [Provider],
}

/// An app in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppBody {
    app_id: String,
    tenants: Vec<TenantBody>,
}

/// A connection URI domain in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DomainBody {
    connection_uri_domain: String,
    apps: Vec<AppBody>,
}

impl View {
    pub(super) fn second_generation(context: &Context, call: &Call) -> Self {
        Self { shape: Shape::Second, show_protected: may_touch_protected(context, call) }
    }

    pub(super) fn first_generation(context: &Context, call: &Call) -> Self {
        let shape = Shape::First { with_factors: call.wire.tenants_have_factors };
        Self { shape, show_protected: may_touch_protected(context, call) }
    }

    pub(super) fn tenant(&self, entry: &TenantEntry, providers: &[Provider]) -> TenantBody {
        let own = &entry.own;
        let mut body = TenantBody(Vec::new());
        body.add("tenantId", &entry.id.as_str());
        match self.shape {
            Shape::Second => {
                body.add("thirdParty", &ThirdParty { enabled: None, providers });
                if let Some(list) = own.shown_first_factors() {
                    body.add("firstFactors", &list);
                }
            }
            Shape::First { with_factors } => {
                let enabled = |recipe| own.shows_enabled(recipe, !with_factors);
                body.add("emailPassword", &json!({"enabled": enabled(Recipe::EmailPassword)}));
                body.add("thirdParty", &ThirdParty { enabled: Some(enabled(Recipe::ThirdParty)), providers });
                body.add("passwordless", &json!({"enabled": enabled(Recipe::Passwordless)}));
                if let Some(list) = own.first_factors.as_ref().filter(|list| with_factors && !list.is_empty()) {
                    body.add("firstFactors", &list);
                }
            }
        }
        let shows_secondary = !matches!(self.shape, Shape::First { with_factors: false });
        if let Some(list) = own.required_secondary_factors.as_ref().filter(|_| shows_secondary) {
            body.add("requiredSecondaryFactors", &list);
        }
        body.add("coreConfig", &self.core_config(entry));
        body
    }

    /// The tenant's own settings as given.
    fn core_config(&self, entry: &TenantEntry) -> Map<String, Value> {
        let mut config = entry.own.core_config.to_map().unwrap_or_default();
        if !self.show_protected {
            config.retain(|key, _| settings::find(key).is_some_and(|setting| !setting.protected));
        }
        config
    }

    pub(super) async fn tenants(&self, context: &Context, entry: &AppEntry) -> Result<Vec<TenantBody>, Fault> {
        let mut providers = providers(context, &entry.id, None).await?;
        let tenant = |tenant: &Arc<TenantEntry>| {
            let own = providers.remove(&tenant.id).unwrap_or_default();
            self.tenant(tenant, &own)
        };
        Ok(entry.tenants().iter().map(tenant).collect())
    }

    pub(super) async fn apps(&self, context: &Context, entries: &[Arc<AppEntry>]) -> Result<Vec<AppBody>, Fault> {
        let mut apps = Vec::with_capacity(entries.len());
        for entry in entries {
            apps.push(AppBody { app_id: entry.id.app_id.clone(), tenants: self.tenants(context, entry).await? });
        }
        Ok(apps)
    }

    pub(super) async fn domain(&self, context: &Context, entries: &[Arc<AppEntry>]) -> Result<DomainBody, Fault> {
        let name = entries.first().map(|entry| entry.id.connection_uri_domain.clone()).unwrap_or_default();
        Ok(DomainBody { connection_uri_domain: name, apps: self.apps(context, entries).await? })
    }
}
