//! Key pairs and public keys of both algorithms: Ed25519 (RFC 8032) and RSA-2048 with SHA-256 (RFC 8017).

use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::key::SigningAlgorithm;
use crate::domain::secret::Secret;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use std::sync::Arc;

/// DER of a SubjectPublicKeyInfo for Ed25519 (RFC 8410), up to the 32 bytes of the key.
const ED25519_SPKI_PREFIX: [u8; 12] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key that does not work: damaged bytes, or a failure of the library.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub(super) &'static str);

/// The secret half; signs.
#[derive(Clone)]
pub struct PrivateKey(Private);

#[derive(Clone)]
enum Private {
    Ed25519(Arc<Ed25519Key>),
    Rsa(Arc<RsaKeyPair>),
}

/// ed25519-dalek makes and checks keys; AWS-LC signs, in half the time and with the same bytes (decision 13).
struct Ed25519Key {
    key: SigningKey,
    signer: Ed25519KeyPair,
}

impl Ed25519Key {
    fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let signer = Ed25519KeyPair::from_seed_and_public_key(seed, key.verifying_key().as_bytes())
            .map_err(|_| KeyError("not an Ed25519 key"))?;
        Ok(Self { key, signer })
    }
}

impl PrivateKey {
    /// A new Ed25519 key.
    ///
    /// # Errors
    /// When the signing library gives up.
    pub fn generate_ed25519(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let seed = Secret::new(random_bytes(entropy));
        Ok(Self(Private::Ed25519(Arc::new(Ed25519Key::from_seed(seed.expose())?))))
    }

    /// A new RSA key of 2048 bits. Takes 0.1 to 2 s of CPU: not on an async thread.
    ///
    /// # Errors
    /// When the RSA library fails.
    pub fn generate_rsa() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError("making an RSA key failed"))?;
        Ok(Self(Private::Rsa(Arc::new(pair))))
    }

    /// A key from its stored form.
    ///
    /// # Errors
    /// When the bytes are not a key of this algorithm.
    pub fn from_secret_bytes(algorithm: SigningAlgorithm, bytes: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        match algorithm {
            SigningAlgorithm::EdDSA => {
                let seed: &[u8; 32] =
                    bytes.expose().as_slice().try_into().map_err(|_| KeyError("an Ed25519 seed has 32 bytes"))?;
                Ok(Self(Private::Ed25519(Arc::new(Ed25519Key::from_seed(seed)?))))
            }
            SigningAlgorithm::RS256 => {
                let pair = RsaKeyPair::from_pkcs8(bytes.expose()).map_err(|_| KeyError("not an RSA key in PKCS#8"))?;
                Ok(Self(Private::Rsa(Arc::new(pair))))
            }
        }
    }

    /// The form to store: the 32-byte seed, or PKCS#8 DER.
    ///
    /// # Errors
    /// When the RSA library fails.
    pub fn secret_bytes(&self) -> Result<Secret<Vec<u8>>, KeyError> {
        match &self.0 {
            Private::Ed25519(pair) => Ok(Secret::new(pair.key.as_bytes().to_vec())),
            Private::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError("encoding an RSA key failed"))?;
                Ok(Secret::new(der.as_ref().to_vec()))
            }
        }
    }

    /// The algorithm of this key.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match &self.0 {
            Private::Ed25519(_) => SigningAlgorithm::EdDSA,
            Private::Rsa(_) => SigningAlgorithm::RS256,
        }
    }

    /// The public half.
    ///
    /// # Errors
    /// When the RSA library fails.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        match &self.0 {
            Private::Ed25519(pair) => Ok(PublicKey(Public::Ed25519(Box::new(pair.key.verifying_key())))),
            Private::Rsa(pair) => PublicKey::from_bytes(SigningAlgorithm::RS256, pair.public_key().as_ref()),
        }
    }

    /// The signature of `message`: 64 bytes, or 256 for RSA.
    ///
    /// # Errors
    /// When the RSA library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.0 {
            Private::Ed25519(pair) => Ok(pair.signer.sign(message).as_ref().to_vec()),
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| KeyError("signing with an RSA key failed"))?;
                Ok(signature)
            }
        }
    }
}

/// The public half; verifies. Parsed only once, because parsing costs as much as a tenth of a verification.
#[derive(Clone)]
pub struct PublicKey(Public);

#[derive(Clone)]
enum Public {
    Ed25519(Box<VerifyingKey>),
    Rsa(Arc<RsaPublic>),
}

