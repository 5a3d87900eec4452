//! Numbers that text messages can be sent to.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The most digits of a number (ITU-T E.164, 6.2.1).
const MAX_DIGITS: usize = 15;

/// A number in E.164: a plus sign and digits. It can add nothing to a request or a form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// A text is not a number in E.164.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a phone number is a plus sign and up to {MAX_DIGITS} digits")]
pub struct NumberError;

impl PhoneNumber {
    /// Reads a number in E.164. Whether it exists is not checked.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = text.strip_prefix('+').ok_or(NumberError)?;
        let is_number = (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { Ok(Self(text.to_owned())) } else { Err(NumberError) }
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = NumberError;

    fn try_from(text: String) -> Result<Self, NumberError> {
        Self::parse(&text)
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::PhoneNumber;

    #[test]
    fn only_a_plus_sign_and_digits_are_a_number() {
        for good in ["+4915112345678", "+123456789012345"] {
            assert_eq!(PhoneNumber::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "+", "4915112345678", "+49 151", "+49\r\n1", "+1234567890123456", "+٤٩١٥١", "a@b.cd", "+49&To=1"]
        {
            assert!(PhoneNumber::parse(bad).is_err(), "{bad:?}");
        }
    }
}
