//! The Core Driver Interface: app and tenant, IP rules, API key, version, route, reply, in this order.

pub mod access;
pub mod accountlinking;
pub mod admin;
pub mod audit;
pub mod bulk_import;
pub mod dashboard;
pub mod emailpassword;
pub mod emailverification;
pub mod input;
pub mod multitenancy;
pub mod passwordless;
pub mod service;
pub mod session;
pub mod thirdparty;
pub mod totp;
pub mod unavailable;
pub mod user;
pub mod useridmapping;
pub mod usermetadata;
pub mod userroles;
pub mod version;

use crate::app::App;
use crate::command::scope::{Cause, Scope};
use crate::command::tenancy::{AppEntry, TenantEntry};
use crate::domain::ids::{PUBLIC, TenantId};
use crate::domain::tenancy::Recipe;
use crate::http::cdi::access::Credential;
use crate::http::cdi::version::{CdiVersion, Wire};
use crate::http::error::ApiError;
use crate::http::exchange::{Reply, Request};
use crate::http::route::{self, Duplicate, Mounted, Reach, Route, Table, Verb};
use crate::http::server::Dispatch;
use crate::metrics::RouteFigures;
use http::header::HOST;
use http::{HeaderName, StatusCode};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Every recipe's routes.
pub const RECIPES: &[&[Route]] = &[
    service::ROUTES,
    session::ROUTES,
    user::ROUTES,
    userroles::ROUTES,
    usermetadata::ROUTES,
    accountlinking::ROUTES,
    useridmapping::ROUTES,
    admin::ROUTES,
    audit::ROUTES,
    multitenancy::ROUTES,
    emailpassword::ROUTES,
    emailverification::ROUTES,
    thirdparty::ROUTES,
    passwordless::ROUTES,
    totp::ROUTES,
    bulk_import::ROUTES,
    dashboard::ROUTES,
    unavailable::ROUTES,
];

/// The version that the caller speaks.
static CDI_VERSION: HeaderName = HeaderName::from_static("cdi-version");
/// The recipe that the caller means, where several share a path.
static RID: HeaderName = HeaderName::from_static("rid");

/// The plane: routes over an [`App`].
pub struct Cdi {
    app: Arc<App>,
    table: Table,
    /// By a route's index, made when the route is first used; the last one is for requests without a route.
    figures: Vec<OnceLock<RouteFigures>>,
}

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
    pub route: &'static Route,
    /// What the caller proved to hold.
    pub credential: Credential,
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
            caller: Some(self.request.peer),
            client: access::client_address(&self.request, &self.app.config),
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
        unknown_tenant(&self.app.id.connection_uri_domain, &self.app.id.app_id, tenant.as_str())
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

/// 400 for a tenant that does not exist. An unknown app is reported as its missing public tenant.
#[must_use]
pub fn unknown_tenant(domain: &str, app: &str, tenant: &str) -> ApiError {
    ApiError::bad_request(format!(
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: ({domain}, {app}, {tenant})"
    ))
}

impl Dispatch for Cdi {
    async fn dispatch(&self, request: Request) -> Reply {
        self.answer_and_count(request).await
    }

    fn panicked(&self) {
        self.app.metrics.panics.inc();
    }
}

impl Cdi {
    /// Joins the recipes' routes.
    ///
    /// # Errors
    /// When two routes could serve one request.
    pub fn new(app: Arc<App>) -> Result<Self, Duplicate> {
        Self::with_recipes(app, RECIPES)
    }

