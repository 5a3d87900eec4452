//! The Core Driver Interface: IP rules, API key, app and tenant, version, route, reply.

pub mod version;

use crate::command::tenancy::AppEntry;
use crate::domain::ids::TenantId;
use crate::http::cdi::version::CdiVersion;
use crate::http::exchange::Request;
use std::sync::Arc;

/// A request that has passed the common checks.
pub struct Call {
    /// The request itself.
    pub request: Request,
    /// The app it is for.
    pub app: Arc<AppEntry>,
    /// The tenant its path names; may not exist (handlers check after the fields).
    pub tenant: TenantId,
    /// The negotiated version.
    pub version: CdiVersion,
}
