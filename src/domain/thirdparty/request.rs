//! [`ProviderRequest`]: a request to a provider, as data; and the limits under which it is sent.

use super::config::Params;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// A request to a provider. May hold secrets, so it does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderRequest {
    /// The URL.
    pub url: String,
    /// Headers besides those of every request.
    pub headers: Vec<(String, String)>,
    /// The body, which makes the request a POST.
    pub body: Option<RequestBody>,
}

/// The body of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum RequestBody {
    /// `application/x-www-form-urlencoded`.
    Form(String),
    /// `application/json`.
    Json(String),
}

/// A provider's reply.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderReply {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Where requests may go, and for how long they may take.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    /// Networks that may be called though they are private; loopback ones also without TLS.
    pub private_networks: Arc<[IpNet]>,
    /// Time for one request, connection included.
    pub timeout: Duration,
}

impl Reach {
    /// Whether a private address is one that the operator allows.
    #[must_use]
    pub fn allows_private(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.private_networks.iter().any(|network| network.contains(&address))
    }
}

impl ProviderRequest {
    /// A GET request that asks for JSON.
    #[must_use]
    pub fn get(url: String) -> Self {
        Self { url, headers: vec![accept("application/json")], body: None }
    }

    /// A POST request that asks for JSON.
    #[must_use]
    pub fn post(url: String, body: RequestBody) -> Self {
        Self { url, headers: vec![accept("application/json")], body: Some(body) }
    }

    /// The request with a header set, in place of one with this name.
    #[must_use]
    pub fn header(mut self, name: &str, value: String) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_ascii_lowercase(), value));
        self
    }

    /// The request with headers set or removed.
    #[must_use]
    pub fn with_headers(mut self, headers: &Params) -> Self {
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

/// Names and values in the order of a query or form; setting one keeps its place.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// The pairs of an encoded text.
    #[must_use]
    pub fn parse(encoded: &str) -> Self {
        Self(form_urlencoded::parse(encoded.as_bytes()).into_owned().collect())
    }

    /// Sets a value, in place of every earlier one.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.0.iter().position(|(other, _)| other == name) {
            None => self.0.push((name.to_owned(), value.to_owned())),
            Some(place) => {
                let mut index = 0;
                self.0.retain(|(other, _)| {
                    index += 1;
                    other != name || index == place + 1
                });
                if let Some(slot) = self.0.get_mut(place) {
                    value.clone_into(&mut slot.1);
                }
            }
        }
    }

    /// Sets the parameters that have a value and removes the others.
    pub fn apply(&mut self, params: &Params) {
        for (name, value) in params {
            match value {
                Some(value) => self.set(name, value),
                None => self.0.retain(|(other, _)| other != name),
            }
        }
    }

    /// The encoded text.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// `url` after `change` of its query. A fragment is dropped.
#[must_use]
pub fn with_query(url: &str, change: impl FnOnce(&mut Query)) -> String {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query = Query::parse(query);
    change(&mut query);
    let query = query.encode();
    if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
}

impl fmt::Debug for ProviderRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderRequest(…)")
    }
}

impl fmt::Debug for ProviderReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderReply({}, …)", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_its_order_and_each_name_once() {
        let url = with_query("https://op.test/a?x=1&y=2&x=3#top", |query| {
            query.set("x", "é &");
            query.apply(&vec![("y".to_owned(), None), ("z".to_owned(), Some(String::new()))]);
        });
        assert_eq!(url, "https://op.test/a?x=%C3%A9+%26&z=");
        assert_eq!(
            with_query("https://op.test/a?y=2", |query| query.apply(&vec![("y".to_owned(), None)])),
            "https://op.test/a"
        );
    }

    #[test]
    fn headers_are_replaced_whatever_their_case() {
        let request = ProviderRequest::get(String::new()).header("X-A", "1".to_owned());
        let request =
            request.with_headers(&vec![("Accept".to_owned(), Some("a/b".to_owned())), ("x-a".to_owned(), None)]);
        assert_eq!(request.headers, [("accept".to_owned(), "a/b".to_owned())]);
    }
}
