//! Requests that we send: over connections of our own, each to an address that was checked.

mod address;
mod connection;
mod direct;
mod target;

pub use address::is_public;
pub use direct::{DirectHttp, Resolve, SystemResolver};
pub use target::Target;

use crate::domain::http_request::{HttpReply, HttpRequest, Reach};
use std::net::IpAddr;

/// Sends requests. Only the composition root names the one that opens connections.
#[async_trait::async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends a request and reads the reply, whatever its status.
    ///
    /// # Errors
    /// When the request may not be sent, or no whole reply came in time.
    async fn send(&self, request: &HttpRequest, reach: &Reach) -> Result<HttpReply, SendError>;
}

/// Why there is no reply. Never holds a URL's query, a header or a body: they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The URL cannot be called.
    #[error("the URL is not one that can be called")]
    Url,
    /// Something in the request cannot be sent.
    #[error("a header or the address of the request cannot be sent")]
    Request,
    /// The URL is not encrypted, and not on this machine.
    #[error("{0} is called without TLS; use https")]
    Plain(String),
    /// The host has no address.
    #[error("{host} has no address: {reason}")]
    Unresolved {
        /// The host.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The host's address belongs to a private network.
    #[error("{host} is at {address}, which is not public; add its network to {setting} to allow it")]
    Private {
        /// The host.
        host: String,
        /// The address.
        address: IpAddr,
        /// The setting that would allow it.
        setting: &'static str,
    },
    /// No connection, or a broken one.
    #[error("{host}: {reason}")]
    Connection {
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The reply did not come in time.
    #[error("{0} did not answer in time")]
    Timeout(String),
    /// The reply is too large.
    #[error("the reply of {0} is too large")]
    TooLarge(String),
    /// The reply sends us elsewhere.
    #[error("{0} redirects to another place")]
    Redirect(String),
}