struct RsaPublic {
    der: Vec<u8>,
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// A key from its stored form: 32 bytes, or the DER of an `RSAPublicKey`.
    ///
    /// # Errors
    /// When the bytes are not a key of this algorithm.
    pub fn from_bytes(algorithm: SigningAlgorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            SigningAlgorithm::EdDSA => {
                let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError("an Ed25519 key has 32 bytes"))?;
                let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError("not a point of Ed25519"))?;
                Ok(Self(Public::Ed25519(Box::new(key))))
            }
            SigningAlgorithm::RS256 => {
                let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, bytes)
                    .map_err(|_| KeyError("not an RSA public key"))?;
                Ok(Self(Public::Rsa(Arc::new(RsaPublic { der: bytes.to_vec(), parsed }))))
            }
        }
    }

    /// The form to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Public::Ed25519(key) => key.as_bytes().to_vec(),
            Public::Rsa(key) => key.der.clone(),
        }
    }

    /// The algorithm of this key. It is determined by the key, never by a token's header.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match &self.0 {
            Public::Ed25519(_) => SigningAlgorithm::EdDSA,
            Public::Rsa(_) => SigningAlgorithm::RS256,
        }
    }

    /// True if `signature` is this key's signature of `message`. Ed25519 is checked strictly: no small-order keys or
    /// points.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Public::Ed25519(key) => {
                Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            Public::Rsa(key) => key.parsed.verify_sig(message, signature).is_ok(),
        }
    }

    /// This key as a member of a JWKS document (RFC 7517, RFC 8037).
    ///
    /// # Errors
    /// When the RSA library fails.
    pub fn jwk(&self, kid: &str) -> Result<String, KeyError> {
        match &self.0 {
            Public::Ed25519(key) => {
                let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
                Ok(format!(r#"{{"kty":"OKP","kid":"{kid}","crv":"Ed25519","x":"{x}","alg":"EdDSA","use":"sig"}}"#))
            }
            Public::Rsa(key) => {
                let rsa = rsa_key(&key.der)?;
                let n = URL_SAFE_NO_PAD.encode(rsa.modulus().big_endian_without_leading_zero());
                let e = URL_SAFE_NO_PAD.encode(rsa.exponent().big_endian_without_leading_zero());
                Ok(format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"{e}","alg":"RS256","use":"sig"}}"#))
            }
        }
    }

    /// base64 of the DER of a SubjectPublicKeyInfo (CDI < 2.21: `jwtSigningPublicKey`).
    ///
    /// # Errors
    /// When the RSA library fails.
    pub fn spki_base64(&self) -> Result<String, KeyError> {
        match &self.0 {
            Public::Ed25519(key) => Ok(STANDARD.encode([&ED25519_SPKI_PREFIX[..], key.as_bytes()].concat())),
            Public::Rsa(key) => {
                let der: PublicKeyX509Der<'_> =
                    rsa_key(&key.der)?.as_der().map_err(|_| KeyError("encoding an RSA public key failed"))?;
                Ok(STANDARD.encode(der.as_ref()))
            }
        }
    }
}

fn rsa_key(der: &[u8]) -> Result<aws_lc_rs::rsa::PublicKey, KeyError> {
    aws_lc_rs::rsa::PublicKey::from_der(der).map_err(|_| KeyError("not an RSA public key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::SigningAlgorithm::EdDSA;
    use ed25519_dalek::Signer as _;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_stored_key_signs_and_verifies_as_the_original() {
        for key in [PrivateKey::generate_ed25519(&Fixed(7)).unwrap(), PrivateKey::generate_rsa().unwrap()] {
            let algorithm = key.algorithm();
            let back = PrivateKey::from_secret_bytes(algorithm, &key.secret_bytes().unwrap()).unwrap();
            let public = PublicKey::from_bytes(algorithm, &key.public_key().unwrap().to_bytes()).unwrap();
            let signature = back.sign(b"message").unwrap();
            assert!(public.verify(b"message", &signature));
            assert!(!public.verify(b"massage", &signature));
            assert!(!public.verify(b"message", &signature[1..]));
        }
    }

    proptest::proptest! {
        #[test]
        fn both_ed25519_libraries_sign_alike(seed: [u8; 32], message: Vec<u8>) {
            let key = PrivateKey::from_secret_bytes(EdDSA, &Secret::new(seed.to_vec())).unwrap();
            let expected = SigningKey::from_bytes(&seed).sign(&message).to_bytes();
            proptest::prop_assert_eq!(key.sign(&message).unwrap(), expected);
        }
    }

    #[test]
    fn ed25519_matches_rfc_8037_appendix_a() {
        // RFC 8037 A.1 to A.4: key, thumbprint members and the signature of a JWS
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = PrivateKey::from_secret_bytes(EdDSA, &Secret::new(seed)).unwrap();
        let jwk = key.public_key().unwrap().jwk("k").unwrap();
        assert!(jwk.contains(r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#), "{jwk}");
        let signed = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(signed),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn spki_of_ed25519_is_rfc_8410() {
        // RFC 8410, section 10.1
        let key = STANDARD.decode("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap();
        let public = PublicKey::from_bytes(EdDSA, &key).unwrap();
        assert_eq!(public.spki_base64().unwrap(), "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    }
}
