//! Tokens that others have signed, checked against the keys that they publish (RFC 7515, 7517 and 7518), and the one
//! kind that is signed for others: ES256.

use crate::domain::secret::Secret;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// A signature algorithm. Those without a public key are not among them, and neither is `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFlaw {
    /// It is no token in the compact form.
    #[error("it is not a signed token")]
    Unparsable,
    /// It is signed in a way that is never accepted, or that does not fit the key.
    #[error("its algorithm is not accepted")]
    Algorithm,
    /// The issuer publishes no such key.
    #[error("its key is unknown")]
    UnknownKey,
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature,
}

/// A token whose signature has not been checked.
pub struct SignedToken<'t> {
    algorithm: Algorithm,
    /// The id of the key that is said to have signed it.
    kid: Option<String>,
    payload: &'t str,
    signed: &'t str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

impl<'t> SignedToken<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it is no token, or one of a kind that is never accepted.
    pub fn parse(token: &'t str) -> Result<Self, TokenFlaw> {
        let unparsable = || TokenFlaw::Unparsable;
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= MAX_TOKEN).ok_or_else(unparsable)?;
        let (header, payload) = signed.split_once('.').ok_or_else(unparsable)?;
        if payload.contains('.') {
            return Err(TokenFlaw::Unparsable);
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenFlaw::Unparsable)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| TokenFlaw::Unparsable)?;
        // A critical extension that is not understood must not be passed over (RFC 7515, section 4.1.11).
        let algorithm = Algorithm::of(&header.alg).filter(|_| header.crit.is_none()).ok_or(TokenFlaw::Algorithm)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenFlaw::Unparsable)?;
        Ok(Self { algorithm, kid: header.kid, payload, signed, signature })
    }
}

/// The keys that an issuer publishes. Those of other kinds than the accepted ones are left out.
#[derive(Default)]
pub struct KeySet(Vec<PublishedKey>);

struct PublishedKey {
    kid: Option<String>,
    algorithm: Option<String>,
    key: Key,
}

enum Key {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct SetBody {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct KeyBody {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// The keys in a JWKS document; `None` if it is none.
    #[must_use]
    pub fn parse(document: &[u8]) -> Option<Self> {
        let body: SetBody = serde_json::from_slice(document).ok()?;
        let keys = body.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(keys.filter_map(PublishedKey::of).collect()))
    }

    /// The payload of a token that one of the keys has signed.
    ///
    /// # Errors
    /// Why it is refused. An unknown key may have been published since the document was read.
    pub fn open(&self, token: &SignedToken<'_>) -> Result<Vec<u8>, TokenFlaw> {
        let is_named = |key: &&PublishedKey| token.kid.is_none() || token.kid == key.kid;
        let named: Vec<_> = self.0.iter().filter(is_named).collect();
        if named.is_empty() {
            return Err(TokenFlaw::UnknownKey);
        }
        let mut fitting = named.into_iter().filter(|key| key.fits(token.algorithm)).peekable();
        if fitting.peek().is_none() {
            return Err(TokenFlaw::Algorithm);
        }
        if !fitting.any(|key| key.key.has_signed(token)) {
            return Err(TokenFlaw::Signature);
        }
        URL_SAFE_NO_PAD.decode(token.payload).map_err(|_| TokenFlaw::Unparsable)
    }
}

impl PublishedKey {
    fn of(body: KeyBody) -> Option<Self> {
        if body.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?.trim_end_matches('=')).ok();
        let key = match (body.kty.as_str(), body.crv.as_deref()) {
            ("RSA", _) => {
                Key::Rsa(RsaPublicKeyComponents { n: unsigned(&bytes(&body.n)?), e: unsigned(&bytes(&body.e)?) })
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(&body.x)?, bytes(&body.y)?);
                // An uncompressed point (SEC 1, section 2.3.3).
                if x.len() == 32 && y.len() == 32 { Key::P256([&[4], &x[..], &y[..]].concat()) } else { return None }
            }
            ("OKP", Some("Ed25519")) => Key::Ed25519(bytes(&body.x)?),
            _ => return None,
        };
        Some(Self { kid: body.kid, algorithm: body.alg, key })
    }

    /// Whether the key is of the algorithm's kind, and not meant for another one.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let is_of_kind = matches!(
            (&self.key, algorithm),
            (Key::Rsa(_), Algorithm::Rs256 | Algorithm::Ps256)
                | (Key::P256(_), Algorithm::Es256)
                | (Key::Ed25519(_), Algorithm::EdDsa)
        );
        is_of_kind && self.algorithm.as_deref().is_none_or(|stated| Algorithm::of(stated) == Some(algorithm))
    }
}

impl Key {
    fn has_signed(&self, token: &SignedToken<'_>) -> bool {
        let (message, signature) = (token.signed.as_bytes(), token.signature.as_slice());
        let checked = match self {
            Self::Rsa(key) => {
                let parameters = match token.algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                key.verify(parameters, message, signature)
            }
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
        };
        checked.is_ok()
    }
}

/// A number without leading zeros, which the library refuses.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// A private key that is not one of P-256 in PKCS#8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private key is not one of P-256 in PKCS#8 (-----BEGIN PRIVATE KEY-----)")]
pub struct PrivateKeyFlaw;

