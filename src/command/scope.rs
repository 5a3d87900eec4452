//! The app that a command acts on, and what led to it.

use crate::state::directory::AppEntry;
use std::net::IpAddr;
use std::sync::Arc;

/// The app that a command acts on, and who called it. The caller has checked that app and tenant exist.
#[derive(Clone)]
pub struct Scope {
    /// The app.
    pub app: Arc<AppEntry>,
    /// The cause that timelines and the audit log record.
    pub cause: Cause,
}

/// What led to an event: the call, its request id and where it came from. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The call, such as `POST /recipe/session/remove`, `sessiond sessions revoke` or `expiry`.
    pub call: &'static str,
    /// Request id, empty for jobs and the command line.
    pub request_id: String,
    /// Address of the calling peer, usually an application's; none for jobs and the command line.
    pub caller: Option<IpAddr>,
    /// Address of the person's device, if the application passes it on.
    pub client: Option<IpAddr>,
}

impl Cause {
    /// A cause that is not a request: a job, or the command line.
    #[must_use]
    pub const fn without_request(call: &'static str) -> Self {
        Self { call, request_id: String::new(), caller: None, client: None }
    }
}
