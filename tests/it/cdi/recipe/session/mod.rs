//! `/recipe/session…`.

mod create;
mod custom_jwt;
mod data;
mod linked;
mod old_sdks;
mod refresh;
mod regenerate;
mod remove;
mod restart;
mod show;
mod tenants;
mod timeline;
mod user;
mod verify;

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

/// The body of a verify request without a database look-up.
fn verify_body(access_token: &str) -> Value {
    json!({"accessToken": access_token, "doAntiCsrfCheck": true, "enableAntiCsrf": false, "checkDatabase": false})
}

/// The body of a refresh request.
fn refresh_body(refresh_token: &str) -> Value {
    json!({"refreshToken": refresh_token, "enableAntiCsrf": false, "useDynamicSigningKey": true})
}

/// Verifies at this version without a database look-up.
async fn verify(app: &TestApp, version: &str, access_token: &str) -> TestReply {
    app.post("/recipe/session/verify", verify_body(access_token)).cdi(version).await
}

/// Verifies at this version with a database look-up.
async fn verify_in_database(app: &TestApp, version: &str, access_token: &str) -> TestReply {
    let mut body = verify_body(access_token);
    body["checkDatabase"] = true.into();
    app.post("/recipe/session/verify", body).cdi(version).await
}

/// Refreshes at this version.
async fn refresh(app: &TestApp, version: &str, refresh_token: &str) -> TestReply {
    app.post("/recipe/session/refresh", refresh_body(refresh_token)).cdi(version).await
}

/// Asserts a protocol status and, when given, its message.
#[track_caller]
fn is_status(reply: &TestReply, status: &str, message: Option<&str>) {
    let json = reply.json();
    assert_eq!(json["status"], status, "{json}");
    if let Some(message) = message {
        assert_eq!(json["message"], message, "{json}");
    }
}
