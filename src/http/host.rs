//! The host named by a request (RFC 9110, 7.2).

use crate::http::error::ApiError;
use crate::http::exchange::Request;
use http::header::HOST;
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A host without its port and without the trailing dot of a name, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host<'r>(Cow<'r, str>);

impl<'r> Host<'r> {
    /// The host of a request; `None` when there is none, as in HTTP/1.0.
    ///
    /// # Errors
    /// 400 for two `Host` headers, as a proxy in front and this server could choose different ones, and for a value
    /// that is not a host (RFC 9112, 3.2).
    pub fn of(request: &'r Request) -> Result<Option<Self>, ApiError> {
        let mut values = request.headers.get_all(HOST).iter();
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            return Err(ApiError::bad_request("A request must not have more than one Host header"));
        }
        let Some(value) = first else { return Ok(None) };
        let text = value.to_str().ok().map(str::trim);
        if text == Some("") {
            return Ok(None);
        }
        let host = text.and_then(Self::parse);
        host.map(Some).ok_or_else(|| ApiError::bad_request("The Host header is not a host with an optional port"))
    }

    /// Parses `host` or `host:port`.
    #[must_use]
    pub fn parse(authority: &'r str) -> Option<Self> {
        let end = match authority.find(']') {
            Some(bracket) => bracket + 1,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (host, port) = authority.split_at_checked(end)?;
        let port_is_fine = port.strip_prefix(':').unwrap_or(port).bytes().all(|byte| byte.is_ascii_digit());
        let host = host.strip_suffix('.').unwrap_or(host);
        if !port_is_fine || (!port.is_empty() && !port.starts_with(':')) || !is_host(host) {
            return None;
        }
        let upper = host.bytes().any(|byte| byte.is_ascii_uppercase());
        Some(Self(if upper { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) }))
    }

    /// The host's text; an IPv6 address includes its brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for an IP address, false for a name.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.0.starts_with('[') || self.0.parse::<Ipv4Addr>().is_ok()
    }
}

/// True for a registered name or an address in the syntax of RFC 3986 (3.2.2). Names may contain an underscore, as
/// those of containers do.
fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').unwrap_or_default();
        let (address, zone) = inner.split_once('%').unwrap_or((inner, ""));
        return address.parse::<Ipv6Addr>().is_ok() && zone.bytes().all(is_name_byte);
    }
    !text.is_empty() && text.bytes().all(is_name_byte)
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn a_host_is_read_without_port_and_final_dot_in_lower_case() {
        for (written, host) in [
            ("localhost", "localhost"),
            ("Localhost:3567", "localhost"),
            ("core.example.com.:80", "core.example.com"),
            ("my_core:", "my_core"),
            ("127.0.0.1:3567", "127.0.0.1"),
            ("[::1]:3567", "[::1]"),
            ("[FE80::1%25eth0]", "[fe80::1%25eth0]"),
        ] {
            assert_eq!(Host::parse(written).map(|host| host.as_str().to_owned()).as_deref(), Some(host), "{written}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for written in
            ["", ":80", ".", "a b", "a:b", "a:1:2", "user@a", "<b>", "a/b", "[::1", "[::1]x", "[a]", "::1", "a?b", "é"]
        {
            assert_eq!(Host::parse(written), None, "{written}");
        }
    }
}
