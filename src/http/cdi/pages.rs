//! Refuses requests that a web page can make a browser send. They are refused while no API key applies: anyone who
//! opens a page lends it the browser's place in the network, and nothing else distinguishes its requests from the
//! application's (decision 64).

use crate::config::{AllowedOrigins, BaseConfig, HostPattern};
use crate::domain::loopback;
use crate::http::error::ApiError;
use crate::http::exchange::{Request, SEC_FETCH_SITE};
use crate::http::host::Host;
use http::header::{CONTENT_TYPE, HOST, ORIGIN, REFERER, USER_AGENT};
use http::{HeaderName, HeaderValue, Method};

const FOREIGN_HOST: &str = "No API key protects this app, so it is only served under host names that no outsider can \
                            own: any other name could lead a web page here. Set api_keys, or name the host in \
                            allowed_hosts";
const FOREIGN_PAGE: &str = "No API key protects this app, so requests from web pages are refused. Set api_keys, or \
                            name the page's origin in allowed_origins";

/// Name suffixes that are not for sale: RFC 6761, RFC 6762 (appendix G), RFC 8375, ICANN's `internal`, and those used
/// by Kubernetes and hosts files.
const PRIVATE_ENDS: [&str; 10] =
    ["corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "private", "svc"];

/// Distinguishes requests of web pages from all others.
pub struct PageGuard {
    hosts: Vec<HostPattern>,
    origins: AllowedOrigins,
}

impl PageGuard {
    /// A guard with the server's settings and the machine's own names.
    #[must_use]
    pub fn new(base: &BaseConfig, own_hosts: Vec<HostPattern>) -> Self {
        let configured = HostPattern::parse(&base.host).filter(|host| matches!(host, HostPattern::Exactly(_)));
        let hosts = base.allowed_hosts.iter().cloned().chain(own_hosts).chain(configured).collect();
        Self { hosts, origins: base.allowed_origins.clone() }
    }

    /// Refuses requests that a page can send. `is_domain` returns whether a host is a connection URI domain.
    ///
    /// # Errors
    /// 403 with a sentence that names the setting to change.
    pub fn check(
        &self,
        request: &Request,
        host: Option<&Host<'_>>,
        is_domain: impl FnOnce(&str) -> bool,
    ) -> Result<(), ApiError> {
        if host.is_some_and(|host| !self.is_own(host) && !is_domain(host.as_str())) {
            return Err(ApiError::forbidden(FOREIGN_HOST));
        }
        if self.is_of_foreign_page(request) {
            return Err(ApiError::forbidden(FOREIGN_PAGE));
        }
        Ok(())
    }

    /// True if no outsider can make this host name resolve to this machine. One who can serves a page under that name,
    /// and then points the name at this machine: the browser takes both for one origin and lets the page read every
    /// reply (DNS rebinding).
    fn is_own(&self, host: &Host<'_>) -> bool {
        let name = host.as_str();
        host.is_address()
            || !loopback::addresses(name).is_empty()
            || is_private(name)
            || self.hosts.iter().any(|pattern| pattern.matches(name))
    }

    /// True if a page of another origin caused the request. Browsers indicate that in one of several ways.
    fn is_of_foreign_page(&self, request: &Request) -> bool {
        if self.origins == AllowedOrigins::Any
            || !request.headers.iter().any(|(name, value)| is_of_browser(name, value))
        {
            return false;
        }
        let host = request.header(&HOST).unwrap_or_default();
        let is_foreign = |origin: &str| !self.origins.contains(origin) && !is_same_origin(origin, host);
        let mut origins = request.headers.get_all(ORIGIN).iter().peekable();
        if origins.peek().is_some() {
            let mut allowed = false;
            for origin in origins {
                let origin = origin.to_str().unwrap_or("?");
                if is_foreign(origin) {
                    return true;
                }
                allowed |= self.origins.contains(origin);
            }
            if allowed {
                return false;
            }
        }
        let site = request.headers.get(&SEC_FETCH_SITE).map(|site| site.to_str().unwrap_or("?"));
        if site.is_some_and(|site| site != "none" && site != "same-origin") {
            return true;
        }
        let has_origin = request.headers.contains_key(ORIGIN);
        let referer = request.headers.get(REFERER).map(|referer| referer.to_str().unwrap_or("?"));
        !has_origin
            && (referer.is_some_and(|referer| is_foreign(origin_of(referer))) || is_form_of_old_browser(request))
    }
}

/// True for a header by which browsers identify themselves or their page. Applications' requests have none of them, and
/// one pass over the headers costs less than a look-up of each.
fn is_of_browser(name: &HeaderName, value: &HeaderValue) -> bool {
    *name == ORIGIN
        || *name == REFERER
        || *name == SEC_FETCH_SITE
        || (*name == USER_AGENT && value.as_bytes().starts_with(b"Mozilla/"))
}

/// True for a name of one label, or with a suffix that cannot be registered.
fn is_private(name: &str) -> bool {
    let Some((_, end)) = name.rsplit_once('.') else { return true };
    // Top-level domains have letters only, except for those in other scripts.
    let may_be_public = end.bytes().all(|byte| byte.is_ascii_alphabetic()) || end.starts_with("xn--");
    !may_be_public || PRIVATE_ENDS.contains(&end) || name.ends_with(".home.arpa")
}

/// True for a POST that a form could send, from a browser that does not identify its page. Pages cannot set the
/// browser's name in such requests.
fn is_form_of_old_browser(request: &Request) -> bool {
    let is_browser = request.header(&USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"));
    request.method == Method::POST && is_browser && is_simple(request.header(&CONTENT_TYPE).unwrap_or_default())
}

/// True for a content type that pages may send anywhere without a preflight (Fetch: CORS-safelisted request headers).
fn is_simple(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
        .iter()
        .any(|simple| simple.eq_ignore_ascii_case(essence))
}

/// Scheme and authority of a URL.
fn origin_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |scheme| scheme + 3);
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |end| start + end);
    url.get(..end).unwrap_or(url)
}

