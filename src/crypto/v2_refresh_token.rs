//! Refresh tokens in the form of the original core (protocol: 01, 4; "V2"), for apps that were moved in from one or are
//! to be moved out to one.
//!
//! `base64(iv ‖ ciphertext ‖ tag)`, `.`, nonce, `.V2`: AES-256-GCM without additional data, under a key that PBKDF2
//! derives from the app's secret with the initialisation vector as its salt. The plaintext is JSON and repeats the
//! nonce.

use super::refresh_token::{MAX_TEXT, RefreshToken};
use super::sealing::{KEY_LEN, MessageKey, NONCE_LEN};
use crate::domain::entropy::{Entropy, random_bytes, random_uuid};
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::secret::Secret;
use crate::domain::token_hash::{TokenHash1, hex};
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA512, derive};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::num::NonZeroU32;

/// The last part of a token's text.
const SUFFIX: &str = "V2";
/// Rounds of PBKDF2: the secret is random, so they need not slow anyone down.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(100) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};
/// Random bytes in each of the two parts of a secret that is made here.
const PART_LEN: usize = 64;

/// An app's secret for refresh tokens of this form.
#[derive(Clone, Debug)]
pub struct V2RefreshKey(Secret<String>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    session_handle: String,
    user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_refresh_token_hash1: Option<String>,
    nonce: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    anti_csrf_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<String>,
}

impl V2RefreshKey {
    /// Wraps the text in which an original core stores the secret; all of it is the secret.
    #[must_use]
    pub const fn new(text: Secret<String>) -> Self {
        Self(text)
    }

    /// A new secret, in the original's form: `1000:<hex>:<hex>`.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let bytes: Secret<[u8; 2 * PART_LEN]> = Secret::new(random_bytes(entropy));
        let mut text = Secret::new(String::from("1000"));
        for part in bytes.expose().chunks(PART_LEN) {
            text.expose_mut().push(':');
            for byte in part {
                // invariant: writing to a String succeeds
                let _ = write!(text.expose_mut(), "{byte:02x}");
            }
        }
        Self(text)
    }

    /// The text to store.
    #[must_use]
    pub const fn text(&self) -> &Secret<String> {
        &self.0
    }

    /// True for text that has the outer form of these tokens; those sealed by [`SealingKey`] contain no dot.
    ///
    /// [`SealingKey`]: super::sealing::SealingKey
    #[must_use]
    pub fn is_of_this_form(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Seals a refresh token into text. The family's generation is not part of it.
    #[must_use]
    pub fn seal(&self, token: &RefreshToken, entropy: &dyn Entropy) -> Secret<String> {
        let iv: [u8; NONCE_LEN] = random_bytes(entropy);
        let nonce = hex(&Sha256::digest(random_uuid(entropy).to_string()).into());
        let content = Content {
            session_handle: token.handle.to_string(),
            user_id: token.user_id.as_str().to_owned(),
            parent_refresh_token_hash1: token.parent_refresh_token_hash_1.as_ref().map(TokenHash1::to_hex),
            nonce,
            anti_csrf_token: token.anti_csrf_token.clone(),
            tenant_id: (!token.handle.tenant.is_public()).then(|| token.handle.tenant.as_str().to_owned()),
        };
        // invariant: texts always serialise, and only messages above 64 GiB are not sealed; then nobody can open it
        let plaintext = Secret::new(serde_json::to_vec(&content).unwrap_or_default());
        let sealed = self.for_message(&iv).seal(&iv, &[], plaintext.expose()).unwrap_or_default();
        Secret::new(format!("{}.{}.{SUFFIX}", STANDARD.encode([&iv[..], &sealed].concat()), content.nonce))
    }

    /// Opens a presented refresh token. `None` for anything that was not sealed with this secret. The token's generation
    /// is 0, because this form does not contain it.
    #[must_use]
    pub fn open(&self, text: &str) -> Option<RefreshToken> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let (sealed, rest) = text.split_once('.')?;
        let nonce = rest.strip_suffix(SUFFIX)?.strip_suffix('.')?;
        let bytes = STANDARD.decode(sealed).ok()?;
        let (iv, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let plaintext = Secret::new(self.for_message(iv).open(iv, &[], sealed)?);
        let content: Content = serde_json::from_slice(plaintext.expose()).ok()?;
        let handle = SessionHandle::parse(&content.session_handle)?;
        let tenant = content.tenant_id.map_or_else(TenantId::public, TenantId::new);
        if content.nonce != nonce || handle.tenant != tenant {
            return None;
        }
        let parent = content.parent_refresh_token_hash1.map(|parent| TokenHash1::parse(&parent).ok_or(())).transpose();
        Some(RefreshToken {
            handle,
            user_id: UserId::new(content.user_id),
            parent_refresh_token_hash_1: parent.ok()?,
            anti_csrf_token: content.anti_csrf_token,
            generation: 0,
        })
    }

    fn for_message(&self, iv: &[u8; NONCE_LEN]) -> MessageKey {
        let mut key = Secret::new([0; KEY_LEN]);
        derive(PBKDF2_HMAC_SHA512, ROUNDS, iv, self.0.expose().as_bytes(), key.expose_mut());
        MessageKey::new(&key)
    }
}
