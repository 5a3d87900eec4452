//! Password hashes as text: made with the app's parameters, read and checked by their own prefix.
//!
//! The texts are the ones that other programs read: `$2a$` for bcrypt, PHC strings for argon2, and for passwords that
//! bcrypt would cut off the `$bcrypt-sha256$` layout of Python's passlib.

mod argon2;
mod bcrypt;
pub mod calibrate;
mod firebase;
pub mod pool;

use crate::domain::password::{HashFamily, HashParameters};
use ::argon2::Algorithm;
use argon2::Argon2Hash;
use base64::Engine;
use base64::alphabet::{self, Alphabet};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bcrypt::{BcryptHash, Knows};
use firebase::FirebaseHash;

/// Random bytes in a new hash.
pub const SALT_BYTES: usize = 16;

/// A base64 that reads what careless writers wrote: padding or not, stray bits at the end.
const fn lenient(alphabet: &Alphabet, padded: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(padded)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

/// PHC strings.
const BASE64: GeneralPurpose = lenient(&alphabet::STANDARD, false);
/// Firebase, and the digest of a long password.
const BASE64_PADDED: GeneralPurpose = lenient(&alphabet::STANDARD, true);
/// bcrypt's own.
const BASE64_BCRYPT: GeneralPurpose = lenient(&alphabet::BCRYPT, false);

/// A hash that can be checked.
#[derive(Clone)]
pub struct StoredHash(Kind);

#[derive(Clone)]
enum Kind {
    Bcrypt(BcryptHash),
    Argon2(Argon2Hash),
    Firebase(FirebaseHash),
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and the hash should be replaced by a new one: it was made in another way than new ones are, or
    /// knows only the 72 bytes of the password at which bcrypt looks.
    RightButOutdated,
    /// A Firebase hash, and there is no signer key to check it with.
    NoSignerKey,
}

impl StoredHash {
    /// Reads a hash; `None` when its format is unknown, it is malformed, or checking it would cost more than any
    /// honest hash does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let kind = if text.starts_with("$2") || text.starts_with("$bcrypt-sha256$") {
            Kind::Bcrypt(BcryptHash::parse(text)?)
        } else if text.starts_with("$argon2") {
            Kind::Argon2(Argon2Hash::parse(text)?)
        } else {
            Kind::Firebase(FirebaseHash::parse(text)?)
        };
        Some(Self(kind))
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// When there is not enough memory for an argon2 hash.
    pub fn new(password: &[u8], parameters: HashParameters, salt: [u8; SALT_BYTES]) -> Result<Self, NoMemory> {
        match parameters {
            HashParameters::Bcrypt { cost } => Ok(Self(Kind::Bcrypt(BcryptHash::new(password, cost, salt)))),
            HashParameters::Argon2 { iterations, memory_kib, parallelism } => {
                let hash = Argon2Hash::new(password, (memory_kib, iterations, parallelism), salt);
                hash.map(|hash| Self(Kind::Argon2(hash)))
            }
        }
    }

    /// The hash as it is stored.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.0 {
            Kind::Bcrypt(hash) => hash.text(),
            Kind::Argon2(hash) => hash.text(),
            Kind::Firebase(hash) => hash.text(),
        }
    }

    /// Which limit of hashes computed at once it falls under.
    #[must_use]
    pub const fn family(&self) -> HashFamily {
        match self.0 {
            Kind::Bcrypt(_) => HashFamily::Bcrypt,
            Kind::Argon2(_) => HashFamily::Argon2,
            Kind::Firebase(_) => HashFamily::FirebaseScrypt,
        }
    }

    /// Checks a password: as slow as hashing one, and in a time that does not depend on the outcome. `wanted` is how new
    /// passwords are hashed.
    ///
    /// # Errors
    /// When there is not enough memory for an argon2 hash.
    pub fn check(&self, password: &[u8], signer_key: Option<&[u8]>, wanted: HashParameters) -> Result<Check, NoMemory> {
        let is_right = match &self.0 {
            Kind::Bcrypt(hash) => hash.matches(password),
            Kind::Argon2(hash) => hash.matches(password)?,
            Kind::Firebase(hash) => match signer_key {
                None => return Ok(Check::NoSignerKey),
                Some(key) => hash.matches(password, key),
            },
        };
        Ok(match is_right {
            false => Check::Wrong,
            true if self.is_outdated(password, wanted) => Check::RightButOutdated,
            true => Check::Right,
        })
    }

    /// Whether a hash of this password should be replaced by a new one.
    fn is_outdated(&self, password: &[u8], wanted: HashParameters) -> bool {
        let is_as_wanted = match (&self.0, wanted) {
            (Kind::Bcrypt(hash), HashParameters::Bcrypt { cost }) => hash.is_made_with(cost),
            (Kind::Argon2(hash), HashParameters::Argon2 { iterations, memory_kib, parallelism }) => {
                hash.is_made_with((memory_kib, iterations, parallelism))
            }
            _ => false,
        };
        match &self.0 {
            Kind::Bcrypt(hash) => match hash.knows(password) {
                Knows::All => !is_as_wanted,
                Knows::Start => true,
                Knows::PerhapsMore => false,
            },
            Kind::Argon2(_) | Kind::Firebase(_) => !is_as_wanted,
        }
    }
}

/// There is not enough memory to compute the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not enough memory for an argon2 hash; lower argon2_memory_kb")]
pub struct NoMemory;

/// The bytes of `firebase_password_hashing_signer_key`: base64, in which anything else is passed over. With a key that is
/// none, no password is right.
#[must_use]
pub fn signer_key_bytes(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|char| char.is_ascii_alphanumeric() || "+/".contains(*char)).collect();
    BASE64_PADDED.decode(digits).unwrap_or_default()
}

/// The algorithm of a PHC string's first field.
fn argon2_algorithm(name: &str) -> Option<Algorithm> {
    [Algorithm::Argon2id, Algorithm::Argon2i, Algorithm::Argon2d].into_iter().find(|known| known.as_str() == name)
}

#[cfg(test)]
mod tests;
