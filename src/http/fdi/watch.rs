//! What requests and replies of the front door say about the set-up around it; see [`Anomaly`].

use super::call::FrontCall;
use super::caller::Caller;
use super::tokens::REFRESH_PATH;
use crate::config::TrustedProxies;
use crate::config::front::{FrontConfig, SameSite, TokenTransfer, covers};
use crate::context::Context;
use crate::domain::anomaly::Anomaly;
use crate::domain::ids::{AppId, UserId};
use crate::domain::loopback;
use crate::domain::origin::Origin;
use crate::http::exchange::{Reply, Request, SEC_FETCH_SITE};
use crate::http::host::Host;
use crate::state::recent_sign_ins::{Browser, Keeper};
use crate::state::sightings::Sighting;
use http::header::{FORWARDED, ORIGIN, SET_COOKIE, USER_AGENT};
use http::{HeaderName, Method};
use std::net::IpAddr;

/// The scheme that a proxy was asked with.
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether a request of a third party may have cookies (Storage Access Headers): `active` if it may.
static STORAGE_ACCESS: HeaderName = HeaderName::from_static("sec-fetch-storage-access");

/// How paths end under which pages sign in.
const SIGN_IN_PATHS: [&str; 4] = ["/signin", "/signup", "/signinup", "/signinup/code"];

/// A cookie of this many bytes is close to what browsers keep at most (RFC 6265bis: 4,096).
const LARGE_COOKIE: usize = 3_800;

/// A request on its way in, before its route is known.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// What is needed to note anything.
    pub context: &'a Context,
    /// The app that it is for.
    pub app: &'a AppId,
    /// The request.
    pub request: &'a Request,
}

impl Arrival<'_> {
    fn note(self, anomaly: Anomaly, subject: &str) {
        let sighting = Sighting { app: self.app, request_id: &self.request.id, subject };
        self.context.sightings.note(anomaly, sighting, self.context.now());
    }

    /// A host that is not the front door's. Health checks have such hosts, too; browsers tell who they are.
    pub fn host_unknown(self) {
        let headers = &self.request.headers;
        if headers.contains_key(ORIGIN) || headers.contains_key(&SEC_FETCH_SITE) {
            let host = Host::of(self.request).ok().flatten();
            self.note(Anomaly::HostUnknown, host.as_ref().map_or("", Host::as_str));
        }
    }

    /// What a proxy in front says, and the scheme of the front door.
    pub fn proxy(self, proxies: &TrustedProxies, api: &Origin) {
        let headers = &self.request.headers;
        let peer = self.request.peer;
        let is_reported = headers.contains_key(&proxies.header) || headers.contains_key(FORWARDED);
        // Anybody can write the header; proxies of this installation are near.
        if is_reported && !proxies.contains(peer) && (proxies.is_empty() || is_near(peer)) {
            self.note(Anomaly::ProxyNotTrusted, &peer.to_string());
        }
        let is_forwarded_https =
            self.request.header(&FORWARDED_PROTO).is_some_and(|scheme| scheme.starts_with("https"));
        if !api.is_https && (is_forwarded_https || self.is_own_https(api) || self.is_trustworthy(api)) {
            self.note(Anomaly::HttpsUnknown, &api.to_string());
        }
    }

    /// True for requests of the front door's own https pages.
    fn is_own_https(self, api: &Origin) -> bool {
        let is_https = |text: &&str| !text.starts_with("http:");
        let origin = self.request.header(&ORIGIN).filter(is_https).and_then(Origin::parse);
        origin.is_some_and(|origin| origin.is_https && origin.host == api.host)
    }

    /// True if a browser has sent this by https: only requests to trustworthy addresses, which are those of https and of
    /// the browser's own machine, have fetch metadata (Fetch Metadata, 2).
    fn is_trustworthy(self, api: &Origin) -> bool {
        let host = Host::of(self.request).ok().flatten();
        let is_elsewhere = host.is_some_and(|host| !loopback::is_loopback(host.as_str())) && !api.is_loopback();
        is_elsewhere && self.request.headers.contains_key(&SEC_FETCH_SITE)
    }

    /// A request that no route serves, with the prefix of the front door's paths.
    pub fn no_route(self, caller: &Caller, prefix: &str) {
        let path = self.request.path.as_str();
        // Below the prefix, the recipe may be off; and strangers try such paths everywhere.
        let is_elsewhere = !path.starts_with(prefix) || prefix.is_empty();
        let is_of_page = matches!(caller, Caller::Website(_) | Caller::Own);
        let is_sign_in = is_elsewhere && is_of_page && SIGN_IN_PATHS.iter().any(|end| path.ends_with(end));
        if self.request.method == Method::POST && (is_sign_in || path.ends_with(REFRESH_PATH)) {
            self.note(Anomaly::PathUnknown, path);
        }
    }

    /// A path that names another tenant than the host's, or than that of the page's host.
    pub fn other_tenant(self, reached: &Origin) {
        self.note(Anomaly::TenantOfOtherHost, &reached.to_string());
    }

    /// A page that may not do what it asks for. Links from foreign pages have no origin, and are nobody's mistake.
    pub fn foreign_page(self, caller: &Caller) {
        if *caller != Caller::Foreign {
            return;
        }
        if let Some(origin) = self.request.header(&ORIGIN) {
            let known = Origin::parse(origin).map(|origin| origin.to_string());
            self.note(Anomaly::OriginNotAllowed, known.as_deref().unwrap_or("an origin of its own (null)"));
        }
    }
}

