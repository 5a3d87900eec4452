//! Tokens that are sent by e-mail and work once: the token that is handed out, and its hash, which is all that is
//! stored.

use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;

/// Random bytes in a token.
const STRENGTH: usize = 48;

/// A new token: 128 characters that need no escaping in a link (base64url of the hex text of 48 random bytes, the
/// original's form).
#[must_use]
pub fn mint(entropy: &dyn Entropy) -> Secret<String> {
    let bytes = Secret::new(random_bytes::<STRENGTH>(entropy));
    let hex: Secret<String> = Secret::new(bytes.expose().iter().map(|byte| format!("{byte:02x}")).collect());
    Secret::new(URL_SAFE_NO_PAD.encode(hex.expose()))
}

/// SHA-256 of a token's text: a stolen database holds no usable token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct OneTimeHash([u8; 32]);

impl OneTimeHash {
    /// The hash of a presented token; any text has one.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Wraps the 32 bytes of a hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for OneTimeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value);
        }
    }

    #[test]
    fn a_token_is_base64url_of_the_hex_text_of_48_random_bytes() {
        let token = mint(&Counting);
        assert_eq!(token.expose().len(), 128);
        let hex = URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
        assert!(hex.starts_with(b"000102030405"), "{}", token.expose());
        assert!(hex.ends_with(b"2d2e2f"), "{}", token.expose());
    }

    #[test]
    fn the_hash_is_that_of_the_text() {
        // sha256("abc")
        let bytes = OneTimeHash::of("abc").as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(bytes, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
