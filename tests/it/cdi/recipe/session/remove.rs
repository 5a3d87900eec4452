//! `POST /recipe/session/remove`.

use super::is_status;
use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

async fn remove(app: &TestApp, body: Value) -> TestReply {
    app.post("/recipe/session/remove", body).await
}

fn revoked(reply: &TestReply) -> Vec<String> {
    serde_json::from_value(reply.json()["sessionHandlesRevoked"].clone()).expect("handles")
}

#[tokio::test]
async fn by_handles_only_those_that_existed_are_named() {
    let app = TestApp::new().await;
    let (one, two) = (app.session("u").await.handle(), app.session("v").await.handle());
    let unknown = "00000000-0000-4000-8000-000000000000";
    let mut gone = revoked(&remove(&app, json!({"sessionHandles": [one, unknown, two, "x", one]})).await.ok());
    gone.sort();
    let mut expected = vec![one.clone(), two];
    expected.sort();
    assert_eq!(gone, expected);
    assert!(revoked(&remove(&app, json!({"sessionHandles": [one]})).await.ok()).is_empty());
    assert!(revoked(&remove(&app, json!({"sessionHandles": []})).await.ok()).is_empty());
}

#[tokio::test]
async fn by_user_all_live_sessions_end_and_others_stay() {
    let app = TestApp::new().await;
    let expired = app.session("u").await.handle();
    app.clock.advance(144_000 * 60_000 + 1);
    let mut own = vec![app.session("u").await.handle(), app.session("u").await.handle()];
    let other = app.session("v").await.handle();
    let mut gone = revoked(&remove(&app, json!({"userId": "u"})).await.ok());
    gone.sort();
    own.sort();
    assert_eq!(gone, own);
    assert!(!gone.contains(&expired));
    is_status(&app.get(&format!("/recipe/session?sessionHandle={other}")).await, "OK", None);
    assert!(revoked(&remove(&app, json!({"userId": "nobody"})).await.ok()).is_empty());
}

#[tokio::test]
async fn it_wants_either_a_user_or_handles() {
    let app = TestApp::new().await;
    let sentence = "Invalid JSON input - use one of userId or sessionHandles array";
    remove(&app, json!({})).await.is_text(400, sentence);
    remove(&app, json!({"userId": "u", "sessionHandles": []})).await.is_text(400, sentence);
}

#[tokio::test]
async fn the_flags_go_with_a_user_only() {
    let app = TestApp::new().await;
    for flag in ["revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"] {
        let sentence = format!("Invalid JSON input - {flag} can only be set if userId is set");
        for value in [true, false] {
            remove(&app, json!({"sessionHandles": [], flag: value})).await.is_text(400, &sentence);
            remove(&app, json!({"userId": "u", flag: value})).await.ok();
        }
    }
}

#[tokio::test]
async fn fields_are_checked() {
    let app = TestApp::new().await;
    for (field, wrong) in [
        ("userId", json!(1)),
        ("sessionHandles", json!("x")),
        ("sessionHandles", json!([1])),
        ("sessionHandles", json!(null)),
    ] {
        let sentence = format!("Field name '{field}' is invalid in JSON input");
        remove(&app, json!({field: wrong})).await.is_text(400, &sentence);
    }
    let body = json!({"userId": "u", "revokeAcrossAllTenants": "true"});
    remove(&app, body).await.is_text(400, "Field name 'revokeAcrossAllTenants' is invalid in JSON input");
}
