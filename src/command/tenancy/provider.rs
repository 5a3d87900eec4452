//! `PUT /recipe/multitenancy/config/thirdparty` and `POST …/remove`: providers of a tenant.

use crate::app::App;
use crate::command::retry::Retry;
use crate::command::session::Scope;
use crate::command::user::require_tenant;
use crate::domain::ids::{AppId, TenantId};
use crate::domain::tenancy::{Provider, ProviderError};
use crate::fault::Fault;
use crate::store::{StoreError, provider};
use std::collections::BTreeMap;

/// Adds a provider to a tenant, or replaces the one with its id.
pub struct PutProvider {
    /// Where.
    pub scope: Scope,
    /// The tenant.
    pub tenant: TenantId,
    /// The provider.
    pub provider: Provider,
    /// Take it, and what the tenant has, as it is.
    pub skip_validation: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderPut {
    /// The tenant has it, durably.
    Ok {
        /// It had none with this id before.
        created: bool,
    },
    /// It, or another one of the tenant, is not as it should be.
    Invalid(ProviderError),
}

impl PutProvider {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &App) -> Result<ProviderPut, Fault> {
        let (app_id, id) = (&self.scope.app.id, &self.provider.third_party_id);
        if let Err(error) = self.check(&self.provider) {
            return Ok(ProviderPut::Invalid(error));
        }
        let mut retry = Retry::new(&app.contention, &(&app_id.app_id, self.tenant.as_str(), id));
        loop {
            let mut tx = app.store.begin();
            require_tenant(tx.as_mut(), &self.scope, &self.tenant, "storing a provider").await?;
            let others = provider::of_tenant(tx.as_mut(), app_id, &self.tenant).await.map_err(storing)?;
            let others = others.iter().filter(|other| other.third_party_id != *id);
            if let Err(error) = others.into_iter().try_for_each(|other| self.check(other)) {
                return Ok(ProviderPut::Invalid(error));
            }
            let existed = provider::exists(tx.as_mut(), app_id, &self.tenant, id).await.map_err(storing)?;
            provider::put(tx.as_mut(), app_id, &self.tenant, &self.provider).map_err(storing)?;
            if retry.commit(tx, "committing a provider").await? {
                return Ok(ProviderPut::Ok { created: !existed });
            }
        }
    }

    fn check(&self, provider: &Provider) -> Result<(), ProviderError> {
        if self.skip_validation { Ok(()) } else { provider.check() }
    }
}

/// Takes a provider from a tenant.
pub struct RemoveProvider {
    /// Where.
    pub scope: Scope,
    /// The tenant.
    pub tenant: TenantId,
    /// The provider's id.
    pub id: String,
}

impl RemoveProvider {
    /// Runs the command; returns whether the tenant had it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &App) -> Result<bool, Fault> {
        let app_id = &self.scope.app.id;
        let mut retry = Retry::new(&app.contention, &(&app_id.app_id, self.tenant.as_str(), &self.id));
        loop {
            let mut tx = app.store.begin();
            if !provider::exists(tx.as_mut(), app_id, &self.tenant, &self.id).await.map_err(storing)? {
                return Ok(false);
            }
            provider::delete(tx.as_mut(), app_id, &self.tenant, &self.id);
            if retry.commit(tx, "committing the removal of a provider").await? {
                return Ok(true);
            }
        }
    }
}

/// The providers of an app's tenants, or of one.
///
/// # Errors
/// When the store fails.
pub async fn providers(
    app: &App,
    id: &AppId,
    tenant: Option<&TenantId>,
) -> Result<BTreeMap<TenantId, Vec<Provider>>, Fault> {
    let mut tx = app.store.begin();
    let reading = |error| Fault::new("reading providers", error);
    match tenant {
        None => provider::of_app(tx.as_mut(), id).await.map_err(reading),
        Some(tenant) => {
            let found = provider::of_tenant(tx.as_mut(), id, tenant).await.map_err(reading)?;
            Ok([(tenant.clone(), found)].into())
        }
    }
}

fn storing(error: StoreError) -> Fault {
    Fault::new("storing a provider", error)
}
