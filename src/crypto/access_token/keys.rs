//! [`TokenKeys`]: the keys that sign and verify an app's tokens at one moment.

use super::claims::Origin;
use super::parts::TokenParts;
use super::{AccessToken, MintError, NewAccessToken, TokenRefusal, claims, header, mint};
use crate::crypto::signature::{PrivateKey, PublicKey};
use crate::domain::key::{KeyKind, Kid, SigningAlgorithm};
use crate::domain::secret::Secret;
use crate::domain::session::{AccessTokenVersion, IssuedToken};
use crate::domain::time::UnixMillis;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::collections::HashMap;

/// The keys that sign and verify an app's tokens at one moment.
pub struct TokenKeys {
    signing: Signers,
    /// The keys that sign for readers limited to RSA.
    rsa: Option<Signers>,
    verifying: Vec<VerifyingKey>,
    /// Encoded headers that name a key, with their meaning.
    headers: HashMap<String, Header>,
    /// Encoded headers of tokens that do not name a key.
    legacy_headers: [(String, SigningAlgorithm, AccessTokenVersion); 4],
    /// The encoded header of new tokens that do not name a key.
    nested_header: String,
}

/// A key whose tokens are accepted.
pub struct VerifyingKey {
    /// Its name.
    pub kid: Kid,
    /// Its public half.
    pub key: PublicKey,
    /// Whether an original core has signed with it, too.
    pub is_moved_in: bool,
}

/// The keys that sign, with their names: one of each kind.
pub struct SigningKeys {
    /// The dynamic key.
    pub dynamic: (Kid, PrivateKey),
    /// The static key.
    pub fixed: (Kid, PrivateKey),
}

/// The content of a header that names a key.
#[derive(Clone, Copy)]
struct Header {
    /// The key's index among the verifying keys.
    index: usize,
    version: AccessTokenVersion,
    origin: Origin,
}

struct Signers {
    dynamic: Signer,
    fixed: Signer,
}

struct Signer {
    kid: Kid,
    key: PrivateKey,
    flat_headers: [(AccessTokenVersion, String); 3],
    custom_header: String,
}

impl TokenKeys {
    /// The keys that verify (in the order of the JWKS document), and those of them that sign: the general ones, and, if
    /// the app has any, the RSA keys for layouts whose readers support nothing else.
    #[must_use]
    pub fn new(verifying: Vec<VerifyingKey>, signing: SigningKeys, rsa: Option<SigningKeys>) -> Self {
        use AccessTokenVersion::{V1, V2, V3, V4, V5};
        use SigningAlgorithm::{EdDSA, RS256};
        let mut headers = HashMap::new();
        for (index, VerifyingKey { kid, key, is_moved_in }) in verifying.iter().enumerate() {
            for version in [V3, V4, V5] {
                let header = Header { index, version, origin: Origin::Server };
                headers.insert(header::flat(key.algorithm(), kid, version), header);
            }
            let custom = Header { index, version: V5, origin: Origin::Application };
            headers.insert(header::custom(key.algorithm(), kid), custom);
            if *is_moved_in {
                for version in [V3, V4, V5] {
                    let header = Header { index, version, origin: Origin::Core };
                    headers.insert(header::of_core(kid, Some(version)), header);
                }
                headers.insert(header::of_core(kid, None), custom);
            }
        }
        // Version 1 is no longer minted. Earlier releases minted EdDSA under a nested header.
        let legacy_headers = [(EdDSA, V1), (EdDSA, V2), (RS256, V1), (RS256, V2)]
            .map(|(algorithm, version)| (header::legacy(algorithm, version), algorithm, version));
        Self {
            signing: Signers::new(signing),
            rsa: rsa.map(Signers::new),
            verifying,
            headers,
            legacy_headers,
            nested_header: header::legacy(RS256, V2),
        }
    }

    /// Mints an access token with the key of this kind that signs now: an RSA key where the layout needs one. `expiry`
    /// and `created` of the result are the values for the reply's JSON.
    ///
    /// # Errors
    /// [`MintError::ProtectedClaim`], a missing RSA key, or a key that fails.
    pub fn mint(&self, kind: KeyKind, token: &NewAccessToken<'_>) -> Result<IssuedToken, MintError> {
        let claims = Secret::new(mint::claims(token)?);
        let signers = if token.version.needs_rsa() { self.rsa.as_ref() } else { Some(&self.signing) };
        let signer = signers.ok_or(MintError::NoRsaKey)?.of(kind);
        let text = match signer.flat_headers.iter().find(|(known, _)| *known == token.version) {
            Some((_, header)) => signer.sign(header, &URL_SAFE_NO_PAD, claims.expose())?,
            None => signer.sign(&self.nested_header, &STANDARD, claims.expose())?,
        };
        Ok(IssuedToken {
            token: text,
            expiry: mint::moment(token.version, token.expiry),
            created: mint::moment(token.version, token.created),
        })
    }

