//! Outbound mail and text messages: what is sent, to whom, and in which language.

mod address;
mod addressee;
mod language;
mod server;

pub use address::{AddressError, HeaderText, MailAddress};
pub use addressee::Addressee;
pub use language::Language;
pub use server::{Credentials, Security, Sender, SmtpServer};

use crate::domain::ids::TenantId;
use crate::domain::time::UnixMillis;
use crate::table::table;
use serde::{Deserialize, Serialize};
use std::fmt;

table! {
    /// What a mail is for. The number is stored: never reuse or renumber one.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum MailKind {
        /// A link that sets a new password.
        PasswordReset = 0, "password-reset";
        /// A link that confirms an address.
        EmailVerification = 1, "email-verification";
        /// A code, a link or both, to sign in without a password.
        PasswordlessLogin = 2, "passwordless-login";
        /// A test of the settings; carries no token and is never stored.
        Test = 3, "test";
        /// A code, a link or both, by text message.
        PasswordlessText = 4, "passwordless-text";
    }
}

/// How messages reach people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// By e-mail.
    Mail,
    /// By text message.
    Text,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Text];
}

impl MailKind {
    /// How messages of this kind reach people.
    #[must_use]
    pub const fn channel(self) -> Channel {
        match self {
            Self::PasswordReset | Self::EmailVerification | Self::PasswordlessLogin | Self::Test => Channel::Mail,
            Self::PasswordlessText => Channel::Text,
        }
    }
}

/// A mail, or a text message, that carries a token.
///
/// It is stored, sealed, as JSON: members are added with a default, and never renamed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The tenant that the token belongs to.
    pub tenant: TenantId,
    /// The recipient.
    pub to: Addressee,
    /// What it is for.
    pub kind: MailKind,
    /// The language of its text.
    pub language: Language,
    /// The name of the application, as people know it.
    pub app_name: String,
    /// The link with the token, if it carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The code to type in, if it carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How long the token is valid from the start, in ms; stated in the text.
    pub lifetime_ms: u64,
    /// When the token expires. The mail is not sent after that.
    pub expires: UnixMillis,
}

impl Mail {
    /// Whether the token has expired, so that the mail is of no use.
    #[must_use]
    pub const fn is_expired(&self, now: UnixMillis) -> bool {
        now.0 >= self.expires.0
    }
}

impl fmt::Debug for Mail {
    /// Leaves out the address, the link and the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("tenant", &self.tenant)
            .field("kind", &self.kind)
            .field("language", &self.language)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail {
        Mail {
            tenant: TenantId::public(),
            to: MailAddress::parse("jane@example.org").unwrap().into(),
            kind: MailKind::PasswordReset,
            language: Language::De,
            app_name: "Shop".to_owned(),
            link: Some("https://example.org/auth/reset-password?token=t0ken".to_owned()),
            code: Some("123456".to_owned()),
            lifetime_ms: 3_600_000,
            expires: UnixMillis(5_000),
        }
    }

    #[test]
    fn it_expires_with_its_token() {
        assert!(!mail().is_expired(UnixMillis(4_999)));
        assert!(mail().is_expired(UnixMillis(5_000)));
    }

    #[test]
    fn its_secrets_are_not_printed() {
        let shown = format!("{:?}", mail());
        assert!(!["t0ken", "123456", "jane"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }

    #[test]
    fn the_names_of_kinds_are_those_of_their_serialised_form() {
        for kind in MailKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
