//! `GET /recipe/signinup/codes` and `POST /recipe/signinup/codes/remove`.

use crate::app::TestApp;
use serde_json::{Value, json};

async fn list(app: &TestApp, query: &str) -> Value {
    app.get(&format!("/recipe/signinup/codes?{query}")).await.ok().json()["devices"].clone()
}

#[tokio::test]
async fn devices_are_found_by_contact_and_by_each_of_their_names() {
    let app = TestApp::builder().setting("passwordless_code_lifetime", "1000").build().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    let by_phone = app.send(json!({"phoneNumber": "+49 30 12345"})).await;
    app.clock.advance(1);
    let second = app.send(json!({"deviceId": sent.device()})).await;
    let code =
        |sent: &Value| json!({"codeId": sent["codeId"], "timeCreated": sent["timeCreated"], "codeLifetime": 1000});
    let device = json!({
        "preAuthSessionId": sent.0["preAuthSessionId"], "failedCodeInputAttemptCount": 0, "email": "jane@x.io",
        "codes": [code(&sent.0), code(&second.0)],
    });
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let id = sent.0["preAuthSessionId"].as_str().unwrap();
    app.clock.advance(5000);
    for query in [
        "email=Jane@x.io".to_owned(),
        format!("deviceId={}", encoded(sent.device())),
        format!("preAuthSessionId={id}"),
        format!("preAuthSessionId={id}%3D"),
    ] {
        assert_eq!(list(&app, &query).await, json!([device]), "{query}: also when their time is over");
    }
    let listed = list(&app, "phoneNumber=%2B493012345").await;
    assert_eq!(listed[0]["phoneNumber"], "+493012345");
    assert_eq!((listed[0].get("email"), &listed[0]["codes"]), (None, &json!([code(&by_phone.0)])));
    for query in ["email=e", "phoneNumber=p", "deviceId=AAAA", "preAuthSessionId=x"] {
        assert_eq!(list(&app, query).await, json!([]));
    }
    app.send(json!({"email": "jane@x.io"})).await;
    assert_eq!(list(&app, "email=jane@x.io").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn exactly_one_is_asked_for() {
    let app = TestApp::new().await;
    let one = "Please provide exactly one of email, phoneNumber, deviceId or preAuthSessionId";
    for query in ["", "email=e&phoneNumber=p", "email=e&deviceId=AAAA", "deviceId=AAAA&preAuthSessionId=x"] {
        app.get(&format!("/recipe/signinup/codes?{query}")).await.is_text(400, one);
    }
    app.get("/recipe/signinup/codes?deviceId=!").await.is_text(400, "Input encoding error in deviceId");
    app.get("/nowhere/recipe/signinup/codes?deviceId=!").await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, nowhere)",
    );
    let one = "Please provide exactly one of email or phoneNumber";
    for body in [json!({}), json!({"email": "e", "phoneNumber": "p"})] {
        app.post("/recipe/signinup/codes/remove", body).await.is_text(400, one);
    }
}

#[tokio::test]
async fn all_codes_of_a_contact_go_in_their_tenant() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let mut sent = Vec::new();
    for to in [json!({"email": "jane@x.io"}), json!({"email": "jane@x.io"}), json!({"phoneNumber": "+493012345"})] {
        sent.push(app.send(to).await);
    }
    let there = app.post("/t1/recipe/signinup/code", json!({"email": "jane@x.io"})).await.ok().json();
    app.post("/recipe/signinup/codes/remove", json!({"email": " JANE@x.io"})).await.ok();
    for gone in &sent[..2] {
        assert_eq!(app.consumed(gone.link()).await, "RESTART_FLOW_ERROR");
    }
    app.post("/t1/recipe/signinup/code/consume", crate::passwordless::Sent(there).link()).await.ok();
    app.post("/recipe/signinup/codes/remove", json!({"phoneNumber": "+49 30 12345"})).await.ok();
    assert_eq!(app.consumed(sent[2].link()).await, "RESTART_FLOW_ERROR");
    let reply = app.post("/recipe/signinup/codes/remove", json!({"email": "nobody@x.io"})).await;
    assert_eq!(reply.json(), json!({"status": "OK"}));
}
