//! `POST /recipe/signinup/code/remove`.

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

async fn remove(app: &TestApp, body: Value, version: &str) -> TestReply {
    app.post("/recipe/signinup/code/remove", body).cdi(version).await
}

async fn codes(app: &TestApp) -> Vec<usize> {
    let listed = app.get("/recipe/signinup/codes?email=jane@x.io").await.json();
    let devices = listed["devices"].as_array().unwrap();
    devices.iter().map(|device| device["codes"].as_array().unwrap().len()).collect()
}

#[tokio::test]
async fn a_code_goes_and_with_the_last_one_its_device() {
    let app = TestApp::new().await;
    let first = app.send(json!({"email": "jane@x.io"})).await;
    let second = app.send(json!({"deviceId": first.device()})).await;
    for version in ["2.21", "3.1", "4.0", "5.4"] {
        remove(&app, json!({"codeId": first.0["codeId"]}), version).await.ok();
        assert_eq!(codes(&app).await, [1]);
    }
    assert_eq!(app.consumed(first.link()).await, "RESTART_FLOW_ERROR");
    remove(&app, json!({"codeId": second.0["codeId"]}), "5.4").await.ok();
    assert_eq!(codes(&app).await, [0; 0]);
    assert_eq!(app.consumed(second.input()).await, "RESTART_FLOW_ERROR");
}

#[tokio::test]
async fn a_device_goes_as_a_whole() {
    let app = TestApp::new().await;
    let first = app.send(json!({"email": "jane@x.io"})).await;
    app.send(json!({"deviceId": first.device()})).await;
    let other = app.send(json!({"email": "jane@x.io"})).await;
    remove(&app, json!({"preAuthSessionId": first.0["preAuthSessionId"]}), "5.0").await.ok();
    assert_eq!(codes(&app).await, [1]);
    app.consume(other.link()).await.ok();
}

#[tokio::test]
async fn what_is_not_there_is_as_good_as_removed() {
    let app = TestApp::new().await;
    for body in [
        json!({"codeId": "x"}),
        json!({"codeId": "3b2c8c3e-0000-4000-8000-000000000001"}),
        json!({"preAuthSessionId": "x"}),
        json!({"preAuthSessionId": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"}),
    ] {
        assert_eq!(remove(&app, body, "5.4").await.json(), json!({"status": "OK"}));
    }
}

#[tokio::test]
async fn exactly_one_name_is_asked_for() {
    let app = TestApp::new().await;
    let both = json!({"codeId": "a", "preAuthSessionId": "b"});
    let sentence = "Please provide only one of 'codeId' or 'preAuthSessionId'";
    remove(&app, both.clone(), "5.0").await.is_text(400, sentence);
    remove(&app, json!({}), "5.0").await.is_text(400, "Please provide either 'codeId' or 'preAuthSessionId'");
    remove(&app, both, "4.0").await.ok();
    let sentence = "Field name 'codeId' is invalid in JSON input";
    remove(&app, json!({"preAuthSessionId": "b"}), "4.0").await.is_text(400, sentence);
    remove(&app, json!({"codeId": 1}), "5.0").await.is_text(400, sentence);
}
