//! The text of a request's path: decoding, normalising, and the optional segments before an API path.

use crate::domain::tenancy::RESERVED_TENANTS;
use std::borrow::Cow;

/// The optional segments before an API path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prefix<'p> {
    /// The app id after `appid-`, lower case.
    pub app: Option<&'p str>,
    /// The tenant id, lower case.
    pub tenant: Option<&'p str>,
}

/// Decodes `%XX` of letters, digits and `-._~`: such a path is equivalent encoded or not (RFC 3986, 6.2.2.2).
/// Everything else stays encoded, with its digits in upper case (6.2.2.1): a decoded slash would make a different path.
pub(super) fn decode_unreserved(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut decoded = String::with_capacity(path.len());
    let mut pieces = path.split('%');
    decoded.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let split = piece.split_at_checked(2).and_then(|(digits, rest)| Some((hex_byte(digits)?, digits, rest)));
        match split {
            Some((byte, _, rest)) if is_unreserved(byte) => {
                decoded.push(char::from(byte));
                decoded.push_str(rest);
            }
            Some((_, digits, rest)) => {
                decoded.push('%');
                decoded.push_str(&digits.to_ascii_uppercase());
                decoded.push_str(rest);
            }
            None => {
                decoded.push('%');
                decoded.push_str(piece);
            }
        }
    }
    Cow::Owned(decoded)
}

/// Parses two hex digits; `from_str_radix` alone would accept a sign.
fn hex_byte(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The rest of the path after the base path; `None` outside it.
pub(super) fn below<'p>(base_path: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(base_path).filter(|below| below.is_empty() || below.starts_with('/'))
}

/// The path without duplicate slashes and one trailing slash, in lower case.
pub(super) fn tidy(path: &str) -> Cow<'_, str> {
    let single = if path.contains("//") {
        let mut single = String::with_capacity(path.len());
        path.chars().for_each(|c| {
            if c != '/' || !single.ends_with('/') {
                single.push(c)
            }
        });
        Cow::Owned(single)
    } else {
        Cow::Borrowed(path)
    };
    let lower = if single.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(single.to_ascii_lowercase())
    } else {
        single
    };
    match lower {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('/').unwrap_or(text)),
        Cow::Owned(mut text) => {
            if text.ends_with('/') {
                text.pop();
            }
            Cow::Owned(text)
        }
    }
}

/// The prefix of a normalised path that is not in the route table: its app, if it names one.
#[must_use]
pub fn prefix_of_unknown(path: &str) -> Prefix<'_> {
    Prefix { app: peel(path).0.app, tenant: None }
}

/// Splits off the optional app and tenant segments.
pub(super) fn peel(path: &str) -> (Prefix<'_>, &str) {
    let mut prefix = Prefix::default();
    let mut rest = path;
    if let Some(app) = first_segment(rest).strip_prefix("appid-").filter(|id| is_id(id)) {
        prefix.app = Some(app);
        rest = after_first_segment(rest);
    }
    let tenant = first_segment(rest);
    if !tenant.is_empty() && is_id(tenant) && !RESERVED_TENANTS.contains(&tenant) {
        prefix.tenant = Some(tenant);
        rest = after_first_segment(rest);
    }
    (prefix, rest)
}

fn is_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn first_segment(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').map_or(path, |(segment, _)| segment)
}

pub(super) fn after_first_segment(path: &str) -> &str {
    let below = path.strip_prefix('/').unwrap_or(path);
    below.find('/').and_then(|end| below.get(end..)).unwrap_or("")
}
