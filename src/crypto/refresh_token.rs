//! Refresh tokens: sealed, so opaque to everyone else.
//!
//! base64url without padding of `format (1) ‖ key id (4) ‖ salt (12) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`. Salt and
//! nonce are random: each token is sealed under its own key, derived from the app's. Format and key id are bound to the
//! ciphertext as additional data.

use crate::crypto::sealing::{NONCE_LEN, SealingKey};
use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::secret::Secret;
use crate::domain::token_hash::TokenHash1;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The first byte of a new token; a new layout gets the next number.
const FORMAT: u8 = 2;
/// Tokens of this layout have 8 more bytes after the generation, which are ignored: the time at which the token was
/// made.
const FORMAT_WITH_TIME: u8 = 1;
/// Format and key id.
const PREFIX_LEN: usize = 5;
const SALT_LEN: usize = 12;
/// Longer texts are refused before any work is done.
pub(super) const MAX_TEXT: usize = 2 << 20;

const HAS_TENANT: u8 = 1;
const HAS_PARENT: u8 = 2;
const HAS_ANTI_CSRF: u8 = 4;

/// The content of a refresh token, readable only for us. Two tokens with the same content differ in 24 random bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session; carries the tenant.
    pub handle: SessionHandle,
    /// The user of the login method.
    pub user_id: UserId,
    /// The hash of the refresh token it was exchanged for; `None` for a session's first.
    pub parent_refresh_token_hash_1: Option<TokenHash1>,
    /// The anti-CSRF token, if enabled.
    pub anti_csrf_token: Option<String>,
    /// The family's generation when it was minted (see `domain::session::family`); 0 in a token whose form does not
    /// contain it (see [`v2_refresh_token`](super::v2_refresh_token)).
    pub generation: u64,
}

impl SealingKey {
    /// Seals a refresh token into text.
    #[must_use]
    pub fn seal_refresh_token(&self, token: &RefreshToken, entropy: &dyn Entropy) -> Secret<String> {
        let prefix = self.prefix(FORMAT);
        let fresh: [u8; SALT_LEN + NONCE_LEN] = random_bytes(entropy);
        let (salt, nonce) = fresh.split_first_chunk::<SALT_LEN>().unwrap_or((&[0; SALT_LEN], &fresh));
        let nonce: [u8; NONCE_LEN] = nonce.try_into().unwrap_or([0; NONCE_LEN]);
        let plaintext = Secret::new(token.encode());
        // invariant: only messages above 64 GiB are refused; a text without ciphertext cannot be opened by anyone
        let sealed = self.for_message(salt).seal(&nonce, &prefix, plaintext.expose()).unwrap_or_default();
        Secret::new(URL_SAFE_NO_PAD.encode([&prefix[..], &fresh, &sealed].concat()))
    }

    /// Opens a presented refresh token. `None` for anything that this key did not seal.
    #[must_use]
    pub fn open_refresh_token(&self, text: &str) -> Option<RefreshToken> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX_LEN>()?;
        let (salt, rest) = rest.split_first_chunk::<SALT_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let [format, ..] = *prefix;
        if !matches!(format, FORMAT | FORMAT_WITH_TIME) || *prefix != self.prefix(format) {
            return None;
        }
        let plaintext = Secret::new(self.for_message(salt).open(nonce, prefix, sealed)?);
        RefreshToken::decode(format, plaintext.expose())
    }

    const fn prefix(&self, format: u8) -> [u8; PREFIX_LEN] {
        let [a, b, c, d] = self.id().to_be_bytes();
        [format, a, b, c, d]
    }
}

impl RefreshToken {
    fn encode(&self) -> Vec<u8> {
        let tenant = (!self.handle.tenant.is_public()).then_some(self.handle.tenant.as_str());
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let mut bytes = Vec::with_capacity(160 + self.user_id.as_str().len());
        bytes.push(
            flag(tenant.is_some(), HAS_TENANT)
                | flag(self.parent_refresh_token_hash_1.is_some(), HAS_PARENT)
                | flag(self.anti_csrf_token.is_some(), HAS_ANTI_CSRF),
        );
        bytes.extend(self.handle.uuid.as_bytes());
        bytes.extend(self.generation.to_le_bytes());
        if let Some(parent) = &self.parent_refresh_token_hash_1 {
            bytes.extend(parent.as_bytes());
        }
        put_text(&mut bytes, self.user_id.as_str());
        if let Some(tenant) = tenant {
            put_text(&mut bytes, tenant);
        }
        if let Some(token) = &self.anti_csrf_token {
            put_text(&mut bytes, token);
        }
        bytes
    }

    fn decode(format: u8, bytes: &[u8]) -> Option<Self> {
        let (&flags, rest) = bytes.split_first()?;
        let (uuid, rest) = rest.split_first_chunk::<16>()?;
        let (generation, mut rest) = rest.split_first_chunk::<8>()?;
        if format == FORMAT_WITH_TIME {
            rest = rest.split_first_chunk::<8>()?.1;
        }
        let mut parent = None;
        if flags & HAS_PARENT != 0 {
            let (hash, after) = rest.split_first_chunk::<32>()?;
            parent = Some(TokenHash1::from_bytes(*hash));
            rest = after;
        }
        let user_id = UserId::new(take_text(&mut rest)?);
        let tenant = if flags & HAS_TENANT == 0 { TenantId::public() } else { TenantId::new(take_text(&mut rest)?) };
        let anti_csrf_token = if flags & HAS_ANTI_CSRF == 0 { None } else { Some(take_text(&mut rest)?.to_owned()) };
        rest.is_empty().then(|| Self {
            handle: SessionHandle { uuid: Uuid::from_bytes(*uuid), tenant },
            user_id,
            parent_refresh_token_hash_1: parent,
            anti_csrf_token,
            generation: u64::from_le_bytes(*generation),
        })
    }
}

/// Appends a text: length (little-endian, 7 bits a byte), then UTF-8.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    loop {
        let [low, ..] = length.to_le_bytes();
        length >>= 7;
        if length == 0 {
            bytes.push(low & 0x7F);
            break;
        }
        bytes.push(low | 0x80);
    }
    bytes.extend(text.as_bytes());
}

/// Reads what [`put_text`] appended.
fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let mut length = 0usize;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        length |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            let (text, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            return std::str::from_utf8(text).ok();
        }
    }
    None
}
