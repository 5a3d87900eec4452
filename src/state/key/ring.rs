//! [`KeyRing`]: one app's keys at one moment, ready for use.

use super::vault::KeyVault;
use crate::crypto::access_token::{SigningKeys, TokenKeys, VerifyingKey};
use crate::crypto::refresh_token::RefreshToken;
use crate::crypto::sealing::SealingKey;
use crate::crypto::signature::{PrivateKey, PublicKey};
use crate::crypto::v2_refresh_token::V2RefreshKey;
use crate::domain::entropy::Entropy;
use crate::domain::ids::AppId;
use crate::domain::key::{KeyKind, KeyRules, Kid, RefreshTokenFormat, RingPlan, SigningAlgorithm, SigningKids};
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::metrics::KeySnapshot;
use crate::store::sealing_key::{SealingKeyEntry, V2Secret};
use crate::store::signing_key::SigningKey;
use bytes::Bytes;

/// The name of the sealing key where secrets are bound to names.
pub(super) const SEALING_KEY_NAME: &str = "refresh tokens";
/// The same, of the secret for refresh tokens in the form of the original core.
pub(super) const V2_KEY_NAME: &str = "refresh tokens, V2";
/// `jwtSigningPublicKeyExpiryTime` of the static key: ten years in ms, a constant of the protocol.
const STATIC_EXPIRY: UnixMillis = UnixMillis(10 * 365 * 24 * 3_600_000);

/// One app's keys at one moment; immutable, replaced as a whole.
pub struct KeyRing {
    /// Distinguishes the rings of different apps, including that of an app created again under an old name.
    pub serial: u64,
    /// Keys that sign and verify access tokens and custom JWTs.
    pub tokens: TokenKeys,
    /// The key that seals refresh tokens, and what the app keeps sealed.
    pub refresh_sealing: SealingKey,
    /// The secret for refresh tokens in the form of the original core.
    v2_refresh: Option<V2RefreshKey>,
    /// Whether new refresh tokens have that form.
    mints_v2: bool,
    /// The JWKS document as a line of text, written once per change: `{"keys":[…]}`.
    jwks_line: Bytes,
    /// When the JWKS document may next change by schedule; see [`KeyRing::jwks_max_age_s`].
    pub jwks_max_age_anchor: UnixMillis,
    pub(super) rules: KeyRules,
    pub(super) valid_from: UnixMillis,
    pub(super) valid_until: UnixMillis,
    /// Tokens minted until then are accepted for their whole lifetime, even if no newer ring can be made.
    pub(super) usable_until: UnixMillis,
    rsa: Option<RsaTimes>,
    legacy: Vec<LegacyEntry>,
}

/// How long the ring's RSA keys serve readers limited to RSA.
#[derive(Clone, Copy)]
struct RsaTimes {
    /// When a successor is due.
    due: UnixMillis,
    /// Same as [`KeyRing::usable_until`].
    usable_until: UnixMillis,
}

/// What a caller needs a ring for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Tokens of the app's algorithm.
    Any,
    /// Tokens for readers limited to RSA as well.
    Rsa,
}

/// A verifying key in the form of CDI < 2.21.
struct LegacyEntry {
    kid: Kid,
    kind: KeyKind,
    algorithm: SigningAlgorithm,
    key: LegacyKey,
}

/// The key information of CDI < 2.21.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyKeyInfo {
    /// `jwtSigningPublicKey`: base64 DER (SPKI) of the key that signs now.
    pub public_key: String,
    /// `jwtSigningPublicKeyExpiryTime`.
    pub expiry: UnixMillis,
    /// `jwtSigningPublicKeyList` (CDI ≥ 2.9), newest first.
    pub list: Vec<LegacyKey>,
}

/// One entry of `jwtSigningPublicKeyList`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyKey {
    /// The public key as base64 DER (SPKI).
    pub public_key: String,
    /// When it stops signing.
    pub expiry: UnixMillis,
    /// When it was made.
    pub created: UnixMillis,
}

impl KeyRing {
    /// Seals a new refresh token, in the form that the app has chosen.
    #[must_use]
    pub fn seal_refresh_token(&self, token: &RefreshToken, entropy: &dyn Entropy) -> Secret<String> {
        match &self.v2_refresh {
            Some(key) if self.mints_v2 => key.seal(token, entropy),
            _ => self.refresh_sealing.seal_refresh_token(token, entropy),
        }
    }

    /// Opens a presented refresh token. The text's outer form decides which key is tried, and no other one is.
    #[must_use]
    pub fn open_refresh_token(&self, text: &str) -> Option<RefreshToken> {
        if V2RefreshKey::is_of_this_form(text) {
            self.v2_refresh.as_ref()?.open(text)
        } else {
            self.refresh_sealing.open_refresh_token(text)
        }
    }

