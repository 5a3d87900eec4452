//! Finding users by their credentials: search tags (CDI: `GET /users`) and exact criteria (`GET
//! /users/by-accountinfo`).

use super::{AccountInfo, Login};
use std::collections::BTreeSet;

/// What to look a person up by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LookUp {
    /// An account info, which login methods of several recipes may have.
    Info(AccountInfo),
    /// The id of a passkey.
    Credential(String),
}

impl LookUp {
    /// Whether a login method has exactly this.
    #[must_use]
    pub fn matches(&self, login: &Login) -> bool {
        match self {
            Self::Info(AccountInfo::Email(email)) => login.email() == Some(email),
            Self::Info(AccountInfo::PhoneNumber(number)) => login.phone_number() == Some(number),
            Self::Info(AccountInfo::ThirdParty(account)) => login.third_party() == Some(account),
            Self::Credential(id) => login.credential_ids().contains(id),
        }
    }
}

/// The search criteria. Values of one tag are alternatives; a login method must match every tag that has values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchTags {
    /// Prefixes of e-mail addresses or of their domains; lower case.
    pub emails: Vec<String>,
    /// Prefixes of phone numbers in E.164.
    pub phones: Vec<String>,
    /// Prefixes of providers' ids; lower case.
    pub providers: Vec<String>,
}

impl SearchTags {
    /// The values of a tag as written: separated by `;`, in any case, with blanks around them. Duplicates are removed,
    /// because each value costs a search.
    #[must_use]
    pub fn values(written: &str) -> Vec<String> {
        let values = written.split(';').map(|value| value.trim().to_lowercase()).filter(|value| !value.is_empty());
        let values: BTreeSet<String> = values.collect();
        values.into_iter().collect()
    }

    /// True if there is nothing to search for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.phones.is_empty() && self.providers.is_empty()
    }

    /// Whether a login method matches. No method has both a phone number and a provider.
    #[must_use]
    pub fn matches(&self, login: &Login) -> bool {
        let any = |values: &[String], text: Option<String>| {
            values.is_empty() || text.is_some_and(|text| values.iter().any(|value| text.starts_with(value)))
        };
        let email = login.email().unwrap_or_default().to_lowercase();
        let domain = email.split_once('@').map(|(_, domain)| domain);
        let by_email = |value: &String| {
            email.starts_with(value) || domain.is_some_and(|domain| domain.starts_with(value.as_str()))
        };
        (self.emails.is_empty() || self.emails.iter().any(by_email))
            && any(&self.phones, login.phone_number().map(str::to_owned))
            && any(&self.providers, login.third_party().map(|account| account.id.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::{PasswordHash, ThirdPartyAccount};

    fn tags(email: &str, phone: &str, provider: &str) -> SearchTags {
        let [emails, phones, providers] = [email, phone, provider].map(SearchTags::values);
        SearchTags { emails, phones, providers }
    }

    #[test]
    fn values_are_split_trimmed_and_lowered() {
        assert_eq!(SearchTags::values(" Jane;; @X.io ;jane;JANE"), ["@x.io", "jane"]);
        assert!(tags(";", " ", "").is_empty());
    }

    #[test]
    fn a_method_must_match_every_tag() {
        let email = "jane@example.org".to_owned();
        let password = Login::EmailPassword { email: email.clone(), password: PasswordHash::new("x") };
        let account = ThirdPartyAccount { id: "Google".to_owned(), user_id: "1".to_owned() };
        let provider = Login::ThirdParty { account, email: email.clone() };
        let code = Login::Passwordless { email: Some(email), phone_number: Some("+49170".to_owned()) };
        let only_phone = Login::Passwordless { email: None, phone_number: Some("+49170".to_owned()) };
        let which = |tags: SearchTags| [&password, &provider, &code, &only_phone].map(|login| tags.matches(login));
        assert_eq!(which(tags("jan", "", "")), [true, true, true, false]);
        assert_eq!(which(tags("exam", "", "")), [true, true, true, false], "the domain's beginning");
        assert_eq!(which(tags("ane;org", "", "")), [false; 4], "nothing in the middle");
        assert_eq!(which(tags("x;jane@", "", "")), [true, true, true, false]);
        assert_eq!(which(tags("", "+49", "")), [false, false, true, true]);
        assert_eq!(which(tags("", "", "goo")), [false, true, false, false]);
        assert_eq!(which(tags("jane", "", "GOOGLE")), [false, true, false, false]);
        assert_eq!(which(tags("jane", "+4", "")), [false, false, true, false]);
        assert_eq!(which(tags("", "+4", "goo")), [false; 4]);
    }
}
