//! The words of mails: one file per language. `{app}`, `{email}` and `{lifetime}` are filled in.

mod de;
mod en;
mod es;
mod fr;
mod ja;
mod pt;

use crate::domain::mail::{Language, MailKind};

/// Everything that mails say in one language.
pub(super) struct Messages {
    password_reset: Words,
    email_verification: Words,
    passwordless_login: Words,
    test: Words,
    /// Before the link in full, for those who cannot use the button.
    pub(super) link_hint: &'static str,
    /// Before a code.
    pub(super) code_hint: &'static str,
    /// How long the link or the code is valid.
    pub(super) validity: &'static str,
    /// The last line.
    pub(super) footer: &'static str,
}

/// What mails of one kind say.
pub(super) struct Words {
    /// The subject.
    pub(super) subject: &'static str,
    /// What it is about.
    pub(super) intro: &'static str,
    /// What the link does.
    pub(super) action: &'static str,
    /// What to do if one did not ask for it.
    pub(super) ignore: &'static str,
}

impl Messages {
    /// What mails of this kind say.
    pub(super) const fn words(&self, kind: MailKind) -> &Words {
        match kind {
            MailKind::PasswordReset => &self.password_reset,
            MailKind::EmailVerification => &self.email_verification,
            MailKind::PasswordlessLogin => &self.passwordless_login,
            MailKind::Test => &self.test,
        }
    }
}

/// The words of a language.
pub(super) const fn of(language: Language) -> &'static Messages {
    match language {
        Language::En => &en::MESSAGES,
        Language::De => &de::MESSAGES,
        Language::Fr => &fr::MESSAGES,
        Language::Es => &es::MESSAGES,
        Language::Pt => &pt::MESSAGES,
        Language::Ja => &ja::MESSAGES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_places_and_no_other() {
        for language in Language::ALL {
            let messages = of(language);
            let has = |text: &str, wanted: &[&str]| {
                let found: Vec<_> = text.split('{').skip(1).map(|part| part.split('}').next().unwrap()).collect();
                assert_eq!(found, wanted, "{}: {text}", language.name());
                assert!(!text.trim().is_empty());
            };
            for kind in MailKind::ALL {
                let words = messages.words(kind);
                has(words.subject, &["app"]);
                has(words.intro, &["app"]);
                has(words.action, &[]);
                has(words.ignore, &[]);
            }
            has(messages.link_hint, &[]);
            has(messages.code_hint, &[]);
            has(messages.validity, &["lifetime"]);
            has(messages.footer, &["email"]);
        }
    }
}
