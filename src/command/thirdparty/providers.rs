//! The providers of a tenant: its own and those of the settings.

use super::refusal::{ProviderRefusal, Step};
use crate::command::scope::Scope;
use crate::command::tenancy::providers as stored_providers;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::json::reader::ConfigFlaw;
use crate::domain::thirdparty::catalogue::{ProviderKind, entry_of};
use crate::domain::thirdparty::config::{ProviderConfig, over_static, static_providers};
use crate::domain::thirdparty::provider::Provider;
use crate::domain::thirdparty::read;
use crate::fault::Fault;

/// Lists the providers with which people can sign in to a tenant. Asks no provider.
pub struct ListProviders {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant.
    pub tenant: TenantId,
    /// The application's client that asks, if it says.
    pub client_type: Option<String>,
}

/// A provider as shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSummary {
    /// Its id.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
}

impl ListProviders {
    /// Returns the providers that have a fitting client and no mistake in their configuration.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<ProviderSummary>, Fault> {
        let configs = tenant_providers(context, &self.scope, &self.tenant).await?;
        let usable = configs.into_iter().filter_map(|(_, config)| {
            let config = config.ok()?;
            let client = config.client(self.client_type.as_deref()).ok()?;
            let Provider { id, name, .. } = Provider::settle(&config, client).ok()?;
            Some(ProviderSummary { id, name })
        });
        Ok(usable.collect())
    }
}

/// The configurations of a tenant's providers, by id.
type Configs = Vec<(String, Result<ProviderConfig, ConfigFlaw>)>;

async fn tenant_providers(context: &Context, scope: &Scope, tenant: &TenantId) -> Result<Configs, Fault> {
    let fixed = &scope.app.config.third_party.providers;
    let stored = stored_providers(context, &scope.app.id, Some(tenant)).await?.remove(tenant).unwrap_or_default();
    if stored.is_empty() {
        let fixed = static_providers(fixed, tenant.is_public());
        return Ok(fixed.map(|config| (config.third_party_id.clone(), Ok(config.clone()))).collect());
    }
    let merge = |stored: crate::domain::tenancy::Provider| {
        let id = stored.third_party_id.clone();
        let own = read::provider(&stored.to_text(), &id);
        (id, own.map(|own| over_static(own, fixed)))
    };
    Ok(stored.into_iter().map(merge).collect())
}

/// The configuration of a tenant's provider.
pub(super) async fn find(
    context: &Context,
    scope: &Scope,
    tenant: &TenantId,
    id: &str,
) -> Result<Result<ProviderConfig, ProviderRefusal>, Fault> {
    let configs = tenant_providers(context, scope, tenant).await?;
    Ok(match configs.into_iter().find(|(known, _)| known == id) {
        Some((_, config)) => config.map_err(ProviderRefusal::from),
        None => Err(ProviderRefusal::Unknown(id.to_owned())),
    })
}

/// The provider with the client for this type; what it publishes about itself is read if it has a discovery document.
pub(super) async fn ready(
    context: &Context,
    scope: &Scope,
    config: &ProviderConfig,
    client_type: Option<&str>,
) -> Result<Provider, ProviderRefusal> {
    let meant = entry_of(config.implementation.as_deref().unwrap_or(&config.third_party_id));
    if meant.kind == ProviderKind::Saml {
        return Err(ProviderRefusal::Saml);
    }
    let provider = Provider::settle(config, config.client(client_type)?)?;
    let Some(url) = &provider.discovery_url else { return Ok(provider) };
    let reach = &scope.app.config.third_party.reach;
    let found = context.providers.discovery(url, reach, context.steady()).await;
    let found = found.map_err(|error| ProviderRefusal::failed(Step::Discovery, error))?;
    Ok(provider.discovered(&found))
}