    /// Whether new refresh tokens have the form of the original core.
    #[must_use]
    pub const fn mints_v2_refresh_tokens(&self) -> bool {
        self.mints_v2 && self.v2_refresh.is_some()
    }

    /// Whether refresh tokens of that form are accepted.
    #[must_use]
    pub const fn opens_v2_refresh_tokens(&self) -> bool {
        self.v2_refresh.is_some()
    }

    /// The JWKS document: `{"keys":[…]}`.
    #[must_use]
    pub fn jwks(&self) -> Bytes {
        self.jwks_line.slice(..self.jwks_line.len().saturating_sub(1))
    }

    /// The same as text.
    #[must_use]
    pub fn jwks_text(&self) -> &str {
        // invariant: it was written as text
        std::str::from_utf8(&self.jwks_line).unwrap_or_default().trim_end()
    }

    /// The JWKS document and the newline that ends bodies in the protocol.
    #[must_use]
    pub fn jwks_line(&self) -> Bytes {
        self.jwks_line.clone()
    }

    /// `max-age` of the JWKS document in seconds: the time until a new key may be published, at least 1.
    #[must_use]
    pub fn jwks_max_age_s(&self, now: UnixMillis) -> u64 {
        (now.until(self.jwks_max_age_anchor) / 1000).max(1)
    }

    /// True when a reader limited to RSA cannot process the JWKS document.
    #[must_use]
    pub fn jwks_needs_more_than_rsa(&self) -> bool {
        self.legacy.iter().any(|entry| entry.algorithm != SigningAlgorithm::RS256)
    }

    /// Public keys in the form of CDI < 2.21, for an app whose tokens are signed with keys of this kind: its RSA keys,
    /// which sign the tokens of those versions. `None` while it has none.
    #[must_use]
    pub fn legacy_key_info(&self, kind: KeyKind) -> Option<LegacyKeyInfo> {
        let signing = self.tokens.rsa_signing_kid(kind)?;
        let current = &self.legacy.iter().find(|entry| entry.kid == *signing)?.key;
        let fit = self.legacy.iter().filter(|entry| entry.kind == kind && entry.algorithm == SigningAlgorithm::RS256);
        Some(LegacyKeyInfo {
            public_key: current.public_key.clone(),
            expiry: current.expiry,
            list: fit.map(|entry| entry.key.clone()).collect(),
        })
    }

    /// Figures for `/metrics`.
    #[must_use]
    pub fn snapshot(&self, now: UnixMillis) -> KeySnapshot {
        let signing = self.tokens.signing_kid(KeyKind::Dynamic);
        let created = self.legacy.iter().find(|entry| entry.kid == *signing).map(|entry| entry.key.created);
        KeySnapshot {
            rings: 1,
            published: u64::try_from(self.legacy.len()).unwrap_or(u64::MAX),
            signing_age_ms: created.map(|created| created.age(now).at_least()),
            next_change_ms: Some(now.until(self.jwks_max_age_anchor)),
        }
    }

    /// True while this ring is the one that the schedule requires.
    pub(super) fn is_current(&self, rules: KeyRules, need: Need, now: UnixMillis) -> bool {
        self.rules == rules
            && self.valid_from <= now
            && now < self.valid_until
            && (need == Need::Any || self.rsa.is_some_and(|rsa| now <= rsa.due))
    }

    /// True while this ring may serve although the schedule requires another one.
    pub(super) fn is_usable(&self, need: Need, now: UnixMillis) -> bool {
        now < self.usable_until && (need == Need::Any || self.rsa.is_some_and(|rsa| now < rsa.usable_until))
    }
}

/// The data from which a ring is built.
pub(super) struct RingParts<'a> {
    pub(super) app: &'a AppId,
    pub(super) serial: u64,
    pub(super) rules: KeyRules,
    /// The form of new refresh tokens.
    pub(super) refresh_tokens: RefreshTokenFormat,
    pub(super) now: UnixMillis,
    pub(super) plan: RingPlan,
    pub(super) keys: &'a [SigningKey],
    pub(super) sealing: &'a SealingKeyEntry,
    pub(super) vault: &'a KeyVault,
}

