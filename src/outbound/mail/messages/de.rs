//! German.

use super::words::{Messages, Words};

pub(super) const MESSAGES: Messages = Messages {
    password_reset: Words {
        subject: "{app}: neues Passwort wählen",
        intro: "Jemand, vermutlich Sie, möchte für Ihr Konto bei {app} ein neues Passwort festlegen.",
        action: "Neues Passwort wählen",
        ignore: "Wenn Sie das nicht waren, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist.",
    },
    email_verification: Words {
        subject: "{app}: E-Mail-Adresse bestätigen",
        intro: "Bitte bestätigen Sie, dass diese E-Mail-Adresse zu Ihrem Konto bei {app} gehört.",
        action: "Adresse bestätigen",
        ignore: "Wenn Sie dort kein Konto haben, müssen Sie nichts tun.",
    },
    passwordless_login: Words {
        subject: "{app}: Ihre Anmeldung",
        intro: "Jemand, vermutlich Sie, meldet sich mit dieser Adresse bei {app} an.",
        action: "Anmelden",
        ignore: "Wenn Sie das nicht waren, müssen Sie nichts tun. Geben Sie diese Nachricht nicht weiter.",
    },
    test: Words {
        subject: "{app}: Testnachricht",
        intro: "Diese Nachricht zeigt, dass {app} E-Mails versenden kann.",
        action: "Öffnen",
        ignore: "Sie müssen nichts tun.",
    },
    link_hint: "Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:",
    code_hint: "Geben Sie diesen Code dort ein, wo Sie sich anmelden:",
    text_code: "Ihr Code für {app}:",
    text_link: "Bei {app} anmelden:",
    validity: "Gültig für {lifetime} und nur einmal.",
    footer: "Diese Nachricht ist für {email} bestimmt.",
};
