//! Code shared by the families of hashes.

use ::argon2::Algorithm;
use base64::Engine;
use base64::alphabet::{self, Alphabet};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Random bytes in the salt of a new hash.
pub const SALT_BYTES: usize = 16;

/// A base64 that accepts careless encodings: padding or not, stray bits at the end.
const fn lenient(alphabet: &Alphabet, padded: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(padded)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

/// The base64 of PHC strings.
pub(super) const BASE64: GeneralPurpose = lenient(&alphabet::STANDARD, false);
/// The base64 of Firebase, and of the digest of a long password.
pub(super) const BASE64_PADDED: GeneralPurpose = lenient(&alphabet::STANDARD, true);
/// Decodes base64 of Firebase, in the standard alphabet or in the web-safe one that its Admin SDK and REST interface
/// use: they differ in two characters, so no text is valid in both with different meanings (RFC 4648, 5).
pub(super) fn firebase_bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_PADDED.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// The base64 of bcrypt, in its own alphabet.
pub(super) const BASE64_BCRYPT: GeneralPurpose = lenient(&alphabet::BCRYPT, false);

/// There is not enough memory to compute the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not enough memory for an argon2 hash; lower argon2_memory_kb")]
pub struct NoMemory;

/// The algorithm of a PHC string's first field.
pub(super) fn argon2_algorithm(name: &str) -> Option<Algorithm> {
    [Algorithm::Argon2id, Algorithm::Argon2i, Algorithm::Argon2d].into_iter().find(|known| known.as_str() == name)
}
