//! Settings of trust: networks of proxies, and the hosts and pages that are served without an API key.

use crate::config::flaws::Flaws;
use crate::config::values::Values;
use crate::domain::text;
use http::HeaderName;
use ipnet::IpNet;
use std::net::IpAddr;

/// The proxies that are trusted to report the address for which they call.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    /// The header in which they report it.
    pub header: HeaderName,
}

impl TrustedProxies {
    /// Parses `trusted_proxies` and `trusted_proxy_header`; `None` if one of them breaks a rule.
    pub(super) fn read(values: &Values, flaws: &mut Flaws) -> Option<Self> {
        let header = HeaderName::try_from(values.text("trusted_proxy_header").unwrap_or_default().trim());
        let header = header.map_err(|_| "'trusted_proxy_header' must be the name of a header".to_owned());
        let header = flaws.keep(["trusted_proxy_header"], header);
        let networks = flaws.keep(["trusted_proxies"], networks(values, "trusted_proxies"));
        Some(Self { networks: networks?, header: header? })
    }

    /// True if no proxy is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// True if this is the address of a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// A host name, or a pattern for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`: every name.
    Any,
    /// `*.example.com`: every name below this one.
    Below(String),
    /// This name or address.
    Exactly(String),
}

impl HostPattern {
    /// Parses a name, `*.<name>` or `*`.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let text = written.strip_suffix('.').unwrap_or(written).to_ascii_lowercase();
        let is_name = |name: &str| {
            !name.is_empty() && name.split('.').all(|label| !label.is_empty() && label.bytes().all(is_label_byte))
        };
        match text.strip_prefix('*') {
            Some("") => Some(Self::Any),
            Some(below) => {
                below.strip_prefix('.').filter(|name| is_name(name)).map(|name| Self::Below(name.to_owned()))
            }
            None => is_name(&text).then_some(Self::Exactly(text)),
        }
    }

    /// True if the pattern matches a host, given in lower case and without a trailing dot.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Below(name) => host
                .strip_suffix(name.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
            Self::Exactly(name) => name == host,
        }
    }
}

const fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Parses `allowed_hosts`.
///
/// # Errors
/// A sentence that names the first item that is not a host name.
pub(super) fn allowed_hosts(values: &Values) -> Result<Vec<HostPattern>, String> {
    let read = |item: &str| {
        HostPattern::parse(item).ok_or_else(|| {
            format!(
                "'allowed_hosts' must be a comma-separated list of host names without ports, such as \
                 core.example.com,*.example.net: '{item}' is none"
            )
        })
    };
    values.list("allowed_hosts").map(read).collect()
}

/// The allowed origins of web pages (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// `*`: every page may call.
    Any,
    /// Only pages of these origins may call.
    These(Vec<String>),
}

impl AllowedOrigins {
    /// Parses `allowed_origins`.
    ///
    /// # Errors
    /// A sentence that names the first item that is not an origin.
    pub(super) fn read(values: &Values) -> Result<Self, String> {
        let mut origins = Vec::new();
        for item in values.list("allowed_origins") {
            if item == "*" {
                return Ok(Self::Any);
            }
            let uri: Option<http::Uri> = item.parse().ok();
            let is_origin = uri.is_some_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                    && uri.path_and_query().is_none_or(|path| path == "/")
                    && !item.ends_with('/')
            });
            if !is_origin {
                return Err(format!(
                    "'allowed_origins' must be a comma-separated list of origins, such as http://localhost:3000: \
                     '{item}' is none"
                ));
            }
            origins.push(item.to_ascii_lowercase());
        }
        Ok(Self::These(origins))
    }

    /// True if pages of this origin may call.
    #[must_use]
    pub fn contains(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(origins) => origins.iter().any(|known| known.eq_ignore_ascii_case(origin)),
        }
    }
}

/// The header in which the application passes the address of the person for whom it acts, if
/// `brute_force_address_header` names one.
///
/// # Errors
/// When that is not a valid header name.
pub(super) fn person_header(values: &Values) -> Result<Option<HeaderName>, String> {
    let name = values.text("brute_force_address_header").map(str::trim).filter(|name| !name.is_empty());
    let read = |name: &str| {
        HeaderName::try_from(name).map_err(|_| {
            format!("'brute_force_address_header' must be the name of a header, not {}", text::quote(name))
        })
    };
    name.map(read).transpose()
}

/// The networks of a comma-separated list; an address is a network of its own.
///
/// # Errors
/// A sentence that names the first item that is none.
pub(super) fn networks(values: &Values, key: &str) -> Result<Vec<IpNet>, String> {
    let network = |item: &str| {
        let network = item.parse().ok().or_else(|| item.parse::<IpAddr>().ok().map(IpNet::from));
        network.ok_or_else(|| {
            format!(
                "'{key}' must be a comma-separated list of addresses and networks, such as 10.0.0.0/8,::1: '{item}' is \
                 none"
            )
        })
    };
    values.list(key).map(network).collect()
}
