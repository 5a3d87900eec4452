//! Addresses and texts that are safe in the header of a mail, by their type.

use crate::domain::text::is_invisible;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest local part, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest domain, in bytes (RFC 1035, 2.3.4, without the root's dot).
const MAX_DOMAIN: usize = 253;
/// Longest label of a domain, in bytes.
const MAX_LABEL: usize = 63;
/// Longest text in a header, in characters.
const MAX_TEXT: usize = 200;

/// An address that mail can be sent to: `local@domain`, a dot-atom and a domain name (RFC 5322, 3.4.1), both possibly
/// international (RFC 6531).
///
/// It holds no white space, control character, quote, bracket or separator, so it cannot add a header, a recipient or a
/// command. Quoted local parts and address literals are refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`, or nothing before it.
    #[error("an e-mail address has a name, an @ and a domain")]
    Shape,
    /// The part before the `@` is not a dot-atom.
    #[error("the part before the @ has a character that is not allowed there, or is longer than {MAX_LOCAL} bytes")]
    Local,
    /// The part after the `@` is not a domain name.
    #[error("the part after the @ is not a domain name")]
    Domain,
}

impl MailAddress {
    /// Reads an address as people write it, without a name or angle brackets.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Shape);
        }
        if local.len() > MAX_LOCAL || !local.split('.').all(is_atom) {
            return Err(AddressError::Local);
        }
        if domain.len() > MAX_DOMAIN || !domain.split('.').all(is_label) {
            return Err(AddressError::Domain);
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts before and after the `@`.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        // invariant: `parse` found one
        self.0.rsplit_once('@').unwrap_or((&self.0, ""))
    }
}

fn is_international(char: char) -> bool {
    !char.is_ascii() && !char.is_control() && !char.is_whitespace() && !is_invisible(char)
}

fn is_atom(atom: &str) -> bool {
    let is_text = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(char);
    !atom.is_empty() && atom.chars().all(|char| is_text(char) || is_international(char))
}

fn is_label(label: &str) -> bool {
    let is_text = |char: char| char.is_ascii_alphanumeric() || char == '-' || is_international(char);
    let is_bounded = !label.is_empty() && label.len() <= MAX_LABEL;
    is_bounded && label.chars().all(is_text) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MailAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> Self {
        address.0
    }
}

/// Text in a header: a name or a subject. It is one line, without control and invisible characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct HeaderText(String);

impl HeaderText {
    /// The text with each run of white space, line breaks and control characters replaced by one space; shortened if it
    /// is very long.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let is_gap = |char: char| char.is_whitespace() || char.is_control();
        let words = text.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        Self(words.chars().filter(|char| !is_invisible(*char)).take(MAX_TEXT).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_people_are_accepted() {
        for good in
            ["a@b", "jane.doe+shop@example.org", "o'neil@x.io", "jörg@müller.example", "x@xn--mller-kva.example"]
        {
            let address = MailAddress::parse(good).unwrap();
            assert_eq!(address.as_str(), good);
            assert_eq!(format!("{}@{}", address.parts().0, address.parts().1), good);
        }
    }

    #[test]
    fn what_could_add_a_header_a_recipient_or_a_command_is_refused() {
        for bad in [
            "",
            "jane",
            "@x.io",
            "jane@",
            "a@b@c",
            "a b@x.io",
            "a@x io",
            "a@x.io\r\nBcc: b@x.io",
            "a\n@x.io",
            "a@x.io\0",
            "<a@x.io>",
            "Jane <a@x.io>",
            "a@x.io,b@x.io",
            "a@x.io;b@x.io",
            "\"a\r\nb\"@x.io",
            "\"a b\"@x.io",
            "a@[127.0.0.1]",
            ".a@x.io",
            "a.@x.io",
            "a..b@x.io",
            "a@.x.io",
            "a@x..io",
            "a@-x.io",
            "a@x-.io",
            "a@x.io.",
            "a@x.io>",
            "a:b@x.io",
            "a\u{2028}b@x.io",
            "a\u{200b}b@x.io",
            "a@x\u{202e}.io",
            "a\u{85}@x.io",
            "a@x.io ORCPT=rfc822;b@x.io",
        ] {
            assert!(MailAddress::parse(bad).is_err(), "{bad:?}");
        }
        let long = |local, label| format!("{}@{}.io", "a".repeat(local), "b".repeat(label));
        assert!(MailAddress::parse(&long(64, 63)).is_ok());
        assert_eq!(MailAddress::parse(&long(65, 63)), Err(AddressError::Local));
        assert_eq!(MailAddress::parse(&long(64, 64)), Err(AddressError::Domain));
    }

    #[test]
    fn a_stored_address_is_checked_again() {
        assert!(serde_json::from_str::<MailAddress>(r#""a@x.io\r\nBcc: b@x.io""#).is_err());
        assert!(serde_json::from_str::<MailAddress>(r#""a@x.io""#).is_ok());
    }

    #[test]
    fn a_text_in_a_header_is_one_line() {
        let text = HeaderText::new("  My\r\nBcc: evil@x.io\t\u{2028}\u{2029}\u{85}Shop\0 \u{202e}now ");
        assert_eq!(text.as_str(), "My Bcc: evil@x.io Shop now");
        assert_eq!(HeaderText::new(&"ä".repeat(500)).as_str().chars().count(), MAX_TEXT);
    }
}