    /// Signs a custom JWT (CDI: `POST /recipe/jwt`) with these claims, JSON text that is used unchanged.
    ///
    /// # Errors
    /// When the key fails.
    pub fn sign_custom(&self, kind: KeyKind, claims: &str) -> Result<Secret<String>, MintError> {
        let signer = self.signing.of(kind);
        signer.sign(&signer.custom_header, &URL_SAFE_NO_PAD, claims)
    }

    /// Checks structure, key, signature, claims and expiry. Prefer [`VerifiedTokens`], which caches the result.
    ///
    /// [`VerifiedTokens`]: crate::state::verified_tokens::VerifiedTokens
    ///
    /// # Errors
    /// The first check that failed.
    pub fn verify(&self, token: &str, now: UnixMillis) -> Result<AccessToken, TokenRefusal> {
        let (token, _) = self.verify_whenever(token)?;
        token.check_expiry(now)?;
        Ok(token)
    }

    /// Same as [`verify`](Self::verify) without the expiry; also returns the key that signed.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn verify_whenever(&self, token: &str) -> Result<(AccessToken, &Kid), TokenRefusal> {
        let parts = TokenParts::split(token)?;
        if let Some(&Header { index, version, origin }) = self.headers.get(parts.header) {
            // invariant: `headers` holds indices into `verifying`
            let VerifyingKey { kid, key, .. } = self.verifying.get(index).ok_or(TokenRefusal::UnknownKey)?;
            let signature = URL_SAFE_NO_PAD.decode(parts.signature).map_err(|_| TokenRefusal::BadSignature)?;
            if !key.verify(parts.signed.as_bytes(), &signature) {
                return Err(TokenRefusal::BadSignature);
            }
            let payload = parts.payload_bytes(version)?;
            return Ok((claims::parse(version, &payload, origin)?, kid));
        }
        let legacy = self.legacy_headers.iter().find(|(header, ..)| header == parts.header);
        let Some(&(_, algorithm, version)) = legacy else {
            let ours = header::claimed_version(parts.header).is_some();
            return Err(if ours { TokenRefusal::UnknownKey } else { TokenRefusal::Unparsable });
        };
        let signature = STANDARD.decode(parts.signature).map_err(|_| TokenRefusal::BadSignature)?;
        let mut candidates = self.verifying.iter().filter(|known| known.key.algorithm() == algorithm);
        let VerifyingKey { kid, is_moved_in, .. } = candidates
            .find(|known| known.key.verify(parts.signed.as_bytes(), &signature))
            .ok_or(TokenRefusal::BadSignature)?;
        let origin = if *is_moved_in { Origin::Core } else { Origin::Server };
        Ok((claims::parse(version, &parts.payload_bytes(version)?, origin)?, kid))
    }

    /// True while tokens of this key are accepted.
    #[must_use]
    pub fn verifies(&self, kid: &Kid) -> bool {
        self.verifying.iter().any(|known| known.kid == *kid)
    }

    /// The name of the key of this kind that signs now.
    #[must_use]
    pub const fn signing_kid(&self, kind: KeyKind) -> &Kid {
        &self.signing.of(kind).kid
    }

    /// The name of the RSA key of this kind that signs now for readers limited to RSA, if there is one.
    #[must_use]
    pub fn rsa_signing_kid(&self, kind: KeyKind) -> Option<&Kid> {
        self.rsa.as_ref().map(|signers| &signers.of(kind).kid)
    }
}

impl Signers {
    fn new(keys: SigningKeys) -> Self {
        Self { dynamic: Signer::new(keys.dynamic), fixed: Signer::new(keys.fixed) }
    }

    const fn of(&self, kind: KeyKind) -> &Signer {
        match kind {
            KeyKind::Dynamic => &self.dynamic,
            KeyKind::Static => &self.fixed,
        }
    }
}

impl Signer {
    fn new((kid, key): (Kid, PrivateKey)) -> Self {
        use AccessTokenVersion::{V3, V4, V5};
        let algorithm = key.algorithm();
        Self {
            flat_headers: [V3, V4, V5].map(|version| (version, header::flat(algorithm, &kid, version))),
            custom_header: header::custom(algorithm, &kid),
            kid,
            key,
        }
    }

    fn sign(&self, header: &str, base64: &impl base64::Engine, claims: &str) -> Result<Secret<String>, MintError> {
        let mut text = String::with_capacity(header.len() + claims.len() * 4 / 3 + 360);
        text.push_str(header);
        text.push('.');
        base64.encode_string(claims, &mut text);
        let signature = self
            .key
            .sign(text.as_bytes())
            .map_err(|source| MintError::Signing { kid: self.kid.to_string(), source })?;
        text.push('.');
        base64.encode_string(signature, &mut text);
        Ok(Secret::new(text))
    }
}
