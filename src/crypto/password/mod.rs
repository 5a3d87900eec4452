//! Password hashes as text: made with the app's parameters, parsed and verified according to their prefix.
//!
//! The texts are in formats that other programs read: `$2a$` for bcrypt, PHC strings for argon2, and, for passwords
//! that bcrypt would cut off, the `$bcrypt-sha256$` layout of Python's passlib.

mod argon2;
mod bcrypt;
pub mod calibrate;
mod common;
mod firebase;
pub mod pool;

pub use common::{NoMemory, SALT_BYTES};

use crate::domain::password::{HashFamily, HashParameters};
use argon2::Argon2Hash;
use bcrypt::{BcryptHash, Knows};
use common::firebase_bytes;
use firebase::FirebaseHash;

/// A hash that can be verified.
#[derive(Clone)]
pub struct StoredHash(Kind);

#[derive(Clone)]
enum Kind {
    Bcrypt(BcryptHash),
    Argon2(Argon2Hash),
    Firebase(FirebaseHash),
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The password is wrong.
    Wrong,
    /// The password is right.
    Right,
    /// The password is right, and the hash should be replaced: it was made in a different way from new ones, or covers
    /// only the 72 bytes of the password that bcrypt uses.
    RightButOutdated,
    /// It is a Firebase hash, and there is no signer key to check it with.
    NoSignerKey,
}

impl StoredHash {
    /// Parses a hash; `None` when its format is unknown, it is malformed, or checking it would cost more than any
    /// legitimate hash does.
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

    /// The family whose limit of concurrent hashes applies.
    #[must_use]
    pub const fn family(&self) -> HashFamily {
        match self.0 {
            Kind::Bcrypt(_) => HashFamily::Bcrypt,
            Kind::Argon2(_) => HashFamily::Argon2,
            Kind::Firebase(_) => HashFamily::FirebaseScrypt,
        }
    }

    /// Checks a password: as slow as hashing one, and in a time that does not depend on the outcome. `wanted` are the
    /// parameters of new hashes.
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

    /// Whether the hash covers the whole of a matching password.
    #[must_use]
    pub fn knows_all_of(&self, password: &[u8]) -> bool {
        match &self.0 {
            Kind::Bcrypt(hash) => matches!(hash.knows(password), Knows::All),
            Kind::Argon2(_) | Kind::Firebase(_) => true,
        }
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

/// The bytes of `firebase_password_hashing_signer_key`: base64 in either alphabet; other characters are skipped. With
/// an invalid key, no password is right.
#[must_use]
pub fn signer_key_bytes(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|char| char.is_ascii_alphanumeric() || "+/-_".contains(*char)).collect();
    firebase_bytes(&digits).unwrap_or_default()
}

#[cfg(test)]
mod tests;
