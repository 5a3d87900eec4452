//! [`Addressee`]: where a message goes.

use super::{AddressError, MailAddress};
use crate::domain::sms::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a message goes. Stored as text, in which a phone number begins with a plus sign and holds no `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Addressee {
    /// A mailbox.
    Mailbox(MailAddress),
    /// A phone that receives text messages.
    Phone(PhoneNumber),
}

impl Addressee {
    /// The address or the number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Mailbox(address) => address.as_str(),
            Self::Phone(number) => number.as_str(),
        }
    }
}

impl fmt::Display for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<MailAddress> for Addressee {
    fn from(address: MailAddress) -> Self {
        Self::Mailbox(address)
    }
}

impl From<PhoneNumber> for Addressee {
    fn from(number: PhoneNumber) -> Self {
        Self::Phone(number)
    }
}

impl TryFrom<String> for Addressee {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        match PhoneNumber::parse(&text) {
            Ok(number) => Ok(Self::Phone(number)),
            Err(_) => MailAddress::parse(&text).map(Self::Mailbox),
        }
    }
}

impl From<Addressee> for String {
    fn from(addressee: Addressee) -> Self {
        match addressee {
            Addressee::Mailbox(address) => address.into(),
            Addressee::Phone(number) => number.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_says_which_it_is() {
        let mailbox = Addressee::from(MailAddress::parse("+49151@x.io").unwrap());
        let phone = Addressee::from(PhoneNumber::parse("+4915112345678").unwrap());
        for (addressee, text) in [(mailbox, r#""+49151@x.io""#), (phone, r#""+4915112345678""#)] {
            assert_eq!(serde_json::to_string(&addressee).unwrap(), text);
            assert_eq!(serde_json::from_str::<Addressee>(text).unwrap(), addressee);
        }
        assert!(serde_json::from_str::<Addressee>(r#""49151""#).is_err());
    }
}
