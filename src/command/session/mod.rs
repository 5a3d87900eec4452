//! The session recipe's operations (CDI: session).

pub mod create;
pub mod data;
pub mod ending;
pub mod identity;
mod issue;
pub mod jwt;
pub mod list;
pub mod refresh;
pub mod refreshable;
pub mod regenerate;
pub mod revoke;
mod session_owner;
pub mod timeline;
pub mod verify;

use crate::config::{AppConfig, RecentTokenReuse};
use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::key::KeyKind;
use crate::domain::session::family::FamilyRules;
use crate::domain::session::lifetime::access_token_expiry;
use crate::domain::time::UnixMillis;

/// The kind of key that signs for a session.
const fn key_kind(use_static_key: bool) -> KeyKind {
    if use_static_key { KeyKind::Static } else { KeyKind::Dynamic }
}

/// When a new access token expires: after the caller's own lifetime exactly, or the configured one with jitter.
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

/// The app's settings that govern refresh families.
fn family_rules(config: &AppConfig) -> FamilyRules {
    FamilyRules {
        grace_ms: config.refresh_token_rotation_grace_period_ms,
        refresh_validity_ms: config.refresh_token_validity_ms,
        recent_reuse_is_theft: config.recent_token_reuse_behaviour == RecentTokenReuse::TokenTheft,
    }
}
