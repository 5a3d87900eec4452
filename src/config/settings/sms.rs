//! Settings of outbound text messages.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Null, Text};

pub(super) const SMS: &[Setting] = &[
    setting(
        "sms_twilio_account_sid",
        "SESSIOND_SMS_TWILIO_ACCOUNT_SID",
        Kind::Text,
        Null,
        "Account at Twilio that delivers text messages. Without it and without `sms_webhook_url`, they are not sent but \
         caught, as mails are without `smtp_host`.",
    )
    .per_app()
    .protected(),
    setting("sms_twilio_auth_token", "SESSIOND_SMS_TWILIO_AUTH_TOKEN", Kind::Text, Null, "That account's token.")
        .per_app()
        .protected()
        .secret(),
    setting(
        "sms_twilio_from",
        "SESSIOND_SMS_TWILIO_FROM",
        Kind::Text,
        Null,
        "Number or name that text messages are from.",
    )
    .per_app()
    .protected(),
    setting(
        "sms_twilio_messaging_service_sid",
        "SESSIOND_SMS_TWILIO_MESSAGING_SERVICE_SID",
        Kind::Text,
        Null,
        "Messaging service of the account that chooses the number; takes the place of `sms_twilio_from`.",
    )
    .per_app()
    .protected(),
    setting(
        "sms_twilio_base_url",
        "SESSIOND_SMS_TWILIO_BASE_URL",
        Kind::Text,
        Text("https://api.twilio.com"),
        "Where that API is: Twilio's, or of a service that is called in the same way.",
    )
    .unit("URL")
    .per_app()
    .protected(),
    setting(
        "sms_webhook_url",
        "SESSIOND_SMS_WEBHOOK_URL",
        Kind::Text,
        Null,
        "URL that is called to deliver a text message; takes the place of Twilio. `POST` with JSON, signed as in Standard \
         Webhooks; https, or http on this machine.",
    )
    .unit("URL")
    .per_app()
    .protected(),
    setting(
        "sms_webhook_secret",
        "SESSIOND_SMS_WEBHOOK_SECRET",
        Kind::Text,
        Null,
        "Key of the signatures: at least 24 random bytes in base64, with or without `whsec_` before them.",
    )
    .per_app()
    .protected()
    .secret(),
];
