//! [`HttpRequest`]: a request that we send, as data; and the limits under which it is sent.

use http::HeaderMap;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// A request that we send. May hold secrets, so it does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The URL.
    pub url: String,
    /// Headers besides those of every request.
    pub headers: Vec<(String, String)>,
    /// The body, which makes the request a POST.
    pub body: Option<HttpBody>,
    /// The largest body of a reply that is read, in bytes; 0: it is not read at all, whatever its size.
    pub max_reply: usize,
    /// Whether it is a HEAD request, if it has no body.
    pub is_head: bool,
}

/// The largest body of a reply that is read unless the request says otherwise, in bytes.
const MAX_REPLY: usize = 1024 * 1024;

/// The body of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum HttpBody {
    /// `application/x-www-form-urlencoded`.
    Form(String),
    /// `application/json`.
    Json(String),
    /// `application/jose+json`: a signed object (RFC 7515).
    Jose(String),
}

/// The reply to a request.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// Where requests may go, and for how long they may take.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    /// Networks that may be called though they are private; loopback ones also without TLS.
    pub private_networks: Arc<[IpNet]>,
    /// The setting that names those networks, for messages.
    pub setting: &'static str,
    /// Time for one request, connection included.
    pub timeout: Duration,
}

impl HttpReply {
    /// A reply without headers.
    #[must_use]
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }
}

impl Reach {
    /// Whether a private address is one that the operator allows.
    #[must_use]
    pub fn allows_private(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.private_networks.iter().any(|network| network.contains(&address))
    }
}

impl HttpRequest {
    /// A GET request that asks for JSON.
    #[must_use]
    pub fn get(url: String) -> Self {
        Self { url, headers: vec![accept("application/json")], body: None, max_reply: MAX_REPLY, is_head: false }
    }

    /// A HEAD request.
    #[must_use]
    pub fn head(url: String) -> Self {
        Self { is_head: true, ..Self::get(url) }
    }

    /// A POST request that asks for JSON.
    #[must_use]
    pub fn post(url: String, body: HttpBody) -> Self {
        Self { body: Some(body), ..Self::get(url) }
    }

    /// The request with a header set, in place of one with this name.
    #[must_use]
    pub fn header(mut self, name: &str, value: String) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_ascii_lowercase(), value));
        self
    }

    /// The request with a limit on the reply's body, in bytes; 0: it is not read.
    #[must_use]
    pub fn max_reply(self, max_reply: usize) -> Self {
        Self { max_reply, ..self }
    }

    /// The request with headers set or removed.
    #[must_use]
    pub fn with_headers(mut self, headers: &[(String, Option<String>)]) -> Self {
        for (name, value) in headers {
            match value {
                Some(value) => self = self.header(name, value.clone()),
                None => self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name)),
            }
        }
        self
    }
}

fn accept(what: &str) -> (String, String) {
    ("accept".to_owned(), what.to_owned())
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpRequest(…)")
    }
}

impl fmt::Debug for HttpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpReply({}, …)", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_replaced_whatever_their_case() {
        let request = HttpRequest::get(String::new()).header("X-A", "1".to_owned());
        let request = request.with_headers(&[("Accept".to_owned(), Some("a/b".to_owned())), ("x-a".to_owned(), None)]);
        assert_eq!(request.headers, [("accept".to_owned(), "a/b".to_owned())]);
    }
}
