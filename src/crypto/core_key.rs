//! The text in which an original core stores an RSA signing key (protocol: 01, 5).

use super::signature::{KeyError, PrivateKey};
use crate::domain::key::SigningAlgorithm;
use crate::domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Reads `<SubjectPublicKeyInfo>|<PKCS#8>`, each DER in base64; keys from before core 5.0 have `;` between them.
///
/// # Errors
/// When it is not such a text, or the halves do not belong together.
pub fn read_core_key(text: &str) -> Result<PrivateKey, KeyError> {
    let (public, private) = text.trim().split_once(['|', ';']).ok_or(KeyError("not an RSA key pair of a core"))?;
    let private = STANDARD.decode(private).map_err(|_| KeyError("the private half is not base64"))?;
    let key = PrivateKey::from_secret_bytes(SigningAlgorithm::RS256, &Secret::new(private))?;
    if key.public_key()?.spki_base64()? != public {
        return Err(KeyError("the halves of a signing key do not belong together"));
    }
    Ok(key)
}

/// True if a stored text is that of a key pair; others are symmetric keys, which sign nothing that is verified here.
#[must_use]
pub fn is_key_pair(text: &str) -> bool {
    text.contains(['|', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_separators_are_read_and_halves_must_belong_together() {
        let text = |public: &PrivateKey, private: &PrivateKey, separator: char| {
            let public = public.public_key().unwrap().spki_base64().unwrap();
            format!("{public}{separator}{}", STANDARD.encode(private.secret_bytes().unwrap().expose()))
        };
        let (key, other) = (PrivateKey::generate_rsa().unwrap(), PrivateKey::generate_rsa().unwrap());
        for separator in ['|', ';'] {
            let read = read_core_key(&text(&key, &key, separator)).unwrap();
            assert_eq!(read.public_key().unwrap().to_bytes(), key.public_key().unwrap().to_bytes());
        }
        for bad in [text(&key, &other, '|'), text(&key, &key, '|').replace('|', ""), "|".into(), "a|b".into()] {
            assert!(read_core_key(&bad).is_err());
        }
    }
}
