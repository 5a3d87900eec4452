//! Signed requests to programs of the operator's (Standard Webhooks 1.0).

use crate::crypto::webhook::signature;
use crate::domain::http_request::{HttpBody, HttpRequest};
use crate::domain::time::UnixMillis;
use crate::domain::webhook::Webhook;

/// A POST of JSON, signed with every key of the webhook. `id` names the message and stays the same when it is sent
/// again; the time is that of the attempt.
pub(super) fn signed_request(webhook: &Webhook, id: String, body: String, now: UnixMillis) -> HttpRequest {
    let timestamp_s = now.seconds();
    let sign = |key| signature(key, &id, timestamp_s, &body);
    let signatures: Vec<_> = webhook.keys.iter().map(|key| sign(key.expose())).collect();
    HttpRequest::post(webhook.url.clone(), HttpBody::Json(body))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp_s.to_string())
        .header("webhook-signature", signatures.join(" "))
}
