//! Hashes of refresh tokens: the hash in access tokens, and the hash of that hash, which is all the store keeps.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 of a refresh token's text (the claim `refreshTokenHash1` carries it in lower-case hex), or of the id of a
/// dashboard session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash1([u8; 32]);

impl TokenHash1 {
    /// The hash of a refresh token in the form in which it is handed out.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Wraps the 32 bytes of a hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses a claim; `None` unless it is 64 lower-case hex digits.
    #[must_use]
    pub fn parse(claim: &str) -> Option<Self> {
        let digits: &[u8; 64] = claim.as_bytes().try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            *byte = unhex(high)? << 4 | unhex(low)?;
        }
        Some(Self(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash in lower-case hex, as in claims.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// The hash of this hash's hex text: what the store compares.
    #[must_use]
    pub fn stored(&self) -> TokenHash2 {
        TokenHash2(Sha256::digest(self.to_hex().as_bytes()).into())
    }
}

/// SHA-256 of a [`TokenHash1`]'s hex text: a stolen database holds none of the hashes in access tokens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash2(pub [u8; 32]);

impl TokenHash2 {
    /// The stored hash of a refresh token in the form in which it is handed out.
    #[must_use]
    pub fn of(token: &str) -> Self {
        TokenHash1::of(token).stored()
    }

    /// The first half: enough to recognise one of a few hashes of one session.
    #[must_use]
    pub fn short(&self) -> [u8; 16] {
        // invariant: 32 bytes begin with 16 bytes
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for TokenHash1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash1(…)")
    }
}

impl fmt::Debug for TokenHash2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash2(…)")
    }
}

/// The bytes in lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xF));
    }
    text
}

/// The value of a lower-case hex digit.
const fn unhex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_token_is_known() {
        let hash = TokenHash1::of("abc");
        assert_eq!(hash.to_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(TokenHash1::parse(&hash.to_hex()), Some(hash));
        assert_eq!(TokenHash1::parse(&hash.to_hex().to_uppercase()), None);
        // sha256 of that hex text
        assert_eq!(hex(&hash.stored().0), "dfe7a23fefeea519e9bbfdd1a6be94c4b2e4529dd6b7cbea83f9959c2621b13c");
    }
}
