//! The server that mails are handed to.

use super::{HeaderText, MailAddress};
use crate::domain::loopback::is_loopback;
use crate::domain::secret::Secret;

/// An SMTP server, and how to use it.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// What to sign in with, if it wants that.
    pub credentials: Option<Credentials>,
    /// The sender of every mail.
    pub from: Sender,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS; without it, nothing is sent.
    StartTls,
    /// STARTTLS if the server offers it. An attacker on the way can remove the offer.
    StartTlsIfOffered,
    /// None.
    Plain,
}

impl Security {
    /// The encryption to use: a password never leaves this machine unencrypted because somebody removed an offer.
    #[must_use]
    pub fn with_password(self, host: &str, has_password: bool) -> Self {
        match self {
            Self::StartTlsIfOffered if has_password && !is_loopback(host) => Self::StartTls,
            other => other,
        }
    }
}

/// What to sign in to a server with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account.
    pub username: String,
    /// Its password.
    pub password: Secret<String>,
}

/// The sender of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The name shown; may be empty.
    pub name: HeaderText,
    /// The address.
    pub address: MailAddress,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_makes_an_optional_encryption_mandatory_beyond_this_machine() {
        let optional = Security::StartTlsIfOffered;
        assert_eq!(optional.with_password("mx.example.org", true), Security::StartTls);
        assert_eq!(optional.with_password("mx.example.org", false), optional);
        assert_eq!(optional.with_password("127.0.0.1", true), optional);
        assert_eq!(Security::Tls.with_password("mx.example.org", true), Security::Tls);
    }
}