impl RingParts<'_> {
    pub(super) fn ring(self) -> Result<KeyRing, Fault> {
        let mut verifying = Vec::new();
        let mut legacy = Vec::new();
        let mut jwks = String::from(r#"{"keys":["#);
        for kid in &self.plan.verifying {
            let stored = self.stored(kid)?;
            let key = PublicKey::from_bytes(stored.life.algorithm, &stored.public).map_err(broken)?;
            if !verifying.is_empty() {
                jwks.push(',');
            }
            jwks.push_str(&key.jwk(kid.as_str()).map_err(broken)?);
            legacy.push(self.legacy(stored, &key)?);
            let is_moved_in = stored.life.moved_in.is_some();
            verifying.push(VerifyingKey { kid: kid.clone(), key, is_moved_in });
        }
        jwks.push_str("]}\n");
        let rsa = self.plan.rsa.as_ref();
        let rsa_times = rsa.map(|rsa| {
            let usable_until = self.usable_until(&rsa.signing)?;
            Ok::<_, Fault>(RsaTimes { due: rsa.next_key_due, usable_until })
        });
        Ok(KeyRing {
            serial: self.serial,
            tokens: TokenKeys::new(
                verifying,
                self.signing_keys(&self.plan.signing)?,
                rsa.map(|rsa| self.signing_keys(&rsa.signing)).transpose()?,
            ),
            refresh_sealing: open_sealing_key(self.vault, self.app, self.sealing)?,
            v2_refresh: self.sealing.v2.as_ref().map(|v2| open_v2_key(self.vault, self.app, v2)).transpose()?,
            mints_v2: self.refresh_tokens == RefreshTokenFormat::V2,
            jwks_line: jwks.into_bytes().into_boxed_slice().into(),
            jwks_max_age_anchor: self.plan.next_key_due,
            rules: self.rules,
            valid_from: self.now,
            valid_until: self.plan.valid_until,
            usable_until: self.usable_until(&self.plan.signing)?,
            rsa: rsa_times.transpose()?,
            legacy,
        })
    }

    fn signing_keys(&self, kids: &SigningKids) -> Result<SigningKeys, Fault> {
        Ok(SigningKeys { dynamic: self.private(&kids.dynamic)?, fixed: self.private(&kids.fixed)? })
    }

    fn usable_until(&self, kids: &SigningKids) -> Result<UnixMillis, Fault> {
        let created = self.stored(&kids.dynamic)?.life.created;
        Ok(created.plus(self.rules.update_interval_ms).plus(self.rules.access_token_validity_ms))
    }

    fn stored(&self, kid: &Kid) -> Result<&SigningKey, Fault> {
        self.keys
            .iter()
            .find(|key| key.life.kid == *kid)
            .ok_or(Fault::invariant("finding a planned key among the stored ones"))
    }

    fn private(&self, kid: &Kid) -> Result<(Kid, PrivateKey), Fault> {
        let stored = self.stored(kid)?;
        let secret = self.vault.open(self.app, kid.as_str(), &stored.secret);
        let secret = secret.map_err(|error| Fault::new("opening a signing key", error))?;
        let key = PrivateKey::from_secret_bytes(stored.life.algorithm, &secret).map_err(broken)?;
        // A public half that was swapped in the store would otherwise make every new token worthless.
        if key.public_key().map_err(broken)?.to_bytes() != stored.public {
            return Err(Fault::invariant("matching the halves of a signing key"));
        }
        Ok((kid.clone(), key))
    }

    fn legacy(&self, stored: &SigningKey, key: &PublicKey) -> Result<LegacyEntry, Fault> {
        let life = &stored.life;
        let expiry = match life.kind {
            KeyKind::Dynamic => life.created.plus(self.rules.update_interval_ms),
            KeyKind::Static => STATIC_EXPIRY,
        };
        let public_key = key.spki_base64().map_err(broken)?;
        Ok(LegacyEntry {
            kid: life.kid.clone(),
            kind: life.kind,
            algorithm: life.algorithm,
            key: LegacyKey { public_key, expiry, created: life.created },
        })
    }
}

/// An app's sealing key, ready for use.
pub(super) fn open_sealing_key(vault: &KeyVault, app: &AppId, stored: &SealingKeyEntry) -> Result<SealingKey, Fault> {
    let doing = "opening the key for refresh tokens";
    let secret = vault.open(app, SEALING_KEY_NAME, &stored.secret);
    let secret = secret.map_err(|error| Fault::new(doing, error))?;
    let bytes = secret.expose().as_slice().try_into().map_err(|_| Fault::invariant(doing))?;
    Ok(SealingKey::new(stored.id, Secret::new(bytes)))
}

/// An app's secret for refresh tokens in the form of the original core, ready for use.
fn open_v2_key(vault: &KeyVault, app: &AppId, stored: &V2Secret) -> Result<V2RefreshKey, Fault> {
    let doing = "opening the secret for V2 refresh tokens";
    let secret = vault.open(app, V2_KEY_NAME, &stored.secret).map_err(|error| Fault::new(doing, error))?;
    let text = std::str::from_utf8(secret.expose()).map_err(|_| Fault::invariant(doing))?;
    Ok(V2RefreshKey::new(Secret::new(text.to_owned())))
}

fn broken(error: crate::crypto::signature::KeyError) -> Fault {
    Fault::new("reading a stored key", error)
}
