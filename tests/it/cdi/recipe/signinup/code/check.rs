//! `POST /recipe/signinup/code/check`.

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

async fn check(app: &TestApp, body: Value) -> TestReply {
    app.post("/recipe/signinup/code/check", body).await
}

#[tokio::test]
async fn a_right_code_is_confirmed_and_stays_good() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    assert_eq!(check(&app, sent.typed("wrong")).await.text_at("/status"), "INCORRECT_USER_INPUT_CODE_ERROR");
    let device = json!({
        "preAuthSessionId": sent.0["preAuthSessionId"], "failedCodeInputAttemptCount": 1, "email": "jane@x.io",
    });
    for body in [sent.input(), sent.link(), sent.input()] {
        for version in ["2.21", "3.1", "5.4"] {
            let reply = app.post("/recipe/signinup/code/check", body.clone()).cdi(version).await;
            assert_eq!(reply.json(), json!({"status": "OK", "consumedDevice": device}));
        }
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 0);
    app.consume(sent.link()).await.ok();
    assert_eq!(check(&app, sent.link()).await.text_at("/status"), "RESTART_FLOW_ERROR");
}

#[tokio::test]
async fn failed_attempts_count_together_with_those_of_consume() {
    let app = TestApp::builder().setting("passwordless_max_code_input_attempts", "3").build().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    assert_eq!(check(&app, sent.typed("wrong")).await.json()["failedCodeInputAttemptCount"], 1);
    assert_eq!(app.consume(sent.typed("wrong")).await.json()["failedCodeInputAttemptCount"], 2);
    assert_eq!(check(&app, sent.typed("wrong")).await.text_at("/status"), "RESTART_FLOW_ERROR");
    assert_eq!(app.consumed(sent.input()).await, "RESTART_FLOW_ERROR");
}

#[tokio::test]
async fn late_codes_and_other_devices_are_told_as_in_consume() {
    let app = TestApp::builder().setting("passwordless_code_lifetime", "1000").build().await;
    let sent = app.send(json!({"phoneNumber": "+493012345"})).await;
    let other = app.send(json!({"phoneNumber": "+493012345"})).await;
    let mut body = sent.link();
    body["preAuthSessionId"] = other.0["preAuthSessionId"].clone();
    check(&app, body).await.is_text(400, "preAuthSessionId and deviceId doesn't match");
    app.clock.advance(1001);
    assert_eq!(check(&app, sent.input()).await.text_at("/status"), "EXPIRED_USER_INPUT_CODE_ERROR");
    assert_eq!(check(&app, sent.link()).await.text_at("/status"), "RESTART_FLOW_ERROR");
}
