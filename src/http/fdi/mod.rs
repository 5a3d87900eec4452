//! The Frontend Driver Interface: what browsers talk to (protocol: 20 to 22).
//!
//! App by host, tenant by path, then the page's origin, the route, the reply and its tokens, in this order. FDI versions
//! end here, as CDI versions end in `cdi`.

pub mod call;
pub mod caller;
pub mod cookie;
pub mod dev;
pub mod emailpassword;
pub mod emailverification;
pub mod error;
pub mod hooks;
pub mod input;
pub mod limits;
pub mod mail;
pub mod multifactorauth;
pub mod multitenancy;
pub mod openid;
pub mod passwordless;
pub mod reply;
pub mod route;
pub mod session;
pub mod sign_in;
pub mod tenant_host;
pub mod thirdparty;
pub mod tokens;
pub mod totp;
pub mod user;
pub mod validate;
pub mod version;
pub mod watch;

use crate::config::front::FrontConfig;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::loopback;
use crate::domain::origin::Origin;
use crate::http::client_address;
use crate::http::error::ApiError;
use crate::http::exchange::{Reply, Request};
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::caller::Caller;
use crate::http::fdi::error::{FrontError, not_found};
use crate::http::fdi::route::{FrontMounted, FrontRoute, FrontTable};
use crate::http::fdi::tenant_host::{Pages, TenantHost};
use crate::http::fdi::tokens::{CookieRules, OutgoingTokens};
use crate::http::fdi::watch::Arrival;
use crate::http::gate;
use crate::http::host::Host;
use crate::http::ip_rules;
use crate::http::server::Dispatch;
use crate::metrics::RouteFigures;
use crate::state::directory::AppEntry;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue, STRICT_TRANSPORT_SECURITY,
};
use http::{Method, StatusCode};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Every recipe's routes.
pub const RECIPES: &[&[FrontRoute]] = &[
    session::ROUTES,
    openid::ROUTES,
    multitenancy::ROUTES,
    emailpassword::ROUTES,
    passwordless::ROUTES,
    emailverification::ROUTES,
    thirdparty::ROUTES,
    multifactorauth::ROUTES,
    totp::ROUTES,
    gate::ROUTES,
    dev::ROUTES,
];

const FOREIGN_HOST: &str =
    "Without api_domain, the front door serves this machine only: use localhost or set api_domain";

/// How long browsers keep to https (RFC 6797). Sub-domains may be others'.
const ONE_YEAR: &str = "max-age=31536000";
const DENIED: &str = "Requests from this address are refused";

/// The FDI service: routes over a [`Context`].
pub struct Fdi {
    context: Arc<Context>,
    table: FrontTable,
    /// The origin of the front door where none is configured.
    local: Origin,
    /// Whether its connections are encrypted here, and not by a proxy.
    has_tls: bool,
    /// Figures by route index, created when the route is first used; the last one is for requests without a route.
    figures: Vec<OnceLock<RouteFigures>>,
}

impl Dispatch for Fdi {
    async fn dispatch(&self, request: Request) -> Reply {
        let started = Instant::now();
        let mut taken = None;
        let reply = self.answer(request, &mut taken).await;
        let (index, label) = taken.map_or((self.table.len(), "front other"), |taken| (taken.index, taken.route.label));
        if let Some(figures) = self.figures.get(index) {
            figures.get_or_init(|| self.context.metrics.route(label)).record(reply.status, started.elapsed());
        }
        tracing::debug!(route = label, status = reply.status.as_u16(), "answered");
        reply
    }

    fn record_panic(&self) {
        self.context.metrics.panics.inc();
    }
}

impl Fdi {
    /// Joins the recipes' routes, for a listener on this port.
    #[must_use]
    pub fn new(context: Arc<Context>, port: u16) -> Self {
        let table = FrontTable::new(RECIPES);
        let figures = (0..=table.len()).map(|_| OnceLock::new()).collect();
        let has_tls = context.directory.base().front.tls.is_some();
        Self { context, table, local: Origin::of_loopback(port), has_tls, figures }
    }

