//! Ids and codes of devices, and the forms in which they may be stored.

use crate::domain::entropy::{Entropy, random_bytes, random_uuid};
use crate::domain::secret::Secret;
use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD as STANDARD_ALPHABET, URL_SAFE};
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Random bytes in a device's id.
const STRENGTH: usize = 32;

/// Reads base64 with or without its padding, as the original does.
const fn lenient(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

const FROM_STANDARD: GeneralPurpose = lenient(&STANDARD_ALPHABET);
const FROM_URL_SAFE: GeneralPurpose = lenient(&URL_SAFE);

/// A device's secret id: proves that the client is the one that began the sign-in.
#[derive(Debug, Clone)]
pub struct DeviceId(Secret<Vec<u8>>);

impl DeviceId {
    /// A new id.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(random_bytes::<STRENGTH>(entropy).to_vec()))
    }

    /// Decodes base64; any bytes are an id, though possibly of no device. `None` for text that is not base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        FROM_STANDARD.decode(text).ok().map(|bytes| Self(Secret::new(bytes)))
    }

    /// The id in base64, as it is handed out.
    #[must_use]
    pub fn text(&self) -> Secret<String> {
        Secret::new(STANDARD.encode(self.0.expose()))
    }

    /// The bytes. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The hash by which everyone else knows the device.
    #[must_use]
    pub fn hash(&self) -> DeviceHash {
        DeviceHash(Sha256::digest(self.0.expose()).into())
    }
}

/// SHA-256 of a device's id: the `preAuthSessionId`, and the key under which the device is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceHash([u8; 32]);

impl DeviceHash {
    /// Wraps the 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Decodes base64url; padding is optional. `None` for text that cannot be a device's hash.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.replace('=', "")).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The hash in base64url without padding.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The code in a link.
#[derive(Debug, Clone)]
pub struct LinkCode(Secret<Vec<u8>>);

impl LinkCode {
    /// Wraps the bytes.
    #[must_use]
    pub const fn from_bytes(bytes: Secret<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Decodes base64url; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        FROM_URL_SAFE.decode(text).ok().map(|bytes| Self(Secret::new(bytes)))
    }

    /// The code in base64url without padding, as it is handed out.
    #[must_use]
    pub fn text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.expose()))
    }

    /// The hash that is stored.
    #[must_use]
    pub fn hash(&self) -> LinkCodeHash {
        LinkCodeHash(Sha256::digest(self.0.expose()).into())
    }
}

/// SHA-256 of a link code: a stolen database holds no usable link.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkCodeHash([u8; 32]);

impl LinkCodeHash {
    /// Wraps the 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for LinkCodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCodeHash(…)")
    }
}

/// A code's public name: a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeId([u8; 16]);

impl CodeId {
    /// A new id.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(random_uuid(entropy).into_bytes())
    }

    /// Wraps the 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Parses a UUID; `None` for text that cannot be a code's id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(|uuid| Self(uuid.into_bytes()))
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for CodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

/// Six digits to be typed in, each number equally likely.
#[must_use]
pub fn random_input_code(entropy: &dyn Entropy) -> Secret<String> {
    // The last few of the 2^64 numbers make this slightly uneven: by one part in 10^13.
    let number = u64::from_le_bytes(random_bytes(entropy)) % 1_000_000;
    Secret::new(format!("{number:06}"))
}
