//! French.

use super::words::{Messages, Words};

pub(super) const MESSAGES: Messages = Messages {
    password_reset: Words {
        subject: "{app} : choisissez un nouveau mot de passe",
        intro: "Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour votre compte {app}.",
        action: "Choisir un nouveau mot de passe",
        ignore: "Si ce n’était pas vous, vous n’avez rien à faire : votre mot de passe reste inchangé.",
    },
    email_verification: Words {
        subject: "{app} : confirmez votre adresse e-mail",
        intro: "Veuillez confirmer que cette adresse e-mail est bien celle de votre compte {app}.",
        action: "Confirmer l’adresse",
        ignore: "Si vous n’y avez pas de compte, vous n’avez rien à faire.",
    },
    passwordless_login: Words {
        subject: "{app} : votre connexion",
        intro: "Quelqu’un, sans doute vous, se connecte à {app} avec cette adresse.",
        action: "Se connecter",
        ignore: "Si ce n’était pas vous, vous n’avez rien à faire. Ne transmettez ce message à personne.",
    },
    test: Words {
        subject: "{app} : message d’essai",
        intro: "Ce message montre que {app} peut envoyer des e-mails.",
        action: "Ouvrir",
        ignore: "Vous n’avez rien à faire.",
    },
    link_hint: "Si le bouton ne fonctionne pas, ouvrez cette adresse :",
    code_hint: "Saisissez ce code là où vous vous connectez :",
    text_code: "Votre code {app} :",
    text_link: "Connexion à {app} :",
    validity: "Valable pendant {lifetime} et une seule fois.",
    footer: "Ce message est destiné à {email}.",
};