/// A token with this header and payload, signed with ES256.
///
/// # Errors
/// When the key cannot be used.
pub fn sign_es256(header: &str, payload: &str, pem: &Secret<String>) -> Result<Secret<String>, PrivateKeyFlaw> {
    let base64: String = pem.expose().lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = Secret::new(STANDARD.decode(base64).map_err(|_| PrivateKeyFlaw)?);
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.expose()).map_err(|_| PrivateKeyFlaw)?;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| PrivateKeyFlaw)?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    };
    use serde_json::{Value, json};

    fn b64(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn rsa_jwk(pair: &RsaKeyPair, kid: &str) -> Value {
        let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
        let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
        json!({"kty": "RSA", "kid": kid, "n": b64(n), "e": b64(e), "use": "sig"})
    }

    fn rsa_token(pair: &RsaKeyPair, header: &Value, encoding: &'static dyn RsaEncoding) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64("{}"));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", b64(signature))
    }

    fn open(keys: &[Value], token: &str) -> Result<Vec<u8>, TokenFlaw> {
        KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap().open(&SignedToken::parse(token)?)
    }

    #[test]
    fn rsa_tokens_open_with_their_own_key_and_algorithm_alone() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let other = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let jwk = rsa_jwk(&pair, "a");
        let rs = rsa_token(&pair, &json!({"alg": "RS256", "kid": "a"}), &RSA_PKCS1_SHA256);
        let ps = rsa_token(&pair, &json!({"alg": "PS256", "kid": "a"}), &RSA_PSS_SHA256);
        let unnamed = rsa_token(&pair, &json!({"alg": "RS256"}), &RSA_PKCS1_SHA256);
        for token in [&rs, &ps, &unnamed] {
            assert_eq!(open(std::slice::from_ref(&jwk), token), Ok(b"{}".to_vec()));
            assert_eq!(open(&[rsa_jwk(&other, "a")], token), Err(TokenFlaw::Signature));
        }
        assert_eq!(open(&[rsa_jwk(&other, "b"), jwk.clone()], &unnamed), Ok(b"{}".to_vec()));
        assert_eq!(open(&[rsa_jwk(&pair, "b")], &rs), Err(TokenFlaw::UnknownKey));
        assert_eq!(open(&[], &rs), Err(TokenFlaw::UnknownKey));
        let mut for_ps = jwk.clone();
        for_ps["alg"] = json!("PS256");
        assert_eq!(open(&[for_ps], &rs), Err(TokenFlaw::Algorithm));
        let mut to_encrypt = jwk;
        to_encrypt["use"] = json!("enc");
        assert_eq!(open(&[to_encrypt], &rs), Err(TokenFlaw::UnknownKey));
        let forged = rs.replacen(&format!(".{}.", b64("{}")), &format!(".{}.", b64("{ }")), 1);
        assert_eq!(open(&[rsa_jwk(&pair, "a")], &forged), Err(TokenFlaw::Signature));
    }

    #[test]
    fn what_has_no_public_key_is_never_accepted() {
        for alg in ["none", "None", "HS256", "HS512", "RS1", ""] {
            let header = json!({"alg": alg, "kid": "a"});
            let token = format!("{}.{}.{}", b64(header.to_string()), b64("{}"), b64("x"));
            assert_eq!(SignedToken::parse(&token).err(), Some(TokenFlaw::Algorithm), "{alg}");
        }
        let critical = format!("{}.{}.AA", b64(r#"{"alg":"RS256","crit":["b64"]}"#), b64("{}"));
        assert_eq!(SignedToken::parse(&critical).err(), Some(TokenFlaw::Algorithm));
        for text in ["", "a", "a.b", "a.b.c.d", "..", "e30.e30.!"] {
            assert_eq!(SignedToken::parse(text).err(), Some(TokenFlaw::Unparsable), "{text}");
        }
        assert_eq!(SignedToken::parse(&format!("{}..", "a".repeat(MAX_TOKEN))).err(), Some(TokenFlaw::Unparsable));
    }

    #[test]
    fn an_apple_secret_verifies_as_es256() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let text = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----\n", &text[..64], &text[64..]);
        let token = sign_es256(r#"{"alg":"ES256","kid":"k"}"#, r#"{"iss":"t"}"#, &Secret::new(pem)).unwrap();
        let point = pair.public_key().as_ref();
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": b64(&point[1..33]), "y": b64(&point[33..])});
        assert_eq!(open(&[jwk], token.expose()), Ok(br#"{"iss":"t"}"#.to_vec()));
        assert!(sign_es256("{}", "{}", &Secret::new("-----BEGIN EC PRIVATE KEY-----".to_owned())).is_err());
    }

    #[test]
    fn ed25519_tokens_open_and_other_keys_are_passed_over() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let signed = format!("{}.{}", b64(r#"{"alg":"EdDSA"}"#), b64("{}"));
        let token = format!("{signed}.{}", b64(pair.sign(signed.as_bytes())));
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().as_ref())});
        let strange = [json!({"kty": "oct", "k": "AAAA"}), json!(7), json!({"kty": "EC", "crv": "P-256", "x": "AA"})];
        assert_eq!(open(&[strange.as_slice(), &[jwk]].concat(), &token), Ok(b"{}".to_vec()));
        assert_eq!(open(&strange, &token), Err(TokenFlaw::UnknownKey));
        assert!(KeySet::parse(b"<html>").is_none());
    }
}
