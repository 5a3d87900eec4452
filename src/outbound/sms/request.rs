//! How services are asked to deliver a message.

use crate::domain::http_request::{HttpBody, HttpRequest};
use crate::domain::sms::{SmsService, Twilio, TwilioSender};
use crate::domain::time::UnixMillis;
use crate::domain::webhook::Webhook;
use crate::outbound::mail::Letter;
use crate::outbound::webhook::signed_request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// The request that has a service deliver a letter.
pub(super) fn request(service: &SmsService, letter: &Letter, now: UnixMillis) -> HttpRequest {
    match service {
        SmsService::Twilio(twilio) => to_twilio(service.url(), twilio, letter),
        SmsService::Webhook(webhook) => to_webhook(webhook, letter, now),
    }
}

/// Twilio's `Messages` resource, version 2010-04-01.
fn to_twilio(url: String, twilio: &Twilio, letter: &Letter) -> HttpRequest {
    let (name, from) = match &twilio.from {
        TwilioSender::Number(number) => ("From", number),
        TwilioSender::MessagingService(sid) => ("MessagingServiceSid", sid),
    };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("To", letter.mail.to.as_str()).append_pair("Body", &letter.text).append_pair(name, from);
    let account = format!("{}:{}", twilio.account_sid, twilio.auth_token.expose());
    let basic = format!("Basic {}", STANDARD.encode(account));
    HttpRequest::post(url, HttpBody::Form(form.finish())).header("authorization", basic)
}

/// What a webhook gets. Names and values are those of the hooks of the backend SDKs, as far as they have them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivery<'a> {
    r#type: &'static str,
    phone_number: &'a str,
    /// The message as it is to be sent.
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_input_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_with_link_code: Option<&'a str>,
    /// In ms.
    code_lifetime: u64,
    app_name: &'a str,
    language: &'static str,
    connection_uri_domain: &'a str,
    app_id: &'a str,
    tenant_id: &'a str,
}

fn to_webhook(webhook: &Webhook, letter: &Letter, now: UnixMillis) -> HttpRequest {
    let Letter { id, app, mail, text, .. } = letter;
    let delivery = Delivery {
        r#type: "PASSWORDLESS_LOGIN",
        phone_number: mail.to.as_str(),
        text,
        user_input_code: mail.code.as_deref(),
        url_with_link_code: mail.link.as_deref(),
        code_lifetime: mail.lifetime_ms,
        app_name: &mail.app_name,
        language: mail.language.name(),
        connection_uri_domain: &app.connection_uri_domain,
        app_id: &app.app_id,
        tenant_id: mail.tenant.as_str(),
    };
    // invariant: it holds only serialisable data with string keys
    let body = serde_json::to_string(&delivery).unwrap_or_default();
    // The same id if it is sent again, by which receivers recognise it.
    signed_request(webhook, format!("msg_{}", id.simple()), body, now)
}
