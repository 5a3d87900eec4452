//! Web origins and the sites they belong to: what browsers compare (RFC 6454; HTML, "same site").

use crate::domain::loopback;
use std::fmt;
use std::net::Ipv4Addr;

/// A web origin: scheme, host and port (RFC 6454), in the form in which browsers send it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// Whether the scheme is `https` rather than `http`.
    pub is_https: bool,
    /// The host in lower case; an IPv6 address has its brackets.
    pub host: String,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
}

impl Origin {
    /// Parses an origin as browsers send it; `None` for anything else, `null` included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_plain(text).or_else(|| Self::parse_any(text))
    }

    /// Parses what browsers usually send, a lower-case name and perhaps a port, without building a URI: this runs for
    /// every request of a page.
    fn parse_plain(text: &str) -> Option<Self> {
        let (is_https, authority) = match text.strip_prefix("https://") {
            Some(authority) => (true, authority),
            None => (false, text.strip_prefix("http://")?),
        };
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-';
        if host.is_empty() || !host.bytes().all(is_plain) {
            return None;
        }
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
            Some(_) => return None,
            None => None,
        };
        Some(Self::of(is_https, host.to_owned(), port))
    }

    fn of(is_https: bool, host: String, port: Option<u16>) -> Self {
        let own_port = if is_https { 443 } else { 80 };
        Self { is_https, host, port: port.filter(|port| *port != own_port) }
    }

    fn parse_any(text: &str) -> Option<Self> {
        let uri: http::Uri = text.parse().ok()?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let is_bare = uri.path_and_query().is_none_or(|path| path == "/") && !authority.as_str().contains('@');
        // A port may be empty in a URL, but not in an origin.
        if !is_bare || text.ends_with('/') || authority.as_str().ends_with(':') || authority.host().is_empty() {
            return None;
        }
        Some(Self::of(is_https, authority.host().to_ascii_lowercase(), authority.port_u16()))
    }

    /// Parses an origin as people write it: a slash at the end does not count, and without a scheme it is `https`, or
    /// `http` for this machine and for IPv4 addresses.
    #[must_use]
    pub fn parse_written(text: &str) -> Option<Self> {
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.contains("://") {
            return Self::parse(text);
        }
        let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
        let scheme = if loopback::is_loopback(host) || is_ipv4(host) { "http" } else { "https" };
        Self::parse(&format!("{scheme}://{text}"))
    }

    /// An origin on this machine, for development.
    #[must_use]
    pub fn of_loopback(port: u16) -> Self {
        Self { is_https: false, host: "localhost".to_owned(), port: Some(port).filter(|port| *port != 80) }
    }

    /// The origin as browsers send it. For replies, which are many: formatting takes longer.
    #[must_use]
    pub fn text(&self) -> String {
        let scheme = if self.is_https { "https://" } else { "http://" };
        let mut text = String::with_capacity(scheme.len() + self.host.len() + 6);
        text.push_str(scheme);
        text.push_str(&self.host);
        if let Some(port) = self.port {
            text.push(':');
            text.push_str(&port.to_string());
        }
        text
    }

    /// True if only this machine has the origin's host.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        loopback::is_loopback(&self.host)
    }

    /// The site it belongs to; `None` if the host is a public suffix, whose pages are of no site.
    #[must_use]
    pub fn site(&self) -> Option<&str> {
        site(&self.host)
    }

    /// True if browsers treat requests between the two as same-site: one site and one scheme.
    #[must_use]
    pub fn is_same_site(&self, other: &Self) -> bool {
        self.is_https == other.is_https && self.site().is_some() && self.site() == other.site()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The registrable domain of a host by the public suffix list, private suffixes included; `localhost` for this machine
/// and for addresses (protocol: 20, 3.1). Names ending in `.local` are sites of their own, and so are hosts of
/// `amazonaws.com` that are suffixes themselves.
fn site(host: &str) -> Option<&str> {
    if host.starts_with("localhost") || loopback::is_loopback(host) || is_ipv4(host) || host.starts_with('[') {
        return Some("localhost");
    }
    if let Some(domain) = psl::domain_str(host) {
        return Some(domain);
    }
    (host.ends_with(".amazonaws.com") || host.ends_with(".local")).then_some(host)
}

fn is_ipv4(host: &str) -> bool {
    host.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn origins_are_read_as_browsers_send_them() {
        for (text, shown) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://App.Example.COM", "https://app.example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(Origin::parse(text).map(|origin| origin.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in [
            "",
            "null",
            "example.com",
            "https://",
            "ftp://a.io",
            "https://a.io/",
            "https://a.io/b",
            "https://u@a.io",
            "https://a.io?x",
            "https://a.io:",
            "https://a b",
            "file://",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn plain_origins_are_read_as_any_others() {
        for host in
            ["localhost", "a.example.com", "xn--a-b.io", "127.0.0.1", "a..b", "-a", "a.", "A.io", "[::1]", "", "a_b"]
        {
            for port in ["", ":", ":80", ":443", ":080", ":3000", ":65535", ":65536", ":+1", ":x", ":1:2", "/", ":1/"] {
                for scheme in ["http", "https", "HTTP", "ftp"] {
                    let text = format!("{scheme}://{host}{port}");
                    let plain = Origin::parse_plain(&text);
                    assert!(plain.is_none() || plain == Origin::parse_any(&text), "{text}: {plain:?}");
                    assert_eq!(Origin::parse(&text), Origin::parse_any(&text), "{text}");
                }
            }
        }
        assert!(Origin::parse_plain("https://a.example:8443").is_some());
    }

    #[test]
    fn people_may_leave_out_the_scheme() {
        for (text, shown) in [
            ("example.com", "https://example.com"),
            ("example.com:8443/", "https://example.com:8443"),
            ("localhost:3000", "http://localhost:3000"),
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("10.0.0.1", "http://10.0.0.1"),
            ("http://example.com/", "http://example.com"),
        ] {
            assert_eq!(Origin::parse_written(text).map(|origin| origin.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in ["", "https://a.io/path", "a.io/path", "//a.io"] {
            assert_eq!(Origin::parse_written(text), None, "{text}");
        }
    }

    #[test]
    fn sites_are_those_of_browsers() {
        let is_same = |a: &str, b: &str| {
            let (a, b) = (Origin::parse(a).expect("an origin"), Origin::parse(b).expect("an origin"));
            a.is_same_site(&b)
        };
        for (a, b) in [
            ("https://api.example.com", "https://www.example.com"),
            ("https://api.example.co.uk", "https://example.co.uk"),
            ("http://localhost:3567", "http://localhost:3000"),
            ("http://localhost:3567", "http://127.0.0.1:3000"),
            ("https://me.github.io", "https://me.github.io"),
            ("http://box.local", "http://box.local"),
        ] {
            assert!(is_same(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("https://example.com", "https://example.org"),
            ("https://example.com", "http://example.com"),
            ("https://me.github.io", "https://you.github.io"),
            ("https://a.co.uk", "https://b.co.uk"),
            ("https://github.io", "https://github.io"),
            ("http://localhost", "http://example.com"),
        ] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }
}
