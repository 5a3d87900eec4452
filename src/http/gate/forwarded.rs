//! [`Forwarded`]: the request that a proxy asks about.

use crate::config::TrustedProxies;
use crate::domain::local_path::LocalPath;
use crate::domain::origin::Origin;
use crate::http::exchange::Request;
use http::header::{ACCEPT, UPGRADE};
use http::{HeaderName, Method};
use std::net::IpAddr;

/// The headers of one fact: Caddy's and Traefik's, and the one that is usual with nginx.
type Pair = [HeaderName; 2];

static METHOD: Pair = [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-original-method")];
static URI: Pair = [HeaderName::from_static("x-forwarded-uri"), HeaderName::from_static("x-original-uri")];
static PROTO: Pair = [HeaderName::from_static("x-forwarded-proto"), HeaderName::from_static("x-original-proto")];
static HOST: Pair = [HeaderName::from_static("x-forwarded-host"), HeaderName::from_static("x-original-host")];

/// What a request is for (Fetch Metadata). Pages cannot set it.
static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// Sent with every WebSocket handshake over HTTP/1.1 (RFC 6455).
static SEC_WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");

/// The request that a proxy asks about. Its cookies and other headers are those of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// Its method.
    pub method: Method,
    /// Its path and query; the home page if they are nothing to which a browser may be sent.
    pub page: LocalPath,
    /// Its query as sent, without the question mark.
    pub query: String,
    /// The origin that the browser sees.
    pub origin: Origin,
    /// Whether it asks for a WebSocket.
    pub is_websocket: bool,
    /// Whether it loads a page, rather than coming from a script.
    pub is_page_load: bool,
}

/// Why there is nothing to decide about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// Anybody may have asked.
    #[error("The gate answers proxies only: {0} is not in trusted_proxies")]
    UntrustedProxy(IpAddr),
    /// The proxy does not say what it asks about.
    #[error("The gate is asked wrongly: the proxy sends no {0} header")]
    Missing(&'static str),
    /// The query of the gate's address is wrong.
    #[error("The gate is asked wrongly: {0}")]
    Query(String),
    /// The same, where it is the page's query, too: the proxy hands that on, and a visitor may have written it.
    #[error("The gate is asked wrongly: {0}")]
    PageQuery(String),
    /// Headers contradict each other or make no sense. A visitor may have sent one of them, and the proxy passed it on.
    #[error("The headers {0} and {1} contradict each other or are malformed")]
    Contradiction(&'static str, &'static str),
}

impl Forwarded {
    /// The request that this one asks about.
    ///
    /// # Errors
    /// When the proxy is not trusted, or does not say.
    pub fn of(request: &Request, proxies: &TrustedProxies) -> Result<Self, Misuse> {
        if !proxies.contains(request.peer) {
            return Err(Misuse::UntrustedProxy(request.peer));
        }
        let contradiction = |pair: &'static Pair| Misuse::Contradiction(pair[0].as_str(), pair[1].as_str());
        let method = required(request, &METHOD)?;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| contradiction(&METHOD))?;
        let uri = required(request, &URI)?;
        let origin = format!("{}://{}", scheme(required(request, &PROTO)?), required(request, &HOST)?);
        let is_websocket = request.headers.contains_key(&SEC_WEBSOCKET_KEY)
            || request.header(&UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
        Ok(Self {
            page: LocalPath::parse(uri).unwrap_or_else(LocalPath::root),
            query: uri.split_once('?').map_or_else(String::new, |(_, query)| query.to_owned()),
            origin: Origin::parse(&origin).ok_or_else(|| contradiction(&HOST))?,
            is_page_load: !is_websocket && matches!(method, Method::GET | Method::HEAD) && is_page_load(request),
            method,
            is_websocket,
        })
    }

    /// Whether the request may change something. A WebSocket can, once it is open.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.is_websocket || !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

/// The origin under which a browser reaches the front door with this request. A proxy that is trusted says the scheme.
#[must_use]
pub fn own_origin(request: &Request, proxies: &TrustedProxies, api: &Origin) -> Origin {
    let told = proxies.contains(request.peer).then(|| required(request, &PROTO).ok()).flatten();
    let scheme = told.map_or(if api.is_https { "https" } else { "http" }, scheme);
    let host = request.header(&http::header::HOST);
    host.and_then(|host| Origin::parse(&format!("{scheme}://{host}"))).unwrap_or_else(|| api.clone())
}

/// Whether a request loads a page. Browsers from before 2023 do not say, but ask for HTML.
#[must_use]
pub fn is_page_load(request: &Request) -> bool {
    match request.header(&SEC_FETCH_MODE) {
        Some(mode) => mode == "navigate",
        None => request.header(&ACCEPT).is_some_and(|types| types.contains("text/html")),
    }
}

/// The one value of a fact. A visitor may send the header that the proxy does not set: if both are there, they agree.
fn required<'r>(request: &'r Request, pair: &'static Pair) -> Result<&'r str, Misuse> {
    let contradiction = || Misuse::Contradiction(pair[0].as_str(), pair[1].as_str());
    let mut found = None;
    for value in pair.iter().flat_map(|name| request.headers.get_all(name)) {
        let value = value.to_str().map_err(|_| contradiction())?;
        if found.is_some_and(|other| other != value) {
            return Err(contradiction());
        }
        found = Some(value);
    }
    found.filter(|value| !value.is_empty()).ok_or(Misuse::Missing(pair[0].as_str()))
}

/// Traefik says `wss` for WebSockets.
fn scheme(proto: &str) -> &str {
    match proto {
        "ws" => "http",
        "wss" => "https",
        other => other,
    }
}
