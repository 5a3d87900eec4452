//! Authenticated encryption (AES-256-GCM) of refresh tokens, stored keys, and what an app keeps sealed.

use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::secret::Secret;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key};
use hkdf::Hkdf;
use sha2::Sha256;

/// Length of an AES-256 key.
pub const KEY_LEN: usize = 32;
/// Length of the nonce of one message.
pub const NONCE_LEN: usize = 12;

/// Seals and opens an app's refresh tokens. Its id is part of each token, so that several keys can coexist.
#[derive(Clone, Debug)]
pub struct SealingKey {
    id: u32,
    root: Secret<[u8; KEY_LEN]>,
}

impl SealingKey {
    /// A key, and the number that identifies it in tokens.
    #[must_use]
    pub const fn new(id: u32, root: Secret<[u8; KEY_LEN]>) -> Self {
        Self { id, root }
    }

    /// The number that identifies it in tokens.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// A secret of the app for another purpose; secrets for different purposes reveal nothing about each other.
    pub(crate) fn for_purpose(&self, purpose: &[u8]) -> Secret<[u8; KEY_LEN]> {
        derive(self.root.expose(), &[purpose])
    }

    /// A key of the app for data it stores for one purpose. A change of the master key does not affect it.
    #[must_use]
    pub fn at_rest(&self, purpose: &[u8]) -> MessageKey {
        MessageKey::new(&self.for_purpose(purpose))
    }

    /// The key for one message: with a fresh key each time, random nonces of 12 bytes cannot run out.
    pub(crate) fn for_message(&self, salt: &[u8]) -> MessageKey {
        MessageKey::new(&derive(self.root.expose(), &[b"sessiond refresh token", salt]))
    }
}

/// An AES-256-GCM key that is ready for use.
pub struct MessageKey(Box<Aes256Gcm>);

impl MessageKey {
    /// Expands a key.
    #[must_use]
    pub fn new(key: &Secret<[u8; KEY_LEN]>) -> Self {
        Self(Box::new(Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key.expose()))))
    }

    /// `ciphertext ‖ tag` of `plaintext`, bound to `aad`.
    ///
    /// `None` only above 64 GiB.
    #[must_use]
    pub fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(nonce.into(), Payload { msg: plaintext, aad }).ok()
    }

    /// The plaintext, if `sealed` came from [`MessageKey::seal`] with the same key, nonce and `aad`.
    #[must_use]
    pub fn open(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(nonce.into(), Payload { msg: sealed, aad }).ok()
    }
}

impl MessageKey {
    /// `nonce ‖ ciphertext ‖ tag`, for keys with so few messages (below 2^32) that random nonces do not run out.
    #[must_use]
    pub fn seal_at_rest(&self, place: &[u8], plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random_bytes(entropy);
        // invariant: only messages above 64 GiB are refused; then what is stored cannot be opened by anyone
        let sealed = self.seal(&nonce, place, plaintext).unwrap_or_default();
        [&nonce[..], &sealed].concat()
    }

    /// The plaintext that was passed to [`MessageKey::seal_at_rest`] for this place.
    #[must_use]
    pub fn open_at_rest(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        self.open(nonce, place, sealed)
    }
}

/// HKDF-SHA256 (RFC 5869), expand step: a key for the purpose given by `info`.
fn derive(root: &[u8; KEY_LEN], info: &[&[u8]]) -> Secret<[u8; KEY_LEN]> {
    let mut key = Secret::new([0; KEY_LEN]);
    // invariant: a root of hash length and an output of hash length are always accepted
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(root) {
        let _ = hkdf.expand_multi_info(info, key.expose_mut());
    }
    key
}

/// HKDF-SHA256 (RFC 5869), extract and expand: the key derived from a master key for one data folder.
#[must_use]
pub fn key_from_master(master: &Secret<String>, salt: &[u8]) -> Secret<[u8; KEY_LEN]> {
    let mut key = Secret::new([0; KEY_LEN]);
    // invariant: an output of hash length is always accepted
    let _ =
        Hkdf::<Sha256>::new(Some(salt), master.expose().as_bytes()).expand(b"sessiond keys at rest", key.expose_mut());
    key
}
