//! What an attacker gains with something made for another device, contact, tenant, app or time.

use super::Sent;
use crate::app::TestApp;
use crate::people::{method, within};
use serde_json::{Value, json};
use sessiond::domain::user::Login;

const INCORRECT: &str = "INCORRECT_USER_INPUT_CODE_ERROR";
const RESTART: &str = "RESTART_FLOW_ERROR";

/// An app and a tenant in addition to the public one, and their path prefixes.
async fn elsewhere() -> (TestApp, [&'static str; 2]) {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    (app, ["/t1", "/appid-a1"])
}

async fn at(app: &TestApp, prefix: &str, path: &str, body: Value) -> Value {
    app.post(&format!("{prefix}/recipe/signinup/{path}"), body).await.json()
}

#[tokio::test]
async fn a_code_is_good_on_its_own_device_only() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": "jane@x.io", "userInputCode": "to jane"})).await;
    // Started for the same contact, by somebody who has read the code but has not started the sign-in.
    let other = app.send(json!({"email": "jane@x.io", "userInputCode": "again"})).await;
    for (device, code) in [(&sent, "again"), (&other, "to jane")] {
        let reply = app.consume(device.typed(code)).await.json();
        assert_eq!((&reply["status"], &reply["failedCodeInputAttemptCount"]), (&json!(INCORRECT), &json!(1)));
    }
    for body in [sent.link(), other.link()] {
        let mut body = body;
        let session = if body["linkCode"] == sent.0["linkCode"] { &other } else { &sent };
        body["preAuthSessionId"] = session.0["preAuthSessionId"].clone();
        app.consume(body).await.is_text(400, "preAuthSessionId and deviceId doesn't match");
    }
    app.consume(sent.input()).await.ok();
    assert_eq!(app.consumed(other.input()).await, RESTART, "and one sign-in ends them all");
}

#[tokio::test]
async fn what_was_sent_in_one_place_is_worth_nothing_in_another() {
    let (app, places) = elsewhere().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    for prefix in places {
        for body in [sent.link(), sent.input(), sent.typed("wrong")] {
            for path in ["code/consume", "code/check"] {
                assert_eq!(at(&app, prefix, path, body.clone()).await, json!({"status": RESTART}), "{prefix}");
            }
        }
        let more = at(&app, prefix, "code", json!({"deviceId": sent.device()})).await;
        assert_eq!(more, json!({"status": RESTART}));
        for body in [json!({"codeId": sent.0["codeId"]}), json!({"preAuthSessionId": sent.0["preAuthSessionId"]})] {
            assert_eq!(at(&app, prefix, "code/remove", body).await, json!({"status": "OK"}));
        }
        at(&app, prefix, "codes/remove", json!({"email": "jane@x.io"})).await;
        let query = format!("{prefix}/recipe/signinup/codes?preAuthSessionId={}", sent.text("preAuthSessionId"));
        assert_eq!(app.get(&query).await.json()["devices"], json!([]));
    }
    let reply = app.consume(sent.input()).await.ok().json();
    assert_eq!(reply["consumedDevice"]["failedCodeInputAttemptCount"], 0, "none of that counted");
    assert_eq!(app.get("/t1/users/count").await.json()["count"], 0);
}

#[tokio::test]
async fn a_sign_in_ends_what_was_sent_in_its_tenant_and_nothing_elsewhere() {
    let (app, _) = elsewhere().await;
    let login = Login::Passwordless { email: Some("jane@x.io".to_owned()), phone_number: None };
    app.people([within(["public", "t1"], method("jane", 1, login))]).await;
    let here = app.send(json!({"email": "jane@x.io"})).await;
    let there = Sent(at(&app, "/t1", "code", json!({"email": "jane@x.io"})).await);
    app.consume(here.input()).await.ok();
    assert_eq!(app.consumed(here.link()).await, RESTART);
    let reply = at(&app, "/t1", "code/consume", there.link()).await;
    assert_eq!((&reply["status"], &reply["user"]["id"]), (&json!("OK"), &json!("jane")));
}

#[tokio::test]
async fn neither_used_codes_nor_wrong_ones_are_forgotten_by_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    let used = app.send(json!({"email": "used@x.io"})).await;
    app.consume(used.link()).await.ok();
    let tried = app.send(json!({"email": "tried@x.io"})).await;
    for _ in 0..3 {
        assert_eq!(app.consumed(tried.typed("wrong")).await, INCORRECT);
    }
    app.context.store.close().await.unwrap();
    drop(app);
    let again = TestApp::builder().seed(2).on_disk(folder.path()).build().await;
    for body in [used.link(), used.input()] {
        assert_eq!(again.consumed(body).await, RESTART);
    }
    assert_eq!(again.consume(tried.typed("wrong")).await.json()["failedCodeInputAttemptCount"], 4);
    let reply = again.consume(tried.input()).await.ok().json();
    assert_eq!(reply["createdNewUser"], true, "and a good one is good");
    again.context.store.close().await.unwrap();
}

#[tokio::test]
async fn further_messages_buy_no_further_attempts() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    for count in 1..5 {
        assert_eq!(app.consume(sent.typed("wrong")).await.json()["failedCodeInputAttemptCount"], count);
        let more = app.send(json!({"deviceId": sent.device()})).await;
        let body = json!({"codeId": more.0["codeId"]});
        at(&app, "", "code/remove", body).await;
    }
    let last = app.send(json!({"deviceId": sent.device()})).await;
    assert_eq!(app.consumed(sent.typed("wrong")).await, RESTART);
    assert_eq!(app.consumed(last.input()).await, RESTART);
}
