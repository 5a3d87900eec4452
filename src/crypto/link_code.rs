//! Link codes of passwordless sign-ins (CDI: passwordless).

use crate::crypto::sealing::SealingKey;
use crate::domain::passwordless::{DeviceId, LinkCode};
use crate::domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The purpose for which the app's part of the key is derived.
const PURPOSE: &[u8] = b"sessiond passwordless link code";

/// The link code of a device and an input code: HMAC-SHA256 of the input code under the device's id and a secret of the
/// app. Without the secret, an attacker who begins a sign-in for another person and can read the store could try all
/// input codes.
#[must_use]
pub fn link_code(key: &SealingKey, device: &DeviceId, input_code: &str) -> LinkCode {
    let salt = key.for_purpose(PURPOSE);
    let joined = Secret::new([device.expose(), salt.expose().as_slice()].concat());
    // invariant: a key of any length is accepted
    let code = Hmac::<Sha256>::new_from_slice(joined.expose()).map(|mut mac| {
        mac.update(input_code.as_bytes());
        mac.finalize().into_bytes().to_vec()
    });
    LinkCode::from_bytes(Secret::new(code.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_code_depends_on_app_device_and_input_code() {
        let app = |byte| SealingKey::new(1, Secret::new([byte; 32]));
        let device = |text: &str| DeviceId::parse(text).unwrap();
        let text = |app: &SealingKey, id: &str, input: &str| link_code(app, &device(id), input).text().expose().clone();
        let known = text(&app(1), "YWJj", "123456");
        assert_eq!(known.len(), 43);
        assert_eq!(known, text(&app(1), "YWJj", "123456"));
        for other in [text(&app(2), "YWJj", "123456"), text(&app(1), "YWJk", "123456"), text(&app(1), "YWJj", "123457")]
        {
            assert_ne!(known, other);
        }
    }
}
