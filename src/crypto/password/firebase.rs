//! Firebase's variant of scrypt: `$f_scrypt$<hash>$<salt>$m=<memory cost>$r=<rounds>$s=<salt separator>`.
//!
//! The password's scrypt is the key under which the project's signer key is encrypted; the result is the hash.

use super::common::firebase_bytes;
use crate::domain::password::limits::MAX_FIREBASE_MEMORY;
use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use scrypt::Params;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The length of scrypt's output; its first half is the key.
const DERIVED_BYTES: usize = 64;
const KEY_BYTES: usize = 32;

/// A Firebase hash.
#[derive(Clone)]
pub(super) struct FirebaseHash {
    text: String,
    hash: Vec<u8>,
    /// The salt and the separator.
    salt: Vec<u8>,
    params: Params,
}

impl FirebaseHash {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split('$').collect();
        let ["", "f_scrypt", hash, salt, last @ ..] = fields.as_slice() else { return None };
        let last: &[&str; 3] = last.try_into().ok()?;
        let find = |prefix: &str| last.iter().find_map(|field| field.strip_prefix(prefix));
        let (memory_cost, rounds) = (find("m=")?.parse::<u8>().ok()?, find("r=")?.parse::<u32>().ok()?);
        let memory = 1_u64.checked_shl(memory_cost.into())?.checked_mul(128)?.checked_mul(rounds.into())?;
        if memory > MAX_FIREBASE_MEMORY || memory_cost == 0 {
            return None;
        }
        let params = Params::new(memory_cost, rounds, 1).ok()?;
        let hash = firebase_bytes(hash).filter(|hash| !hash.is_empty())?;
        let salt = [firebase_bytes(salt)?, firebase_bytes(find("s=")?)?].concat();
        Some(Self { text: text.to_owned(), hash, salt, params })
    }

    pub(super) fn text(&self) -> String {
        self.text.clone()
    }

    pub(super) fn matches(&self, password: &[u8], signer_key: &[u8]) -> bool {
        let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
        // invariant: scrypt makes 64 bytes
        if scrypt::scrypt(password, &self.salt, &self.params, derived.as_mut()).is_err() {
            return false;
        }
        let key = derived.get(..KEY_BYTES).unwrap_or_default();
        let Ok(mut cipher) = Ctr128BE::<Aes256>::new_from_slices(key, &[0; 16]) else { return false };
        let mut encrypted = signer_key.to_vec();
        cipher.apply_keystream(&mut encrypted);
        encrypted.ct_eq(&self.hash).into()
    }
}
