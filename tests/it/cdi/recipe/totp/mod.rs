//! `/recipe/totp/…`.

mod concurrent;
mod device;
mod kept;
mod verify;

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};
use sessiond::domain::totp::TotpSecret;

/// Creates a device that shows a code for 30 s and may be one step off.
async fn add(app: &TestApp, user: &str, name: Option<&str>) -> TestReply {
    let mut body = json!({"userId": user, "skew": 1, "period": 30});
    if let Some(name) = name {
        body["deviceName"] = name.into();
    }
    app.post("/recipe/totp/device", body).await
}

/// Adds a verified device; returns its secret.
async fn device(app: &TestApp, user: &str, name: &str) -> String {
    let secret = add(app, user, Some(name)).await.ok().text_at("/secret");
    let reply = verify_device(app, user, name, &code(app, &secret, 0)).await.ok();
    assert_eq!(reply.json(), json!({"status": "OK", "wasAlreadyVerified": false}));
    secret
}

async fn verify_device(app: &TestApp, user: &str, name: &str, code: &str) -> TestReply {
    app.post("/recipe/totp/device/verify", json!({"userId": user, "deviceName": name, "totp": code})).await
}

async fn verify(app: &TestApp, user: &str, code: &str) -> TestReply {
    verify_in(app, "", user, code).await
}

async fn verify_in(app: &TestApp, tenant: &str, user: &str, code: &str) -> TestReply {
    app.post(&format!("{tenant}/recipe/totp/verify"), json!({"userId": user, "totp": code})).await
}

/// The code that a 30 s authenticator app shows, this many steps from now.
fn code(app: &TestApp, secret: &str, steps: i64) -> String {
    code_of(app, secret, 30, steps)
}

fn code_of(app: &TestApp, secret: &str, period: u64, steps: i64) -> String {
    let step = (app.context.now().seconds() / period).checked_add_signed(steps).unwrap();
    format!("{:06}", TotpSecret::from_base32(secret).unwrap().code(step))
}

/// A code that is not valid for any step nearby.
fn wrong(app: &TestApp, secret: &str) -> String {
    let shown: Vec<_> = (-3..=3).map(|steps| code(app, secret, steps)).collect();
    let mut codes = (0..10).map(|digit| format!("{digit}{digit}1234"));
    codes.find(|code| !shown.contains(code)).unwrap()
}

/// `[name, verified]` of each device.
async fn devices(app: &TestApp, user: &str) -> Vec<(String, bool)> {
    let reply = app.get(&format!("/recipe/totp/device/list?userId={user}")).await.ok().json();
    let shown = reply["devices"].as_array().unwrap().iter();
    shown.map(|device| (device["name"].as_str().unwrap().to_owned(), device["verified"] == true)).collect()
}

fn invalid(failures: u32, max: u32) -> Value {
    json!({"status": "INVALID_TOTP_ERROR", "currentNumberOfFailedAttempts": failures, "maxNumberOfFailedAttempts": max})
}

fn limit_reached(failures: u32, retry_after_ms: u64) -> Value {
    json!({"status": "LIMIT_REACHED_ERROR", "currentNumberOfFailedAttempts": failures,
        "maxNumberOfFailedAttempts": failures, "retryAfterMs": retry_after_ms})
}
