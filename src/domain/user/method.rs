//! Login methods: the ways in which a person signs in.

use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// One way in which a person signs in ("recipe user").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginMethod {
    /// Its own internal id, a UUID (`recipeUserId`).
    pub id: UserId,
    /// The id that callers use instead, if one was mapped.
    pub external: Option<ExternalId>,
    /// The tenants where it may be used; may be empty.
    pub tenants: BTreeSet<TenantId>,
    /// When it signed up.
    pub time_joined: UnixMillis,
    /// The credentials it signs in with.
    pub login: Login,
}

impl LoginMethod {
    /// The method's id as callers see it.
    #[must_use]
    pub fn shown_id(&self) -> &UserId {
        self.external.as_ref().map_or(&self.id, |external| &external.id)
    }
}

/// The caller's own id for an internal one (CDI: user id mapping).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalId {
    /// The caller's id.
    pub id: UserId,
    /// The caller's note about it.
    pub info: Option<String>,
}

/// The credentials of a method. E-mails are normalised ([`normalise_email`]), phone numbers in E.164 where possible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Login {
    /// E-mail and password.
    EmailPassword {
        /// Unique among these methods in each tenant.
        email: String,
        /// The hash that the password is checked against.
        password: PasswordHash,
    },
    /// An account at another provider.
    ThirdParty {
        /// Unique in each tenant.
        account: ThirdPartyAccount,
        /// The address reported by the provider.
        email: String,
    },
    /// Codes sent by e-mail or to a phone; at least one of the two.
    Passwordless {
        /// Unique among these methods in each tenant.
        email: Option<String>,
        /// Unique among these methods in each tenant.
        phone_number: Option<String>,
    },
    /// Passkeys.
    Webauthn {
        /// Unique among these methods in each tenant.
        email: String,
        /// Ids of the registered credentials, base64url.
        credential_ids: Vec<String>,
    },
}

/// An account at a third-party provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ThirdPartyAccount {
    /// The provider (`google`, `github`, …).
    pub id: String,
    /// The account's id at the provider.
    pub user_id: String,
}

/// A password's hash at rest. It is never shown: no reply is made from a record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash in its text form.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A placeholder for the hash when a user is read only to be shown, not to sign in or to be written.
    #[must_use]
    pub const fn withheld() -> Self {
        Self(String::new())
    }

    /// True for [`PasswordHash::withheld`].
    #[must_use]
    pub const fn is_withheld(&self) -> bool {
        self.0.is_empty()
    }

    /// The text form. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// The recipes that have users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum RecipeId {
    /// E-mail and password.
    EmailPassword = 1,
    /// Third-party providers.
    ThirdParty = 2,
    /// Codes and links.
    Passwordless = 3,
    /// Passkeys.
    Webauthn = 4,
}

impl RecipeId {
    /// Every recipe that has users.
    pub const ALL: [Self; 4] = [Self::EmailPassword, Self::ThirdParty, Self::Passwordless, Self::Webauthn];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmailPassword => "emailpassword",
            Self::ThirdParty => "thirdparty",
            Self::Passwordless => "passwordless",
            Self::Webauthn => "webauthn",
        }
    }
}

/// A fact that identifies a person across login methods: at most one primary user of a tenant has it.
///
/// Variants are in the order in which conflicts are reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountInfo {
    /// An account at a provider.
    ThirdParty(ThirdPartyAccount),
    /// An e-mail address.
    Email(String),
    /// A phone number.
    PhoneNumber(String),
}

impl Login {
    /// The recipe it belongs to.
    #[must_use]
    pub const fn recipe(&self) -> RecipeId {
        match self {
            Self::EmailPassword { .. } => RecipeId::EmailPassword,
            Self::ThirdParty { .. } => RecipeId::ThirdParty,
            Self::Passwordless { .. } => RecipeId::Passwordless,
            Self::Webauthn { .. } => RecipeId::Webauthn,
        }
    }

    /// The e-mail address, if it has one.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::EmailPassword { email, .. } | Self::ThirdParty { email, .. } | Self::Webauthn { email, .. } => {
                Some(email)
            }
            Self::Passwordless { email, .. } => email.as_deref(),
        }
    }

    /// The phone number, if it has one.
    #[must_use]
    pub fn phone_number(&self) -> Option<&str> {
        match self {
            Self::Passwordless { phone_number, .. } => phone_number.as_deref(),
            Self::EmailPassword { .. } | Self::ThirdParty { .. } | Self::Webauthn { .. } => None,
        }
    }

    /// The account at a provider, if it is one.
    #[must_use]
    pub const fn third_party(&self) -> Option<&ThirdPartyAccount> {
        match self {
            Self::ThirdParty { account, .. } => Some(account),
            Self::EmailPassword { .. } | Self::Passwordless { .. } | Self::Webauthn { .. } => None,
        }
    }

    /// The ids of its passkeys, if it has any.
    #[must_use]
    pub fn credential_ids(&self) -> &[String] {
        match self {
            Self::Webauthn { credential_ids, .. } => credential_ids,
            Self::EmailPassword { .. } | Self::ThirdParty { .. } | Self::Passwordless { .. } => &[],
        }
    }

    /// Everything that may identify the person.
    #[must_use]
    pub fn account_infos(&self) -> Vec<AccountInfo> {
        let third_party = self.third_party().cloned().map(AccountInfo::ThirdParty);
        let email = self.email().map(|email| AccountInfo::Email(email.to_owned()));
        let phone = self.phone_number().map(|number| AccountInfo::PhoneNumber(number.to_owned()));
        third_party.into_iter().chain(email).chain(phone).collect()
    }

    /// The account infos that no other method of the same recipe may have in the same tenant.
    #[must_use]
    pub fn identities(&self) -> Vec<AccountInfo> {
        match self {
            // The provider's account counts, not the address that the provider reports.
            Self::ThirdParty { account, .. } => vec![AccountInfo::ThirdParty(account.clone())],
            Self::EmailPassword { .. } | Self::Passwordless { .. } | Self::Webauthn { .. } => self.account_infos(),
        }
    }
}

/// Whether an SDK made this address up for a person whose provider reports none: it cannot be confirmed (CDI:
/// emailpassword).
#[must_use]
pub fn is_fake_email(email: &str) -> bool {
    email.ends_with("@stfakeemail.supertokens.com") || email.ends_with(".fakeemail.com")
}

/// Longest e-mail address, in bytes. The protocol sets no limit; RFC 5321 allows 254.
pub const MAX_EMAIL: usize = 512;

/// The form in which e-mail addresses are stored and compared: trimmed, in lower case (CDI: common rules); the syntax is
/// not checked.
#[must_use]
pub fn normalise_email(email: &str) -> String {
    email.trim().to_lowercase()
}
