//! One-time codes of authenticator apps (RFC 6238: HMAC-SHA-1, six digits), and the limit on wrong ones.

pub mod attempts;
mod base32;
pub mod import;

use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Random bytes in a new secret, as recommended by RFC 4226.
const STRENGTH: usize = 20;
/// Digits of a code.
const DIGITS: usize = 6;
/// Longest text that counts as an attempt; a longer one is wrong and leaves no trace.
pub const MAX_CODE: usize = 8;
/// Maximum number of steps before and after the present in which codes may be accepted: each costs a hash.
pub const MAX_SKEW: u32 = 100;
/// Maximum number of devices of a user: each may have to be tried.
pub const MAX_DEVICES: usize = 100;
/// Longest name of a device, in bytes.
pub const MAX_NAME: usize = 512;

/// The secret that a device shares with us: the key of its codes.
#[derive(Debug, Clone)]
pub struct TotpSecret(Secret<Vec<u8>>);

impl TotpSecret {
    /// A new secret.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(random_bytes::<STRENGTH>(entropy).to_vec()))
    }

    /// Decodes Base32 (RFC 4648) as people copy it: case, padding and characters outside the alphabet are ignored.
    /// `None` when no whole byte is left.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        Some(base32::decode(text)).filter(|bytes| !bytes.is_empty()).map(|bytes| Self(Secret::new(bytes)))
    }

    /// Wraps the bytes of a secret.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Secret::new(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn expose(&self) -> &Vec<u8> {
        self.0.expose()
    }

    /// The secret in Base32, in capitals without padding: the form given to the device.
    #[must_use]
    pub fn to_base32(&self) -> Secret<String> {
        Secret::new(base32::encode(self.expose()))
    }

    /// The code of a time step: RFC 4226, 5.3, in decimal digits.
    #[must_use]
    pub fn code(&self, step: u64) -> u32 {
        // invariant: HMAC takes keys of any length
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.expose()) else { return 0 };
        mac.update(&step.to_be_bytes());
        let hash: [u8; 20] = mac.finalize().into_bytes().into();
        let offset = usize::from(hash.last().copied().unwrap_or_default() & 0x0F);
        let part = hash.get(offset..offset + 4).and_then(|part| <[u8; 4]>::try_from(part).ok()).unwrap_or_default();
        (u32::from_be_bytes(part) & 0x7FFF_FFFF) % 10_u32.pow(6)
    }
}

/// How often a device's code changes, and which codes are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds for which a code is shown; above 0.
    pub period_s: u32,
    /// Steps before and after the present whose codes are accepted too, at most [`MAX_SKEW`].
    pub skew: u32,
}

impl Pace {
    /// For how long one code is accepted, in ms: until then it must not be used again.
    #[must_use]
    pub const fn window_ms(self) -> u64 {
        1000 * self.period_s as u64 * (2 * self.skew as u64 + 1)
    }

    /// True if `presented` is the secret's code of the present step or of one close enough. Takes the same time for any
    /// of them.
    #[must_use]
    pub fn accepts(self, secret: &TotpSecret, presented: Code, now: UnixMillis) -> bool {
        let present = now.seconds() / u64::from(self.period_s.max(1));
        let skew = u64::from(self.skew);
        let mut found = subtle::Choice::from(0);
        for step in present.saturating_sub(skew)..=present.saturating_add(skew) {
            found |= secret.code(step).ct_eq(&presented.0);
        }
        found.into()
    }
}

/// A code of six decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(u32);

impl Code {
    /// Parses a code; `None` for text that no device shows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc_secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890".to_vec())
    }

    fn code(text: &str) -> Code {
        Code::parse(text).unwrap()
    }

    #[test]
    fn codes_of_rfc_6238_and_4226() {
        // RFC 6238, appendix B: eight digits each, of which the last six are ours.
        for (seconds, digits) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(rfc_secret().code(seconds / 30), digits % 1_000_000, "{seconds}");
        }
        // RFC 4226, appendix D.
        let counted = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (step, digits) in (0..).zip(counted) {
            assert_eq!(rfc_secret().code(step), digits);
        }
    }

    #[test]
    fn codes_of_near_steps_are_taken_and_no_others() {
        let at = |seconds: u64| UnixMillis(seconds * 1000);
        // Step 1 is 30 to 60 s.
        for (skew, first, last) in [(0, 30, 59), (1, 0, 89), (2, 0, 119)] {
            let pace = Pace { period_s: 30, skew };
            assert!(pace.accepts(&rfc_secret(), code("287082"), at(first)));
            assert!(pace.accepts(&rfc_secret(), code("287082"), at(last).plus(999)));
            assert!(!pace.accepts(&rfc_secret(), code("287082"), at(last + 1)));
        }
        assert!(!Pace { period_s: 30, skew: 0 }.accepts(&rfc_secret(), code("287082"), at(29)));
        assert_eq!(Pace { period_s: 30, skew: 1 }.window_ms(), 90_000);
        assert!(Pace { period_s: u32::MAX, skew: MAX_SKEW }.window_ms() > u64::from(u32::MAX));
        assert!(!Pace { period_s: 1, skew: 1 }.accepts(&rfc_secret(), code("000000"), UnixMillis(u64::MAX)));
    }

    #[test]
    fn only_six_digits_are_a_code() {
        assert_eq!(Code::parse("000001"), Some(Code(1)));
        for text in ["", "12345", "1234567", "+12345", " 12345", "12345a", "１２"] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", code("123456")), "Code(…)");
    }
}
