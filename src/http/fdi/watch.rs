//! What requests and replies of the front door say about the set-up around it; see [`Anomaly`].

use super::call::FrontCall;
use super::caller::Caller;
use super::tokens::REFRESH_PATH;
use crate::config::TrustedProxies;
use crate::config::front::{FrontConfig, SameSite, covers};
use crate::context::Context;
use crate::domain::anomaly::Anomaly;
use crate::domain::ids::AppId;
use crate::domain::loopback;
use crate::domain::origin::Origin;
use crate::http::exchange::{Reply, Request, SEC_FETCH_SITE};
use crate::http::host::Host;
use crate::state::sightings::Sighting;
use http::header::{FORWARDED, ORIGIN, SET_COOKIE};
use http::{HeaderName, Method};
use std::net::IpAddr;

/// The scheme that a proxy was asked with.
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

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
        let origin = self.request.header(&ORIGIN).and_then(Origin::parse);
        let is_own_https = origin.is_some_and(|origin| origin.is_https && origin.host == api.host);
        if !api.is_https && (is_forwarded_https || is_own_https) {
            self.note(Anomaly::HttpsUnknown, &api.to_string());
        }
    }

    /// A request that no route serves.
    pub fn no_route(self) {
        let path = self.request.path.as_str();
        if self.request.method == Method::POST && path.ends_with(REFRESH_PATH) {
            self.note(Anomaly::RefreshElsewhere, path);
        }
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
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// True if browsers may reach a front door under this host: it has it, or no address of its own.
pub fn is_expected(host: &Host<'_>, front: &FrontConfig) -> bool {
    let is_own = |origin: &Origin| origin.host == host.as_str();
    host.is_address() || loopback::is_loopback(host.as_str()) || front.api.origin.as_ref().is_none_or(is_own)
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
    let host = Host::of(&call.request).ok().flatten();
    if let (Some(domain), Some(host)) = (&rules.domain, &host)
        && !covers(domain, host.as_str())
    {
        note(context, call, Anomaly::CookieDomainForeign, host.as_str());
    }
    let Some(website) = website else { return };
    if call.is_cross_site() && rules.same_site != SameSite::None {
        note(context, call, Anomaly::SameSiteTooStrict, &website.to_string());
    }
    if website.is_https && !call.api.is_https && !call.api.is_loopback() {
        note(context, call, Anomaly::HttpApiOfHttpsPage, &website.to_string());
    }
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
