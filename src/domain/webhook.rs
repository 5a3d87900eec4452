//! [`Webhook`]: a program of the operator's that is called with signed requests.

use crate::domain::secret::Secret;

/// A program of the operator's, which is called with signed requests (Standard Webhooks 1.0).
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its URL.
    pub url: String,
    /// The keys of the signatures: requests are signed with each, so that a key can be replaced.
    pub keys: Vec<Secret<Vec<u8>>>,
}

impl Webhook {
    /// Its host, for messages: the rest of the URL may be a secret.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.url)
    }
}

/// The host of a URL, and its port if that is not the usual one.
#[must_use]
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}
