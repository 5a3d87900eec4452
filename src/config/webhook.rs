//! What the settings of all webhooks have in common.

use crate::domain::loopback::is_loopback;
use crate::domain::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;

/// What secrets may begin with (Standard Webhooks).
const SECRET_PREFIX: &str = "whsec_";
/// The fewest bytes of a key.
const MIN_KEY: usize = 24;

/// The rule that [`webhook_key`] checks, for messages.
pub(super) const SECRET_RULE: &str = "at least 24 random bytes in base64, with or without whsec_ before them";
/// The rule that [`is_protected`] checks, for messages.
pub(super) const URL_RULE: &str = "must be a URL with https, or with http on this machine";

/// The key in a secret; `None` if it breaks the rule.
pub(super) fn webhook_key(secret: &str) -> Option<Secret<Vec<u8>>> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret)).ok()?;
    (key.len() >= MIN_KEY).then(|| Secret::new(key))
}

/// Whether what is sent to a URL is encrypted or stays on this machine.
pub(super) fn is_protected(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(authority) = uri.authority().filter(|authority| !authority.as_str().contains('@')) else { return false };
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(authority.host()),
        _ => false,
    }
}
