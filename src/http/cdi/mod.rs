//! The Core Driver Interface: app and tenant, IP rules, API key, version, route and reply, in this order.

pub mod access;
pub mod accountlinking;
pub mod admin;
pub mod audit;
pub mod bulk_import;
pub mod call;
pub mod dashboard;
pub mod emailpassword;
pub mod emailverification;
pub mod input;
pub mod multitenancy;
pub mod pages;
pub mod passwordless;
pub mod route;
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

use crate::config::HostPattern;
use crate::context::Context;
use crate::domain::ids::{PUBLIC, TenantId};
use crate::http::cdi::access::Credential;
use crate::http::cdi::call::Call;
use crate::http::cdi::pages::PageGuard;
use crate::http::cdi::route::{Duplicate, Mounted, Route, Table};
use crate::http::cdi::version::{CdiVersion, Wire};
use crate::http::client_address::ClientAddress;
use crate::http::error::ApiError;
use crate::http::exchange::{Reply, Request, Verb};
use crate::http::host::Host;
use crate::http::server::Dispatch;
use crate::metrics::RouteFigures;
use crate::state::directory::AppEntry;
use http::{HeaderName, StatusCode};
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

/// The version used by the caller.
static CDI_VERSION: HeaderName = HeaderName::from_static("cdi-version");
/// The recipe meant by the caller, where several share a path.
static RID: HeaderName = HeaderName::from_static("rid");

/// The CDI service: routes over a [`Context`].
pub struct Cdi {
    context: Arc<Context>,
    table: Table,
    pages: PageGuard,
    /// Figures by route index, created when the route is first used; the last one is for requests without a route.
    figures: Vec<OnceLock<RouteFigures>>,
}

/// The target of a request.
struct Target<'t> {
    /// The app, or the refusal of a request for one that does not exist.
    app: Result<Arc<AppEntry>, ApiError>,
    /// The tenant named in the path; it may not exist.
    tenant: TenantId,
    /// The routes with this path.
    routes: &'t [Mounted],
}

impl Dispatch for Cdi {
    async fn dispatch(&self, request: Request) -> Reply {
        self.answer_and_count(request).await
    }

    fn body_limit(&self, request: &Request) -> Option<usize> {
        let host = Host::of(request).ok()?;
        let target = self.target(request, host.as_ref()).ok()?;
        let verb = Verb::of(&request.method)?;
        let routes = target.routes.iter().filter(|mounted| mounted.route.verb == verb);
        let limit = routes.filter_map(|mounted| mounted.route.body_limit).max()?;
        // Do not spend memory on the body of an unauthorised caller.
        self.check_address(request, &target).and_then(|_| self.authorise(request, host.as_ref(), &target)).ok()?;
        Some(limit)
    }

    fn record_panic(&self) {
        self.context.metrics.panics.inc();
    }
}

impl Cdi {
    /// Joins the recipes' routes. `own_hosts` are names of this machine that no outsider can own.
    ///
    /// # Errors
    /// When two routes could serve the same request.
    pub fn new(context: Arc<Context>, own_hosts: Vec<HostPattern>) -> Result<Self, Duplicate> {
        let pages = PageGuard::new(context.directory.base(), own_hosts);
        Ok(Self { pages, ..Self::with_recipes(context, RECIPES)? })
    }