    /// A plane with other routes, for tests of the plane itself.
    ///
    /// # Errors
    /// When two routes could serve one request.
    pub fn with_recipes(app: Arc<App>, recipes: &[&'static [Route]]) -> Result<Self, Duplicate> {
        let table = Table::new(app.directory.base().base_path.clone(), recipes)?;
        let figures = (0..=table.len()).map(|_| OnceLock::new()).collect();
        Ok(Self { app, table, figures })
    }

    /// The routes.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// The app behind the plane.
    #[must_use]
    pub const fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Answers one request; counts and logs it.
    async fn answer_and_count(&self, request: Request) -> Reply {
        let started = Instant::now();
        let log = tracing::enabled!(tracing::Level::DEBUG).then(|| (request.id.clone(), request.method.clone()));
        let mut taken = None;
        let reply = self.answer(request, &mut taken).await.unwrap_or_else(|error| error.reply());
        let took = started.elapsed();
        self.count(taken, reply.status, took);
        if let Some((id, method)) = log {
            let route = taken.map_or("-", |mounted| mounted.route.path);
            let status = reply.status.as_u16();
            let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            tracing::debug!(request = id, %method, route, status, us, "answered");
        }
        reply
    }

    fn count(&self, taken: Option<Mounted>, status: StatusCode, took: Duration) {
        let (index, label) = taken.map_or((self.table.len(), "other"), |taken| (taken.index, taken.route.label));
        if let Some(figures) = self.figures.get(index) {
            figures.get_or_init(|| self.app.metrics.route(label)).answered(status, took);
        }
    }

    /// The common checks in the protocol's order, then the handler. `taken` becomes the route, once there is one.
    async fn answer(&self, request: Request, taken: &mut Option<Mounted>) -> Result<Reply, ApiError> {
        access::one_host(&request)?;
        let path = self.table.normalise(&request.path).ok_or(ApiError::NotFound)?;
        let found = self.table.find(&path);
        let prefix = found.as_ref().map_or_else(|| route::prefix_of_unknown(&path), |found| found.prefix);
        let directory = &self.app.directory;
        let domain = self.connection_uri_domain(&request)?;
        let app_id = prefix.app.unwrap_or(PUBLIC);
        let app = directory.find(&domain, app_id);
        let tenant = prefix.tenant.map_or_else(TenantId::public, TenantId::new);
        access::check_peer(directory, app.as_deref(), &tenant, request.peer)?;

        let routes = found.as_ref().map_or(&[][..], |found| found.routes);
        let needs = routes.first().map(|mounted| mounted.route);
        let Some(app) = app else {
            let verb = Verb::of(&request.method);
            let without_app = routes
                .iter()
                .find_map(|mounted| mounted.route.without_app.filter(|_| Some(mounted.route.verb) == verb));
            return without_app.map(|reply| reply()).ok_or_else(|| unknown_tenant(&domain, app_id, PUBLIC));
        };
        app.traffic.count(self.app.now());
        let credential = access::credential(&request, &app, directory.base().saas_secret.as_ref());
        if credential == Credential::Refused && needs.is_some_and(|route| route.key) {
            return Err(ApiError::InvalidApiKey);
        }
        let sent = request.headers.get(&CDI_VERSION).map(|value| value.to_str().unwrap_or("?"));
        let (max, min) = (app.config.max_cdi_version.as_deref(), app.config.min_cdi_version.as_deref());
        let negotiated = version::negotiate(sent, max, min)?;
        let version = negotiated.version;
        if version < CdiVersion::V3_0 && !tenant.is_public() {
            return Err(ApiError::NotFound);
        }
        if !negotiated.listed && needs.is_some_and(|route| route.version) {
            return Err(version::not_supported(sent.unwrap_or_default()));
        }
        let mounted = route::choose(routes, &request.method, || request.header(&RID), version)?;
        *taken = Some(mounted);
        let wire = Wire::of(version);
        let call = Call { request, app, tenant, version, wire, route: mounted.route, credential };
        (mounted.route.handler)(&self.app, &call).await.inspect_err(|error| {
            if let ApiError::Internal(fault) = error {
                tracing::error!(request = call.request.id, route = call.route.label, "{}", fault.chain());
            }
        })
    }

    /// The connection URI domain that the request's host names; empty for the base one.
    fn connection_uri_domain(&self, request: &Request) -> Result<String, ApiError> {
        let host = request.header(&HOST).map_or("", access::without_port);
        if host.is_empty() {
            return Ok(String::new());
        }
        let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        };
        if !self.app.directory.has_connection_uri_domain(&host) {
            return Ok(String::new());
        }
        match &self.app.directory.base().saas_load_only_cud {
            Some(only) if *only != host => Err(ApiError::bad_request("Connection URI domain is disallowed")),
            _ => Ok(host.into_owned()),
        }
    }
}
