//! Settings: what they are, where they come from, what they must satisfy.
//!
//! Precedence: built-in defaults, `config.yaml`, environment, command line; an app's or tenant's `coreConfig`
//! overrides per key. Units differ by key as the protocol has them (s, ms, minutes, hours); the typed structs here hold
//! milliseconds only.

use crate::domain::secret::Secret;
use regex::Regex;

pub use crate::domain::key::SigningAlgorithm;

/// What one app (or tenant) effectively runs with: base settings with its own `coreConfig` over them.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// Keys that open the API; empty means no key is needed.
    pub api_keys: Vec<Secret<String>>,
    /// Lifetime of access tokens in ms.
    pub access_token_validity_ms: u64,
    /// Up to this fraction (0 to 0.25) is taken off an access token's lifetime at random.
    pub access_token_validity_jitter: f64,
    /// Lifetime of refresh tokens in ms (configured in minutes).
    pub refresh_token_validity_ms: u64,
    /// How long after a rotation its loser is still understood, in ms (configured in s).
    pub refresh_token_rotation_grace_period_ms: u64,
    /// What a recently replaced refresh token is called when it comes back (CDI ≥ 5.6).
    pub recent_token_reuse_behaviour: RecentTokenReuse,
    /// How often a new dynamic signing key is made, in ms (configured in hours).
    pub dynamic_signing_key_update_interval_ms: u64,
    /// How long a new key is published before it signs, in ms: 60 s, or a fifth of the interval in test mode.
    pub signing_key_overlap_ms: u64,
    /// CDI < 2.21: sign with dynamic keys.
    pub access_token_signing_key_dynamic: bool,
    /// CDI < 2.21: look sessions up at verify.
    pub access_token_blacklisting: bool,
    /// Which kind of key signs this app's tokens.
    pub access_token_signing_algorithm: SigningAlgorithm,
    /// How long an ended session's timeline is kept, in ms (configured in days, 31 by default).
    pub session_timeline_retention_ms: u64,
    /// Only peers that match may call.
    pub ip_allow: Option<Regex>,
    /// Peers that match may not call; wins over `ip_allow`.
    pub ip_deny: Option<Regex>,
    /// Highest CDI version to offer.
    pub max_cdi_version: Option<String>,
    /// Lowest CDI version to accept.
    pub min_cdi_version: Option<String>,
}

/// `recent_token_reuse_behaviour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecentTokenReuse {
    /// `TOKEN_THEFT`: report it.
    #[default]
    TokenTheft,
    /// `UNAUTHORISED`: only end the session.
    Unauthorised,
}