    /// A service with other routes, for tests of the service itself.
    ///
    /// # Errors
    /// When two routes could serve the same request.
    pub fn with_recipes(context: Arc<Context>, recipes: &[&'static [Route]]) -> Result<Self, Duplicate> {
        let base = context.directory.base();
        let table = Table::new(base.base_path.clone(), recipes)?;
        let pages = PageGuard::new(base, Vec::new());
        let figures = (0..=table.len()).map(|_| OnceLock::new()).collect();
        Ok(Self { context, table, pages, figures })
    }

    /// The routes.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// The context behind the routes.
    #[must_use]
    pub const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Answers one request, counts it and logs it.
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
            figures.get_or_init(|| self.context.metrics.route(label)).record(status, took);
        }
    }

    /// The common checks in the protocol's order, then the handler. Sets `taken` to the route once it is known.
    async fn answer(&self, request: Request, taken: &mut Option<Mounted>) -> Result<Reply, ApiError> {
        let host = Host::of(&request)?;
        let target = self.target(&request, host.as_ref())?;
        let address = self.check_address(&request, &target)?;
        if let Ok(app) = &target.app {
            app.traffic.count(self.context.now());
        }
        let credential = self.authorise(&request, host.as_ref(), &target)?;
        let Target { routes, app, tenant } = target;
        let app = match app {
            Ok(app) => app,
            Err(unknown) => {
                let verb = Verb::of(&request.method);
                let mut same_verb = routes.iter().filter(|mounted| Some(mounted.route.verb) == verb);
                let reply = same_verb.find_map(|mounted| mounted.route.without_app);
                return reply.map(|reply| reply()).ok_or(unknown);
            }
        };
        let needs = routes.first().map(|mounted| mounted.route);
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
        input::Query::check(&request)?;
        let wire = Wire::of(version);
        let call = Call { request, app, tenant, version, wire, route: mounted.route.into(), address, credential };
        (mounted.route.handler)(&self.context, &call).await.inspect_err(|error| {
            if let ApiError::Internal(fault) = error {
                tracing::error!(request = call.request.id, route = call.route.label, "{}", fault.chain());
            }
        })
    }

    /// The target of a request: routes, app and tenant.
    fn target(&self, request: &Request, host: Option<&Host<'_>>) -> Result<Target<'_>, ApiError> {
        let path = self.table.normalise(&request.path).ok_or(ApiError::NotFound)?;
        let found = self.table.find(&path);
        let prefix = found.as_ref().map_or_else(|| route::prefix_of_unknown(&path), |found| found.prefix);
        let domain = self.connection_uri_domain(host)?;
        let app_id = prefix.app.unwrap_or(PUBLIC);
        let app = self.context.directory.find(&domain, app_id);
        Ok(Target {
            app: app.ok_or_else(|| ApiError::unknown_tenant(&domain, app_id, PUBLIC)),
            tenant: prefix.tenant.map_or_else(TenantId::public, TenantId::new),
            routes: found.map_or(&[], |found| found.routes),
        })
    }

    /// The addresses a request comes from, if the IP rules admit it.
    fn check_address(&self, request: &Request, target: &Target<'_>) -> Result<ClientAddress, ApiError> {
        let directory = &self.context.directory;
        let app = target.app.as_deref().ok();
        let address = ClientAddress::of(request, &directory.base().trusted_proxies, app.map(|app| &*app.config));
        access::check_caller(directory, app, &target.tenant, address.caller)?;
        Ok(address)
    }

    /// The credential of the caller, if it suffices. The reply that an app does not exist needs no key, but web pages
    /// get it only where the base app is open to them.
    fn authorise(
        &self,
        request: &Request,
        host: Option<&Host<'_>>,
        target: &Target<'_>,
    ) -> Result<Credential, ApiError> {
        let directory = &self.context.directory;
        let needs = target.routes.first().map(|mounted| mounted.route);
        let app = target.app.as_ref().ok().cloned().or_else(|| directory.find("", PUBLIC));
        let saas_secret = directory.base().saas_secret.as_ref();
        let credential = app.map_or(Credential::NotNeeded, |app| access::credential(request, &app, saas_secret));
        match credential {
            Credential::Refused if target.app.is_ok() && needs.is_some_and(|route| route.key) => {
                return Err(ApiError::InvalidApiKey);
            }
            Credential::NotNeeded if !needs.is_some_and(|route| route.public) => {
                self.pages.check(request, host, |name| directory.has_connection_uri_domain(name))?;
            }
            _ => {}
        }
        Ok(credential)
    }

    /// The connection URI domain that the request's host names; empty for the base one.
    fn connection_uri_domain(&self, host: Option<&Host<'_>>) -> Result<String, ApiError> {
        let Some(host) = host.map(Host::as_str) else { return Ok(String::new()) };
        if !self.context.directory.has_connection_uri_domain(host) {
            return Ok(String::new());
        }
        match &self.context.directory.base().saas_load_only_cud {
            Some(only) if only != host => Err(ApiError::bad_request("Connection URI domain is disallowed")),
            _ => Ok(host.to_owned()),
        }
    }
}
