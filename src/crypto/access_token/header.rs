//! JWT headers: the exact texts that our keys write, and the few fields that are read from unknown ones.

use crate::domain::key::{Kid, SigningAlgorithm};
use crate::domain::session::AccessTokenVersion;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

/// The encoded header of tokens of version 1 and 2, which do not name a key.
pub(super) fn legacy(algorithm: SigningAlgorithm, version: AccessTokenVersion) -> String {
    let number = if version == AccessTokenVersion::V1 { '1' } else { '2' };
    STANDARD.encode(format!(r#"{{"alg":"{}","typ":"JWT","version":"{number}"}}"#, algorithm.name()))
}

/// The encoded header of tokens from version 3 on.
pub(super) fn flat(algorithm: SigningAlgorithm, kid: &Kid, version: AccessTokenVersion) -> String {
    let number = match version {
        AccessTokenVersion::V1 | AccessTokenVersion::V2 | AccessTokenVersion::V3 => '3',
        AccessTokenVersion::V4 => '4',
        AccessTokenVersion::V5 => '5',
    };
    URL_SAFE_NO_PAD
        .encode(format!(r#"{{"alg":"{}","typ":"JWT","kid":"{kid}","version":"{number}"}}"#, algorithm.name()))
}

/// The encoded header of a custom JWT: it has no `version`.
pub(super) fn custom(algorithm: SigningAlgorithm, kid: &Kid) -> String {
    URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{}","typ":"JWT","kid":"{kid}"}}"#, algorithm.name()))
}

/// The encoded header that an original core writes from version 3 on, or, without a version, into custom JWTs: the same
/// members in another order.
pub(super) fn of_core(kid: &Kid, version: Option<AccessTokenVersion>) -> String {
    let version = match version {
        None => "",
        Some(AccessTokenVersion::V5) => r#""version":"5","#,
        Some(AccessTokenVersion::V4) => r#""version":"4","#,
        Some(AccessTokenVersion::V1 | AccessTokenVersion::V2 | AccessTokenVersion::V3) => r#""version":"3","#,
    };
    URL_SAFE_NO_PAD.encode(format!(r#"{{"kid":"{kid}","typ":"JWT",{version}"alg":"RS256"}}"#))
}

#[derive(Deserialize)]
struct Unverified {
    typ: String,
    #[serde(rename = "kid")]
    _kid: String,
    version: Option<String>,
}

/// The version claimed in a header, for tokens whose signature is not checked. `None` if the header is not one of ours.
pub(super) fn claimed_version(encoded: &str) -> Option<AccessTokenVersion> {
    for algorithm in [SigningAlgorithm::EdDSA, SigningAlgorithm::RS256] {
        for version in [AccessTokenVersion::V1, AccessTokenVersion::V2] {
            if encoded == legacy(algorithm, version) {
                return Some(version);
            }
        }
    }
    let text = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let header: Unverified = serde_json::from_slice(&text).ok()?;
    if header.typ != "JWT" {
        return None;
    }
    match header.version.as_deref() {
        Some("3") => Some(AccessTokenVersion::V3),
        Some("4") => Some(AccessTokenVersion::V4),
        Some("5") | None => Some(AccessTokenVersion::V5),
        Some(_) => None,
    }
}
