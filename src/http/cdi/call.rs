//! [`Call`]: a request that has passed the common checks, as the recipes see it.

use crate::command::scope::{Cause, Scope};
use crate::domain::ids::TenantId;
use crate::domain::tenancy::Recipe;
use crate::http::cdi::access::Credential;
use crate::http::cdi::client_address::ClientAddress;
use crate::http::cdi::version::{CdiVersion, Wire};
use crate::http::error::ApiError;
use crate::http::exchange::Request;
use crate::state::directory::{AppEntry, TenantEntry};
use std::sync::Arc;

/// A request that has passed the common checks.
pub struct Call {
    /// The request itself.
    pub request: Request,
    /// The app it is for.
    pub app: Arc<AppEntry>,
    /// The tenant its path names; may not exist ([`Call::scope`] checks, after the handler's fields).
    pub tenant: TenantId,
    /// The negotiated version.
    pub version: CdiVersion,
    /// What that version means.
    pub wire: Wire,
    /// The route it took.
    pub route: CallRoute,
    /// Where it comes from.
    pub address: ClientAddress,
    /// What the caller proved to hold.
    pub credential: Credential,
}

/// The route that a request took.
#[derive(Debug, Clone, Copy)]
pub struct CallRoute {
    /// `POST /recipe/session`: for logs, metrics and timelines.
    pub label: &'static str,
    /// What a tenant in the path means.
    pub reach: Reach,
}

/// What a tenant in the path means to a route. Enforced by [`Call::scope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Acts in the path's tenant, which must exist.
    Tenant,
    /// Acts on the app; a tenant in the path is not looked at.
    App,
    /// Acts on the app; from CDI 5.0 a tenant in the path is refused with 403, below it is ignored.
    AppStrict403,
}

impl Call {
    /// Where and by whom a command is run. Checks what the route demands of the path's tenant: handlers call it once
    /// their fields are read.
    ///
    /// # Errors
    /// 403 for a tenant on a route of the app (from CDI 5.0), 400 for an unknown tenant.
    pub fn scope(&self) -> Result<Scope, ApiError> {
        match self.route.reach {
            Reach::AppStrict403 => self.require_public_tenant()?,
            Reach::Tenant => {
                self.existing_tenant()?;
            }
            Reach::App => {}
        }
        Ok(self.app_scope())
    }

    /// The same without a look at the path's tenant, for operations that are of the whole app only at times.
    #[must_use]
    pub fn app_scope(&self) -> Scope {
        let cause = Cause {
            call: self.route.label,
            request_id: self.request.id.clone(),
            caller: Some(self.address.caller),
            client: self.address.person,
        };
        Scope { app: Arc::clone(&self.app), cause }
    }

    /// The path's tenant.
    ///
    /// # Errors
    /// 400 when it does not exist.
    pub fn existing_tenant(&self) -> Result<Arc<TenantEntry>, ApiError> {
        self.app.tenant(&self.tenant).ok_or_else(|| self.no_such_tenant(&self.tenant))
    }

    /// 400 for a tenant that this app does not have.
    #[must_use]
    pub fn no_such_tenant(&self, tenant: &TenantId) -> ApiError {
        ApiError::unknown_tenant(&self.app.id.connection_uri_domain, &self.app.id.app_id, tenant.as_str())
    }

    /// What routes demand on which people sign up or in: that the path's tenant has the recipe.
    ///
    /// # Errors
    /// 403 where it is switched off and the version leaves it to us to look; 400 for an unknown tenant.
    pub fn require_recipe(&self, recipe: Recipe) -> Result<(), ApiError> {
        let wire = self.wire;
        if !wire.recipes_may_be_switched_off {
            return Ok(());
        }
        if self.existing_tenant()?.own.shows_enabled(recipe, !wire.tenants_have_factors) {
            return Ok(());
        }
        Err(ApiError::forbidden(match recipe {
            Recipe::EmailPassword => "Email password login not enabled for tenant",
            Recipe::ThirdParty => "ThirdParty login not enabled for tenant",
            Recipe::Passwordless => "Passwordless login not enabled for tenant",
        }))
    }

    /// What every [`Reach::AppStrict403`] route demands.
    ///
    /// # Errors
    /// 403 when the path names a tenant and the version refuses that.
    pub fn require_public_tenant(&self) -> Result<(), ApiError> {
        if self.wire.app_routes_refuse_tenants && !self.tenant.is_public() {
            return Err(ApiError::forbidden("Only public tenantId can call this app specific API"));
        }
        Ok(())
    }
}
