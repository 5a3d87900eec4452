//! Which texts can be access tokens at all. The SDKs ignore others, such as a bearer token of the application's own.

use crate::domain::time::UnixMillis;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// What an access token says of itself. Nothing of it has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether it names a dynamic key.
    pub(super) has_dynamic_key: bool,
    /// When it was made.
    pub(super) created: UnixMillis,
    /// When it expires.
    pub(super) expires: UnixMillis,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    kid: String,
    version: Option<Value>,
}

/// Reads a text's shape; `None` if it is no access token (protocol: 20, 3.3). Tokens of versions 1 and 2, which have
/// another header and no key, are none here: the front door has never handed one out.
pub(super) fn shape(token: &str) -> Option<Shape> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    let header: Header = serde_json::from_slice(&decoded(header)?).ok()?;
    let version = match header.version {
        None => 3,
        Some(Value::String(text)) => text.parse::<u32>().ok()?,
        Some(_) => return None,
    };
    let payload: Value = serde_json::from_slice(&decoded(payload)?).ok()?;
    let texts = ["sub", "sessionHandle", "refreshTokenHash1"];
    let is_session = header.typ == "JWT"
        && version >= 3
        && texts.iter().all(|name| payload.get(name).is_some_and(Value::is_string))
        && (version < 5 || payload.get("rsub").is_some_and(Value::is_string))
        && ["exp", "iat"].iter().all(|name| payload.get(name).is_some_and(Value::is_number))
        && payload.get("stt").is_none_or(|kind| kind.as_u64() == Some(0));
    let time = |name| UnixMillis(payload.get(name).and_then(Value::as_u64).unwrap_or_default().saturating_mul(1000));
    is_session.then(|| Shape {
        has_dynamic_key: header.kid.starts_with("d-"),
        created: time("iat"),
        expires: time("exp"),
    })
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}
