//! Access tokens that are too large for the place where a client keeps them.

use crate::domain::json::JsonObject;
use std::fmt;

/// An access token that would be larger than its client can keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTooLarge {
    /// Its size, in bytes.
    pub bytes: usize,
    /// The largest size that can be kept, in bytes.
    pub max_bytes: usize,
    /// The claims that take most of it, largest first, each with its size as JSON, in bytes.
    pub claims: Vec<(String, usize)>,
}

/// How many claims are named.
const NAMED: usize = 3;

impl TokenTooLarge {
    /// A token of this size with these custom claims, if it is larger than `max_bytes`.
    #[must_use]
    pub fn check(bytes: usize, max_bytes: Option<usize>, payload: &JsonObject) -> Option<Self> {
        let max_bytes = max_bytes.filter(|max| bytes > *max)?;
        let members = payload.to_map().unwrap_or_default();
        let mut claims: Vec<_> = members.into_iter().map(|(name, value)| (name, value.to_string().len())).collect();
        claims.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        claims.truncate(NAMED);
        Some(Self { bytes, max_bytes, claims })
    }
}

impl fmt::Display for TokenTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, max_bytes, claims } = self;
        write!(
            f,
            "The access token would have {bytes} bytes, but browsers keep no more than {max_bytes} in its cookie."
        )?;
        for (place, (name, size)) in claims.iter().enumerate() {
            let before = if place == 0 { " Its largest claims:" } else { "," };
            write!(f, "{before} {name} ({size} bytes)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_that_is_too_large_names_its_largest_claims() {
        let payload = json!({"a": "x".repeat(10), "b": [1, 2], "c": "x".repeat(98), "d": null});
        let payload = JsonObject::from_map(payload.as_object().unwrap());
        assert_eq!(TokenTooLarge::check(5000, None, &payload), None);
        assert_eq!(TokenTooLarge::check(3900, Some(3900), &payload), None);
        let flaw = TokenTooLarge::check(3901, Some(3900), &payload).unwrap();
        let sentence = "The access token would have 3901 bytes, but browsers keep no more than 3900 in its cookie. Its \
                        largest claims: c (100 bytes), a (12 bytes), b (5 bytes)";
        assert_eq!(flaw.to_string(), sentence);
    }
}
