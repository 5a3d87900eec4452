//! What mails say, whatever the language.

use crate::domain::mail::MailKind;

/// Everything that mails say in one language.
pub(in crate::outbound::mail) struct Messages {
    pub(in crate::outbound::mail) password_reset: Words,
    pub(in crate::outbound::mail) email_verification: Words,
    pub(in crate::outbound::mail) passwordless_login: Words,
    pub(in crate::outbound::mail) test: Words,
    /// Before the link in full, for those who cannot use the button.
    pub(in crate::outbound::mail) link_hint: &'static str,
    /// Before a code.
    pub(in crate::outbound::mail) code_hint: &'static str,
    /// Before a code in a text message.
    pub(in crate::outbound::mail) text_code: &'static str,
    /// Before a link in a text message.
    pub(in crate::outbound::mail) text_link: &'static str,
    /// How long the link or the code is valid.
    pub(in crate::outbound::mail) validity: &'static str,
    /// The last line.
    pub(in crate::outbound::mail) footer: &'static str,
}

/// What mails of one kind say.
pub(in crate::outbound::mail) struct Words {
    /// The subject.
    pub(in crate::outbound::mail) subject: &'static str,
    /// What it is about.
    pub(in crate::outbound::mail) intro: &'static str,
    /// What the link does.
    pub(in crate::outbound::mail) action: &'static str,
    /// What to do if one did not ask for it.
    pub(in crate::outbound::mail) ignore: &'static str,
}

impl Messages {
    /// What mails of this kind say.
    pub(in crate::outbound::mail) const fn words(&self, kind: MailKind) -> &Words {
        match kind {
            MailKind::PasswordReset => &self.password_reset,
            MailKind::EmailVerification => &self.email_verification,
            MailKind::PasswordlessLogin | MailKind::PasswordlessText => &self.passwordless_login,
            MailKind::Test => &self.test,
        }
    }
}
