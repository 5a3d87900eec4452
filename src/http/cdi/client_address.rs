//! [`ClientAddress`]: where a request comes from, as far as that can be believed (decision 65).

use crate::config::{AppConfig, TrustedProxies};
use crate::http::exchange::Request;
use http::HeaderValue;
use http::header::FORWARDED;
use std::net::{IpAddr, SocketAddr};

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    /// The machine that calls, as a rule the application's: the peer of the connection, or the one for which a trusted
    /// proxy says that it calls.
    pub caller: IpAddr,
    /// The person for whom the application acts, if it is trusted and says so.
    pub person: Option<IpAddr>,
}

impl ClientAddress {
    /// The addresses of a request; `config` is that of the app it is for.
    #[must_use]
    pub fn of(request: &Request, proxies: &TrustedProxies, config: Option<&AppConfig>) -> Self {
        if !proxies.contains(request.peer) {
            return Self { caller: request.peer, person: None };
        }
        let caller = far_end(request, proxies);
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
        // A proxy is nobody's device.
        Self { caller, person: person.filter(|address| !proxies.contains(*address)) }
    }
}

/// Goes back along the proxies that the header names, the last one first, up to the first address that is not trusted.
/// What stands before that one anybody may have written: nothing of it counts, not even its quotes. An entry that is no
/// address ends the way.
fn far_end(request: &Request, proxies: &TrustedProxies) -> IpAddr {
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

/// The `for` of an element of `Forwarded` (RFC 7239, 4). No address has a semicolon, quoted or not.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut nodes = element.split(';').filter_map(|pair| {
        let (name, node) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| node.trim().trim_matches('"'))
    });
    nodes.next()
}

/// An address with or without a port; one of IPv6 may have brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()))
}
