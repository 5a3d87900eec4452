//! Settings of outbound mail.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Int, Null, Text};

pub(super) const MAIL: &[Setting] = &[
    setting(
        "smtp_host",
        "SESSIOND_SMTP_HOST",
        Kind::Text,
        Null,
        "SMTP server that mails are handed to. Without one, mails are not sent but caught: the newest 200 are kept in \
         memory, to be read by developers.",
    )
    .per_app()
    .protected(),
    setting("smtp_port", "SESSIOND_SMTP_PORT", Kind::Int, Int(587), "Its port: usually 587, or 465 for TLS.")
        .at_least(1)
        .at_most(65_535)
        .per_app()
        .protected(),
    setting(
        "smtp_secure",
        "SESSIOND_SMTP_SECURE",
        Kind::Text,
        Text("auto"),
        "How the connection is encrypted. `tls` (or `true`): from the first byte. `starttls`: by STARTTLS, and nothing is \
         sent without it. `opportunistic` (or `false`): by STARTTLS if the server offers it, but a password is never sent \
         unencrypted beyond this machine. `none`: not at all. `auto`: `tls` on port 465, `none` on this machine, else \
         `starttls`. Certificates must be valid by the system's trust store.",
    )
    .one_of(&["auto", "tls", "starttls", "opportunistic", "none", "true", "false"])
    .per_app()
    .protected(),
    setting(
        "smtp_auth_username",
        "SESSIOND_SMTP_AUTH_USERNAME",
        Kind::Text,
        Null,
        "Account to sign in with, if there is a password; the sender's address if not set.",
    )
    .per_app()
    .protected(),
    setting(
        "smtp_password",
        "SESSIOND_SMTP_PASSWORD",
        Kind::Text,
        Null,
        "Password to sign in with. Without one, no sign-in is tried.",
    )
    .per_app()
    .protected()
    .secret(),
    setting("smtp_from_name", "SESSIOND_SMTP_FROM_NAME", Kind::Text, Null, "Name of the sender that people see.")
        .per_app()
        .protected(),
    setting(
        "smtp_from_email",
        "SESSIOND_SMTP_FROM_EMAIL",
        Kind::Text,
        Null,
        "Address of the sender. Required with `smtp_host`.",
    )
    .per_app()
    .protected(),
    setting(
        "mail_language",
        "SESSIOND_MAIL_LANGUAGE",
        Kind::Text,
        Text("en"),
        "Language of mails to people whose language is not known.",
    )
    .one_of(&["en", "de", "fr", "es", "pt", "ja"])
    .per_app(),
    setting(
        "front_templates_dir",
        "SESSIOND_FRONT_TEMPLATES_DIR",
        Kind::Path,
        Null,
        "Folder with templates that replace the built-in ones, file by file; those of mails are in `mail/` below it. A \
         template that cannot be used is logged once, and the built-in one is used.",
    )
    .unit("path"),
];
