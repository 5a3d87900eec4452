//! The session recipe's operations (protocol 01).

pub mod create;
pub mod data;
pub mod jwt;
pub mod list;
pub mod refresh;
pub mod regenerate;
pub mod revoke;
pub mod timeline;
pub mod verified;
pub mod verify;

use crate::command::tenancy::AppEntry;
use std::sync::Arc;

/// Where a command acts and who called it. The caller has checked that app and tenant exist.
#[derive(Clone)]
pub struct Scope {
    /// The app.
    pub app: Arc<AppEntry>,
    /// What the timeline names as the cause.
    pub cause: Cause,
}

/// What led to an event: the call and its request id. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `POST /recipe/session/remove`, `sessiond sessions revoke`, `expiry`.
    pub call: &'static str,
    /// Request id, empty for jobs and the command line.
    pub request_id: String,
}