/// True for addresses of this machine and of private networks (RFC 1918, RFC 4193).
#[must_use]
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// True if a request for this app may have this host: it is the front door's, or a website's that leads
/// the front door's paths here, or there is no address.
/// Health checks and people on this machine use others, too; pages that are elsewhere do not, but for a proxy that puts
/// its own name for the front door in place of the browser's. `others` tells whether other apps have addresses.
pub fn is_expected(request: &Request, host: &Host<'_>, front: &FrontConfig, others: bool) -> bool {
    let is_own = |origin: &Origin| origin.host == host.as_str();
    let is_local = |host: &Host<'_>| host.is_address() || loopback::is_loopback(host.as_str());
    let is_of_website = front.websites.has_host(host.as_str()) || front.tenant_hosts.tenant_of(host.as_str()).is_some();
    if front.api.origin.as_ref().is_some_and(is_own) || is_of_website {
        return true;
    }
    if !is_local(host) {
        return front.api.origin.is_none();
    }
    let page = || request.header(&ORIGIN).and_then(Origin::parse);
    let is_near = || page().is_none_or(|page| Host::parse(&page.host).as_ref().is_none_or(is_local));
    front.api.origin.is_none() && !others || is_near()
}

/// Notes an anomaly of a call.
pub fn note(context: &Context, call: &FrontCall, anomaly: Anomaly, subject: &str) {
    Arrival { context, app: &call.app.id, request: &call.request }.note(anomaly, subject);
}

/// Looks at the cookies that a reply hands out; browsers drop some without a word.
pub fn cookies(context: &Context, call: &FrontCall) {
    let (rules, website) = (&call.rules, call.caller.website());
    if call.api.is_https && !rules.is_secure {
        note(context, call, Anomaly::CookieNotSecure, "");
    }
    if let Some(host) = foreign_host(call) {
        note(context, call, Anomaly::CookieDomainForeign, host.as_str());
    }
    if let Some(website) = website
        && is_too_strict(call)
    {
        note(context, call, Anomaly::SameSiteTooStrict, &website.to_string());
    }
}

/// The host of a call, if its cookies are for a domain that it does not belong to.
fn foreign_host(call: &FrontCall) -> Option<Host<'_>> {
    let (domain, host) = (call.rules.domain()?, Host::of(&call.request).ok().flatten()?);
    (!covers(domain, host.as_str())).then_some(host)
}

/// True if browsers do not send the cookies of this call with the next one of its page.
fn is_too_strict(call: &FrontCall) -> bool {
    call.is_cross_site && call.rules.same_site != SameSite::None
}

/// Notes that somebody has signed in.
pub fn signed_in(context: &Context, call: &FrontCall, user: &UserId, transfer: TokenTransfer) {
    let keeper = match transfer {
        TokenTransfer::Cookie => Keeper::Cookies,
        TokenTransfer::Header => Keeper::Page,
    };
    let is_again = context.sign_ins.note(browser(call), user, keeper, context.now());
    if is_again && keeper == Keeper::Page {
        note(context, call, Anomaly::SignInUnnoticed, "");
    }
}

/// Notes that a call came with a token.
pub fn has_token(context: &Context, call: &FrontCall) {
    context.sign_ins.settle(browser(call), context.now());
}

/// Notes that a page in header mode has refreshed.
pub fn refreshed_page(context: &Context, call: &FrontCall) {
    if context.sign_ins.renew(browser(call), context.now()) {
        note(context, call, Anomaly::RefreshTooEarly, "");
    }
}

/// Notes that a page asked for a refresh without any token.
pub fn has_no_token(context: &Context, call: &FrontCall) {
    let anomaly = match context.sign_ins.miss(browser(call), context.now()) {
        Some(Keeper::Page) => Anomaly::AuthorizationMissing,
        // Why browsers refused the cookies was noted when they were set.
        Some(Keeper::Cookies) if foreign_host(call).is_some() || is_too_strict(call) => return,
        Some(Keeper::Cookies) if is_third_party(call) => Anomaly::ThirdPartyCookiesBlocked,
        Some(Keeper::Cookies) => Anomaly::CookiesNotSent,
        None => return,
    };
    let website = call.caller.website().map(ToString::to_string);
    note(context, call, anomaly, website.as_deref().unwrap_or_default());
}

/// True if browsers take the front door for a third party: its page is on another site, or in a frame of one.
fn is_third_party(call: &FrontCall) -> bool {
    call.is_cross_site
        || call.request.header(&SEC_FETCH_SITE) == Some("cross-site")
        || call.request.header(&STORAGE_ACCESS).is_some_and(|access| access != "active")
}

fn browser(call: &FrontCall) -> Browser<'_> {
    let user_agent = call.request.headers.get(USER_AGENT).map_or(&[][..], |value| value.as_bytes());
    Browser { app: &call.app, address: call.client, user_agent }
}

/// Notes that a session was refused because browsers would not keep its cookie.
pub fn refused_cookie(context: &Context, call: &FrontCall) {
    note(context, call, Anomaly::CookieTooLarge, "");
}

/// Looks at the cookies of a finished reply.
pub fn reply(context: &Context, call: &FrontCall, reply: &Reply) {
    let mut cookies = reply.headers.iter().filter(|(name, _)| *name == SET_COOKIE);
    if cookies.any(|(_, cookie)| cookie.len() > LARGE_COOKIE) {
        note(context, call, Anomaly::CookieTooLarge, "");
    }
}