    /// Answers one request. Sets `taken` to the route once it is known.
    async fn answer(&self, request: Request, taken: &mut Option<FrontMounted>) -> Reply {
        let (app, front) = match self.app(&request) {
            Ok(found) => found,
            Err(error) => return reply::message(error.reply().status, &error.to_string()),
        };
        let is_https_only = self.has_tls && front.api.owns_its_host();
        let mut reply = self.answer_as(app, front, request, taken).await;
        if is_https_only {
            reply.headers.push((STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONE_YEAR)));
        }
        reply
    }

    /// Answers one request with the front door of this app.
    async fn answer_as(
        &self,
        app: Arc<AppEntry>,
        front: Arc<FrontConfig>,
        request: Request,
        taken: &mut Option<FrontMounted>,
    ) -> Reply {
        let api = front.api.origin.clone().unwrap_or_else(|| self.local.clone());
        let host = Host::of(&request).ok().flatten();
        let tenant_host = match TenantHost::of(host.as_ref(), &app, &front, &api) {
            Ok(found) => found,
            Err(error) => return reply::message(error.reply().status, &error.to_string()),
        };
        let pages = Pages { app: &app, front: &front, api: &api, host: tenant_host.as_ref() };
        let caller = Caller::of(&request, pages);
        let arrival = Arrival { context: &self.context, app: &app.id, request: &request };
        arrival.proxy(&self.context.directory.base().trusted_proxies, pages.reached());
        if request.method == Method::OPTIONS {
            if caller == Caller::Foreign && !self.table.is_public(&request, &front) {
                arrival.foreign_page(&caller);
            }
            return caller.preflight();
        }
        let Some((mounted, named)) = self.table.find(&request, &front) else {
            arrival.no_route(&caller, &front.api.prefix());
            let mut reply = not_found();
            caller.allow(&mut reply);
            return reply;
        };
        *taken = Some(mounted);
        let tenant = match pages.tenant(caller.website(), named) {
            Ok(tenant) => tenant,
            Err(error) => {
                arrival.other_tenant(pages.reached());
                let mut reply = error.reply(&front.session);
                caller.allow(&mut reply);
                return reply;
            }
        };
        let proxies = &self.context.directory.base().trusted_proxies;
        let client = client_address::far_end(&request, proxies);
        if is_denied(&app, &tenant, client) {
            let mut reply = reply::message(StatusCode::FORBIDDEN, DENIED);
            caller.allow(&mut reply);
            return reply;
        }
        // Providers send people back with POST, to routes that write nothing.
        let is_watched = !mounted.route.public && !mounted.route.is_about_another;
        if mounted.route.writes || request.method == Method::GET && is_watched {
            arrival.foreign_page(&caller);
        }
        let is_cross_site = pages.is_cross_site(caller.website());
        let mut call = FrontCall {
            rules: CookieRules::of(&front, pages, is_cross_site),
            label: mounted.route.label,
            client,
            counted_address: client_address::counted(&request, proxies),
            tokens: OutgoingTokens::default(),
            request,
            app,
            front,
            api,
            tenant,
            tenant_host,
            caller,
            is_cross_site,
        };
        self.run(mounted.route, &mut call).await
    }

    /// Runs the handler; its reply gets the tokens and what pages may read.
    async fn run(&self, route: FrontRoute, call: &mut FrontCall) -> Reply {
        let checked = if route.writes { call.caller.check() } else { Ok(()) };
        let handled = match checked {
            Ok(()) => (route.handler)(&self.context, call).await,
            Err(refusal) => Err(refusal.into()),
        };
        let mut reply = handled.unwrap_or_else(|error| {
            match &error {
                FrontError::Api(ApiError::Internal(fault)) => {
                    tracing::error!(request = call.request.id, route = call.label, "{}", fault.chain());
                }
                FrontError::TokenTooLarge(flaw) => {
                    tracing::error!(request = call.request.id, route = call.label, "{flaw}");
                    watch::refused_cookie(&self.context, call);
                }
                _ => {}
            }
            if error.clears_tokens() {
                call.tokens.clear_all(&call.rules);
            }
            error.reply(&call.front.session)
        });
        if call.tokens.hands_out_cookies() {
            watch::cookies(&self.context, call);
        }
        std::mem::take(&mut call.tokens).write_to(&mut reply);
        watch::reply(&self.context, call, &reply);
        if reply.retry_after_s.is_some() {
            reply.headers.push((ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after")));
        }
        if route.public {
            reply.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")));
        } else {
            call.caller.allow(&mut reply);
        }
        reply
    }

    /// The app that a request is for: the one whose front door has this host, or else the base app.
    fn app(&self, request: &Request) -> Result<(Arc<AppEntry>, Arc<FrontConfig>), ApiError> {
        let directory = &self.context.directory;
        let host = Host::of(request)?;
        let named = host.as_ref().and_then(|host| directory.find_by_front_host(host.as_str()));
        let app = named.or_else(|| directory.find("", crate::domain::ids::PUBLIC)).ok_or(ApiError::NotFound)?;
        let front = app.config.front.clone().ok_or(ApiError::NotFound)?;
        let is_about_another = request.path.ends_with(gate::PATH);
        let has_others = directory.has_front_addresses();
        let is_unexpected = |host| !is_about_another && !watch::is_expected(request, host, &front, has_others);
        if host.as_ref().is_some_and(is_unexpected) {
            Arrival { context: &self.context, app: &app.id, request }.host_unknown();
        }
        // A name that an outsider owns can be pointed at this machine: its pages would count as the front door's own.
        let is_own = |host: &Host<'_>| front.api.origin.is_some() || loopback::is_loopback(host.as_str());
        match host.as_ref().is_none_or(is_own) {
            true => Ok((app, front)),
            false => {
                Arrival { context: &self.context, app: &app.id, request }.host_unknown();
                Err(ApiError::forbidden(FOREIGN_HOST))
            }
        }
    }
}

/// Whether the rules of the tenant deny an address; those of the app if there is no such tenant.
fn is_denied(app: &AppEntry, tenant: &TenantId, client: IpAddr) -> bool {
    // The settings of an app are those of its public tenant.
    let other = if tenant.is_public() { None } else { app.tenant(tenant) };
    ip_rules::is_denied(other.as_ref().map_or(&app.config, |tenant| &tenant.config), client)
}
