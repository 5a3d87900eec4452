//! [`Call`]: a request that has passed the common checks, in the form that recipes use.

use crate::command::scope::{Cause, Scope};
use crate::domain::ids::TenantId;
use crate::domain::tenancy::Recipe;
use crate::http::cdi::access::Credential;
use crate::http::cdi::version::{CdiVersion, Wire};
use crate::http::client_address::ClientAddress;
use crate::http::error::ApiError;
use crate::http::exchange::Request;
use crate::state::directory::{AppEntry, TenantEntry};
use std::sync::Arc;

/// A request that has passed the common checks.
pub struct Call {
    /// The request itself.
    pub request: Request,
    /// The app the request was addressed to.
    pub app: Arc<AppEntry>,
    /// The tenant named in its path; it may not exist ([`Call::scope`] checks that, after the handler has read its
    /// fields).
    pub tenant: TenantId,
    /// The negotiated version.
    pub version: CdiVersion,
    /// The facts of that version.
    pub wire: Wire,
    /// The route that was matched.
    pub route: CallRoute,
    /// The addresses it comes from.
    pub address: ClientAddress,
    /// The credential the caller has presented.
    pub credential: Credential,
}

/// The route that a request has matched.
#[derive(Debug, Clone, Copy)]
pub struct CallRoute {
    /// Method and path, such as `POST /recipe/session`: for logs, metrics and timelines.
    pub label: &'static str,
    /// How the route treats a tenant in the path.
    pub reach: Reach,
}

/// How a route treats a tenant in the path. Enforced by [`Call::scope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Acts in the path's tenant, which must exist.
    Tenant,
    /// Acts on the app; a tenant in the path is ignored.
    App,
    /// Acts on the app; a tenant in the path is refused with 403 from CDI 5.0, and ignored before.
    AppStrict403,
}

impl Call {
    /// The app, tenant and caller that a command runs for. Checks the route's requirements on the path's tenant:
    /// handlers call this once their fields have been read.
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

    /// The same without a check of the path's tenant, for operations that only sometimes act on the whole app.
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

    /// Checks that the path's tenant has the recipe: required on routes by which people sign up or in.
    ///
    /// # Errors
    /// 403 where it is switched off and the version requires this check; 400 for an unknown tenant.
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

    /// The requirement of every [`Reach::AppStrict403`] route.
    ///
    /// # Errors
    /// 403 when the path names a tenant and the version forbids that.
    pub fn require_public_tenant(&self) -> Result<(), ApiError> {
        if self.wire.app_routes_refuse_tenants && !self.tenant.is_public() {
            return Err(ApiError::forbidden("Only public tenantId can call this app specific API"));
        }
        Ok(())
    }
}
