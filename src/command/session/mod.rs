//! The session recipe's operations (CDI: session).

pub mod create;
pub mod data;
mod holder;
mod issue;
pub mod jwt;
pub mod list;
pub mod refresh;
pub mod regenerate;
pub mod revoke;
pub mod timeline;
pub mod verified;
pub mod verify;

use crate::command::tenancy::AppEntry;
use crate::config::{AppConfig, RecentTokenReuse};
use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::key::KeyKind;
use crate::domain::session::family::FamilyRules;
use crate::domain::session::lifetime::access_token_expiry;
use crate::domain::time::UnixMillis;
use std::net::IpAddr;
use std::sync::Arc;

/// Where a command acts and who called it. The caller has checked that app and tenant exist.
#[derive(Clone)]
pub struct Scope {
    /// The app.
    pub app: Arc<AppEntry>,
    /// What the timeline names as the cause.
    pub cause: Cause,
}

/// What led to an event: the call, its request id and where it came from. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `POST /recipe/session/remove`, `sessiond sessions revoke`, `expiry`.
    pub call: &'static str,
    /// Request id, empty for jobs and the command line.
    pub request_id: String,
    /// Address of the peer that called: an application's, as a rule; none for jobs and the command line.
    pub caller: Option<IpAddr>,
    /// Address of the person's device, where the application passes it on.
    pub client: Option<IpAddr>,
}

impl Cause {
    /// A cause that is no request: a job, or the command line.
    #[must_use]
    pub const fn without_request(call: &'static str) -> Self {
        Self { call, request_id: String::new(), caller: None, client: None }
    }
}

/// Which kind of key signs for a session.
const fn key_kind(use_static_key: bool) -> KeyKind {
    if use_static_key { KeyKind::Static } else { KeyKind::Dynamic }
}

/// When a new access token stops being accepted: the caller's own lifetime exactly, or the configured one with jitter.
fn access_token_expiry_for(
    config: &AppConfig,
    own_validity_ms: Option<u64>,
    entropy: &dyn Entropy,
    now: UnixMillis,
) -> UnixMillis {
    match own_validity_ms {
        Some(ms) => now.plus(ms),
        None => {
            let random = u64::from_le_bytes(random_bytes(entropy));
            access_token_expiry(now, config.access_token_validity_ms, config.access_token_validity_jitter, random)
        }
    }
}

/// The app's settings that the refresh family goes by.
fn family_rules(config: &AppConfig) -> FamilyRules {
    FamilyRules {
        grace_ms: config.refresh_token_rotation_grace_period_ms,
        refresh_validity_ms: config.refresh_token_validity_ms,
        recent_reuse_is_theft: config.recent_token_reuse_behaviour == RecentTokenReuse::TokenTheft,
    }
}
