//! Observations of the settings of text messages.

use super::Spot;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sessiond::command::outbox::operate::TestMail;
use sessiond::command::scope::{Cause, Scope};
use sessiond::crypto::webhook::signature;
use sessiond::domain::http_request::{HttpBody, HttpReply, HttpRequest};
use sessiond::domain::sms::PhoneNumber;
use sessiond::outbound::mail::Delivery;

/// The key of webhooks unless a probe changes it.
pub(super) const FIRST_SECRET: &str = "Zmlyc3QtLWZpcnN0LS1maXJzdC0tZmlyc3Q=";

/// The reply of a service that says what it was asked: Twilio in words, a webhook by its status.
pub(super) fn told(request: &HttpRequest) -> Option<HttpReply> {
    let header = |name: &str| request.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    if let (Some(HttpBody::Json(body)), Some(signed)) = (&request.body, header("webhook-signature")) {
        let key = STANDARD.decode(FIRST_SECRET).unwrap();
        let time_s = header("webhook-timestamp")?.parse().unwrap();
        let is_first = signature(&key, header("webhook-id")?, time_s, body) == signed;
        return Some(HttpReply::new(if is_first { 200 } else { 202 }, Vec::new()));
    }
    let Some(HttpBody::Form(form)) = request.body.as_ref().filter(|_| request.url.ends_with("/Messages.json")) else {
        return None;
    };
    let sid = format!("{} {} {form}", request.url, header("authorization")?);
    Some(HttpReply::new(201, json!({ "sid": sid }).to_string().into_bytes()))
}

/// How a test message is sent.
pub(super) async fn sent(spot: Spot<'_>) -> Value {
    let app = spot.app.context.directory.app(&spot.app_id()).unwrap();
    let scope = Scope { app, cause: Cause::without_request("test") };
    let test = TestMail { scope, to: PhoneNumber::parse("+4915112345678").unwrap().into() };
    match test.run(&spot.app.context).await.unwrap() {
        Ok(Delivery::Sent(told)) => json!(told),
        other => panic!("{other:?}"),
    }
}