/// True if a page of this origin was served under the request's `Host`. Behind a proxy that terminates TLS, the scheme
/// differs.
fn is_same_origin(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let default_port = if origin.starts_with("https:") { ":443" } else { ":80" };
    let bare = |authority: &str| authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase();
    authority.is_some_and(|authority| !authority.is_empty() && bare(authority) == bare(host))
}

#[cfg(test)]
mod tests {
    use super::{is_private, is_same_origin, is_simple, origin_of};

    #[test]
    fn names_that_strangers_can_own_are_not_private() {
        for name in
            ["sessiond", "my_core", "core.internal", "core.auth.svc.cluster.local", "core.auth.svc", "a.home.arpa"]
        {
            assert!(is_private(name), "{name}");
        }
        for name in ["core.app_default", "core.zone1", "db.127"] {
            assert!(is_private(name), "{name}");
        }
        for name in ["evil.example", "evil.test", "a.b.com", "internal.com", "local.dev", "home.arpa", "a.xn--p1ai"] {
            assert!(!is_private(name), "{name}");
        }
    }

    #[test]
    fn origins_are_compared_with_hosts() {
        for (origin, host) in [
            ("http://localhost:3567", "localhost:3567"),
            ("http://LOCALHOST", "localhost:80"),
            ("https://core.example.com", "core.example.com"),
            ("http://[::1]:3567", "[::1]:3567"),
        ] {
            assert!(is_same_origin(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://localhost", "localhost:3567"),
            ("http://localhost:3000", "localhost:3567"),
            ("null", "null"),
            ("", ""),
            ("http://", ""),
            ("file://", ""),
            ("http://127.0.0.1:3567", "localhost:3567"),
        ] {
            assert!(!is_same_origin(origin, host), "{origin} {host}");
        }
        assert_eq!(origin_of("http://a.io:1/b?c"), "http://a.io:1");
        assert_eq!(origin_of("https://a.io"), "https://a.io");
        assert_eq!(origin_of("nonsense"), "nonsense");
    }

    #[test]
    fn simple_types_are_those_of_forms() {
        for simple in [
            "",
            "text/plain",
            "Text/Plain;charset=UTF-8",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
            assert!(is_simple(simple), "{simple}");
        }
        for other in ["application/json", "application/json; charset=utf-8", "text/html", "text/plain2"] {
            assert!(!is_simple(other), "{other}");
        }
    }
}
