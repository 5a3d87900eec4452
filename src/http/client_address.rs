//! [`ClientAddress`]: where a request comes from, as far as that can be trusted (decision 65).

use crate::config::{AppConfig, TrustedProxies};
use crate::http::exchange::Request;
use crate::outbound::http::is_public;
use http::header::{FORWARDED, VIA};
use http::{HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};

static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The addresses a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    /// The calling machine, usually the application's: the peer of the connection, or the address that a trusted proxy
    /// reports for it.
    pub caller: IpAddr,
    /// The person for whom the application acts, if the application is trusted and reports the address.
    pub person: Option<IpAddr>,
}

impl ClientAddress {
    /// The addresses of a request; `config` is that of the app it was addressed to.
    #[must_use]
    pub fn of(request: &Request, proxies: &TrustedProxies, config: Option<&AppConfig>) -> Self {
        if !proxies.contains(request.peer) {
            return Self { caller: request.peer, person: None };
        }
        let caller = nearest_untrusted(request, proxies);
        let header = config.and_then(|config| config.brute_force_address_header.as_ref());
        let person = header.and_then(|header| {
            if *header == proxies.header {
                return Some(caller);
            }
            let mut values = request.headers.get_all(header).iter();
            match (values.next(), values.next()) {
                (Some(only), None) => only.to_str().ok()?.trim().parse().ok(),
                _ => None,
            }
        });
        // A proxy is not a person's device.
        Self { caller, person: person.filter(|address| !proxies.contains(*address)) }
    }
}

/// The address that a request comes from: the peer of the connection, or the one that trusted proxies report.
#[must_use]
pub fn far_end(request: &Request, proxies: &TrustedProxies) -> IpAddr {
    if proxies.contains(request.peer) { nearest_untrusted(request, proxies) } else { request.peer }
}

/// The address by which the requests of a person's device are counted. `None` if that is not known, because many people
/// may be behind it: this machine itself, a trusted proxy that reports nobody, or a near proxy that is not trusted.
#[must_use]
pub fn counted(request: &Request, proxies: &TrustedProxies) -> Option<IpAddr> {
    let end = far_end(request, proxies).to_canonical();
    let is_unnamed_proxy = || end == request.peer.to_canonical() && !is_public(end) && has_passed_proxy(request);
    (!end.is_loopback() && !proxies.contains(end) && !is_unnamed_proxy()).then_some(end)
}

/// Whether a request has a header that proxies add.
#[must_use]
pub fn has_passed_proxy(request: &Request) -> bool {
    let is_of_proxies = |name: &HeaderName| {
        *name == FORWARDED || *name == VIA || *name == X_REAL_IP || name.as_str().starts_with("x-forwarded-")
    };
    request.headers.keys().any(is_of_proxies)
}

/// Walks back along the proxies in the header, last one first, up to the first address that is not trusted. Anything
/// before that address could have been written by anyone and is ignored, quotes included. An entry that is not an
/// address ends the walk.
fn nearest_untrusted(request: &Request, proxies: &TrustedProxies) -> IpAddr {
    let is_forwarded = proxies.header == FORWARDED;
    let lines: Vec<&HeaderValue> = request.headers.get_all(&proxies.header).iter().collect();
    let mut end = request.peer;
    for line in lines.into_iter().rev() {
        let line = line.to_str().unwrap_or("?");
        let mut quoted = false;
        let entries = line.rsplit(|char| {
            quoted ^= is_forwarded && char == '"';
            char == ',' && !quoted
        });
        for entry in entries {
            let node = if is_forwarded { forwarded_for(entry) } else { Some(entry) };
            let Some(address) = node.and_then(address) else { return end };
            end = address;
            if !proxies.contains(end) {
                return end;
            }
        }
    }
    end
}

/// The `for` of an element of `Forwarded` (RFC 7239, 4). Addresses have no semicolons, quoted or not.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut nodes = element.split(';').filter_map(|pair| {
        let (name, node) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| node.trim().trim_matches('"'))
    });
    nodes.next()
}

/// Parses an address with or without a port; IPv6 may have brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()))
}
