//! `POST /recipe/session/regenerate`.

use super::{is_status, verify};
use crate::app::{START, TestApp, TestReply, new_session};
use crate::cdi::golden::{claims, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

async fn regenerate(app: &TestApp, version: &str, body: Value) -> TestReply {
    app.post("/recipe/session/regenerate", body).cdi(version).await
}

#[tokio::test]
async fn a_new_payload_replaces_the_old_one_and_the_lifetime_stays() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["userDataInJWT"] = json!({"old": 1});
    let created = app.post("/recipe/session", body).await.ok();
    app.clock.advance(60_000);
    let body = json!({"accessToken": created.access_token(), "userDataInJWT": {"new": 2}});
    let reply = regenerate(&app, "5.4", body).await.ok();
    assert_eq!(reply.json()["session"]["userDataInJWT"], json!({"new": 2}));
    let (before, after) = (claims(&created.access_token()), claims(&reply.access_token()));
    assert_eq!((&after["new"], after.get("old")), (&json!(2), None));
    for kept in ["exp", "sub", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"] {
        assert_eq!(before[kept], after[kept], "{kept}");
    }
    assert_eq!(after["iat"].as_u64(), before["iat"].as_u64().map(|iat| iat + 60));
    assert_eq!(reply.json()["accessToken"]["expiry"], created.json()["accessToken"]["expiry"]);
    is_status(&verify(&app, "5.4", &reply.access_token()).await, "OK", None);
}

#[tokio::test]
async fn without_a_payload_the_stored_one_is_taken() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let body = json!({"sessionHandle": created.handle(), "userDataInJWT": {"stored": true}});
    app.put("/recipe/jwt/data", body).await.ok();
    let reply = regenerate(&app, "5.4", json!({"accessToken": created.access_token()})).await.ok();
    assert_eq!(claims(&reply.access_token())["stored"], true);
}

#[tokio::test]
async fn the_layout_of_the_token_stays() {
    let app = TestApp::new().await;
    for (minted, layout) in [("2.7", "2"), ("2.21", "3"), ("3.1", "4"), ("5.4", "5")] {
        let created = app.post("/recipe/session", new_session("u")).cdi(minted).await.ok();
        let reply = regenerate(&app, "5.4", json!({"accessToken": created.access_token()})).await.ok();
        assert_eq!(header(&reply.access_token())["version"], layout);
    }
}

#[tokio::test]
async fn an_expired_token_changes_the_payload_and_gets_no_successor() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    app.clock.advance(3_700_000);
    let body = json!({"accessToken": created.access_token(), "userDataInJWT": {"a": 1}});
    let reply = regenerate(&app, "5.4", body).await.ok().json();
    assert!(reply.get("accessToken").is_none(), "{reply}");
    let stored = app.get(&format!("/recipe/jwt/data?sessionHandle={}", created.handle())).await.ok().json();
    assert_eq!(stored["userDataInJWT"], json!({"a": 1}));
}

#[tokio::test]
async fn a_missing_session_is_unauthorised() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    app.post("/recipe/session/remove", json!({"sessionHandles": [created.handle()]})).await.ok();
    let reply = regenerate(&app, "5.4", json!({"accessToken": created.access_token()})).await;
    is_status(&reply, "UNAUTHORISED", None);
    assert!(reply.json()["message"].is_string());
}

#[tokio::test]
async fn protected_names_are_refused_from_2_21() {
    let app = TestApp::new().await;
    let created = app.post("/recipe/session", new_session("u")).cdi("3.1").await.ok();
    let body = |name: &str| json!({"accessToken": created.access_token(), "userDataInJWT": {name: 1}});
    let sentence = "The user payload contains protected field";
    regenerate(&app, "3.1", body("sub")).await.is_text(400, sentence);
    regenerate(&app, "3.1", body("tId")).await.is_text(400, sentence);
    // the list for the token's own layout
    regenerate(&app, "5.4", body("rsub")).await.ok();
}

#[tokio::test]
async fn below_2_21_no_name_is_protected_and_the_session_lives_on() {
    let app = TestApp::new().await;
    let created = app.post("/recipe/session", new_session("u")).cdi("2.20").await.ok();
    let payload = json!({"userId": "mine", "antiCsrfToken": 1});
    let body = json!({"accessToken": created.access_token(), "userDataInJWT": payload});
    let reply = regenerate(&app, "2.20", body).await.ok();
    assert_eq!(reply.json()["session"]["userDataInJWT"], payload);
    let seen = verify(&app, "2.20", &reply.access_token()).await.json();
    assert_eq!((&seen["session"]["userId"], &seen["session"]["userDataInJWT"]), (&json!("u"), &payload));
    // the next token is minted with it as well
    let body = json!({"refreshToken": created.refresh_token(), "enableAntiCsrf": false});
    let refreshed = app.post("/recipe/session/refresh", body).cdi("2.20").await.ok();
    assert_eq!(refreshed.json()["session"]["userDataInJWT"], payload);
}

#[tokio::test]
async fn a_refused_payload_is_not_stored() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let body = json!({"accessToken": created.access_token(), "userDataInJWT": {"sub": "x"}});
    for version in ["2.20", "2.21", "5.4"] {
        regenerate(&app, version, body.clone()).await.is_text(400, "The user payload contains protected field");
        let stored = app.get(&format!("/recipe/jwt/data?sessionHandle={}", created.handle())).await.ok().json();
        assert_eq!(stored["userDataInJWT"], json!({}), "{version}");
    }
}

#[tokio::test]
async fn what_is_no_jwt_is_an_internal_error_by_protocol() {
    let app = TestApp::new().await;
    for odd in ["", "x", "a.b.c", "..", "{}"] {
        assert_eq!(regenerate(&app, "5.4", json!({"accessToken": odd})).await.code(), 500, "{odd}");
    }
}

#[tokio::test]
async fn fields_are_checked() {
    let app = TestApp::new().await;
    regenerate(&app, "5.4", json!({})).await.is_text(400, "Field name 'accessToken' is invalid in JSON input");
    let body = json!({"accessToken": "x", "userDataInJWT": null});
    regenerate(&app, "5.4", body).await.is_text(400, "Field name 'userDataInJWT' is invalid in JSON input");
}

#[tokio::test]
async fn an_expiry_that_nobody_vouched_for_is_cut_to_a_new_tokens() {
    let app = TestApp::new().await;
    let created = app.session("u").await.access_token();
    let mut forged = claims(&created);
    let exp = forged["exp"].as_u64().expect("seconds");
    forged["exp"] = json!(exp + 1_000_000);
    let parts: Vec<_> = created.split('.').collect();
    let token = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(forged.to_string()), parts[2]);
    app.clock.advance(60_000);
    let reply = regenerate(&app, "5.4", json!({"accessToken": token})).await.ok();
    let latest = (START.0 + 60_000 + 3_600_000) / 1000;
    assert_eq!(claims(&reply.access_token())["exp"], json!(latest));
}
