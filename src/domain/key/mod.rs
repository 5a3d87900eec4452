//! Signing keys: their stages, and the rules of publication, use and retirement.

mod life;
mod schedule;

pub use life::{IllegalTransition, KeyLife, KeyStage, Revocation};
pub use schedule::{HISTORY_MS, KeyRules, KeySpec, RingPlan, RsaPlan, SigningKids};

use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The value of `access_token_signing_algorithm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// Ed25519, `alg: EdDSA`.
    #[default]
    EdDSA,
    /// RSA-2048 with SHA-256, for verifiers that support nothing else.
    RS256,
}

impl SigningAlgorithm {
    /// The `alg` value in JWT headers and JWKs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
        }
    }
}

/// The value of `refresh_token_format`: the form of new refresh tokens. Both forms are always accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefreshTokenFormat {
    /// `V2` for an app that was moved in from an original core, otherwise sealed.
    #[default]
    Auto,
    /// Ours.
    Sealed,
    /// The original core's, with which an app can be moved out again.
    V2,
}

/// The two kinds of key that an app has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyKind {
    /// Replaced on schedule; `kid` starts with `d-`.
    Dynamic,
    /// Made once; `kid` starts with `s-`.
    Static,
}

/// A key's public name: `d-<creation in ms>` or `s-<uuid>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kid(String);

impl Kid {
    /// Wraps a key's name from a header, a record or a command line.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The name of a dynamic key made at this moment.
    #[must_use]
    pub fn dynamic(created: UnixMillis) -> Self {
        Self(format!("d-{}", created.0))
    }

    /// The name of a static key.
    #[must_use]
    pub fn fixed(random: Uuid) -> Self {
        Self(format!("s-{}", random.hyphenated()))
    }

    /// The name as it appears on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
