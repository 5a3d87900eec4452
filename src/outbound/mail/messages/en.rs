//! English.

use super::words::{Messages, Words};

pub(super) const MESSAGES: Messages = Messages {
    password_reset: Words {
        subject: "{app}: choose a new password",
        intro: "Somebody, probably you, asked for a new password for your account at {app}.",
        action: "Choose a new password",
        ignore: "If that was not you, there is nothing to do: your password stays as it is.",
    },
    email_verification: Words {
        subject: "{app}: confirm your e-mail address",
        intro: "Please confirm that this e-mail address belongs to your account at {app}.",
        action: "Confirm the address",
        ignore: "If you have no account there, there is nothing to do.",
    },
    passwordless_login: Words {
        subject: "{app}: your sign-in",
        intro: "Somebody, probably you, is signing in to {app} with this address.",
        action: "Sign in",
        ignore: "If that was not you, there is nothing to do. Do not pass this message on.",
    },
    test: Words {
        subject: "{app}: test message",
        intro: "This message shows that {app} can send mail.",
        action: "Open",
        ignore: "There is nothing to do.",
    },
    link_hint: "If the button does not work, open this address:",
    code_hint: "Enter this code where you are signing in:",
    text_code: "Your code for {app}:",
    text_link: "Sign in to {app}:",
    validity: "Valid for {lifetime}, and only once.",
    footer: "This message is meant for {email}.",
};
