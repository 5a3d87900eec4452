//! `POST /recipe/session/verify`.

use super::{is_status, refresh, verify, verify_body, verify_in_database};
use crate::app::{TestApp, new_session};
use crate::cdi::golden::claims;
use serde_json::json;

#[tokio::test]
async fn fields_are_checked_in_order() {
    let app = TestApp::new().await;
    let whole = verify_body("x");
    for (field, wrong) in [
        ("accessToken", json!(1)),
        ("doAntiCsrfCheck", json!("true")),
        ("enableAntiCsrf", json!(0)),
        ("checkDatabase", json!(null)),
    ] {
        let mut body = whole.clone();
        body[field] = wrong;
        let sentence = format!("Field name '{field}' is invalid in JSON input");
        app.post("/recipe/session/verify", body.clone()).cdi("2.21").await.is_text(400, &sentence);
        body.as_object_mut().map(|members| members.remove(field));
        app.post("/recipe/session/verify", body).cdi("2.21").await.is_text(400, &sentence);
    }
    let mut body = whole;
    body["antiCsrfToken"] = json!(null);
    let reply = app.post("/recipe/session/verify", body).await;
    reply.is_text(400, "Field name 'antiCsrfToken' is invalid in JSON input");
}

#[tokio::test]
async fn every_version_verifies_tokens_of_every_version() {
    let app = TestApp::new().await;
    for minted in ["2.7", "2.21", "3.1", "4.0", "5.5", "5.6"] {
        let token = app.post("/recipe/session", new_session("u")).cdi(minted).await.ok().access_token();
        for asked in ["2.7", "2.21", "3.1", "4.0", "5.5", "5.6"] {
            let reply = verify(&app, asked, &token).await.ok();
            assert_eq!(reply.json()["session"]["userId"], "u", "{minted} at {asked}");
        }
    }
}

#[tokio::test]
async fn the_answer_has_the_members_of_the_asking_version() {
    let app = TestApp::new().await;
    let token = app.session("u").await.access_token();
    for (version, members) in [("2.21", 3), ("3.0", 4), ("4.0", 5), ("5.6", 5)] {
        let reply = verify(&app, version, &token).await.ok().json();
        assert_eq!(reply["session"].as_object().map(serde_json::Map::len), Some(members), "{version}");
        assert_eq!(reply.as_object().map(serde_json::Map::len), Some(2), "{version}");
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_asks_for_refresh() {
    let app = TestApp::new().await;
    let token = app.session("u").await.access_token();
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let flipped: String = signature.chars().rev().collect();
    for odd in [
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{signature}.x"),
        format!("{header}.{payload}.{flipped}"),
        format!("{header}.{}.{signature}", payload.replace('e', "f")),
        "x".repeat(100_000),
    ] {
        for version in ["2.20", "5.5", "5.6"] {
            is_status(&verify(&app, version, &odd).await, "TRY_REFRESH_TOKEN", None);
        }
    }
}

#[tokio::test]
async fn an_expired_token_asks_for_refresh() {
    let app = TestApp::builder().setting("access_token_validity_jitter", "0").build().await;
    let token = app.session("u").await.access_token();
    app.clock.advance(3_600_000);
    is_status(&verify(&app, "5.4", &token).await, "OK", None);
    app.clock.advance(1_000);
    for version in ["2.21", "5.5", "5.6"] {
        is_status(&verify(&app, version, &token).await, "TRY_REFRESH_TOKEN", Some("Access token expired"));
    }
}

#[tokio::test]
async fn anti_csrf_is_checked_when_the_application_and_the_request_want_it() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["enableAntiCsrf"] = true.into();
    let created = app.post("/recipe/session", body).await.ok();
    let without = app.session("u").await.access_token();
    let send = async |token: &str, anti_csrf: Option<&str>, check: bool, enabled: bool| {
        let mut body = verify_body(token);
        body["doAntiCsrfCheck"] = check.into();
        body["enableAntiCsrf"] = enabled.into();
        if let Some(anti_csrf) = anti_csrf {
            body["antiCsrfToken"] = anti_csrf.into();
        }
        app.post("/recipe/session/verify", body).await
    };
    let (token, good) = (created.access_token(), created.text_at("/antiCsrfToken"));
    is_status(&send(&token, Some(&good), true, true).await, "OK", None);
    for bad in [None, Some(""), Some("x")] {
        is_status(&send(&token, bad, true, true).await, "TRY_REFRESH_TOKEN", Some("anti-csrf check failed"));
        is_status(&send(&token, bad, false, true).await, "OK", None);
        is_status(&send(&token, bad, true, false).await, "OK", None);
    }
    is_status(&send(&without, Some(&good), true, true).await, "TRY_REFRESH_TOKEN", None);
}

#[tokio::test]
async fn a_revoked_session_is_noticed_only_in_the_database() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    app.post("/recipe/session/remove", json!({"sessionHandles": [created.handle()]})).await.ok();
    for version in ["2.21", "5.5", "5.6"] {
        is_status(&verify(&app, version, &created.access_token()).await, "OK", None);
        let reply = verify_in_database(&app, version, &created.access_token()).await;
        is_status(&reply, "UNAUTHORISED", Some("Either the session has ended or has been blacklisted"));
    }
}

#[tokio::test]
async fn below_2_21_a_setting_decides_about_the_database() {
    for (setting, status) in [("true", "UNAUTHORISED"), ("false", "OK")] {
        let app = TestApp::builder().setting("access_token_blacklisting", setting).build().await;
        let created = app.post("/recipe/session", new_session("u")).cdi("2.20").await.ok();
        app.post("/recipe/session/remove", json!({"sessionHandles": [created.handle()]})).await.ok();
        let mut body = verify_body(&created.access_token());
        body["checkDatabase"] = json!("not read");
        is_status(&app.post("/recipe/session/verify", body).cdi("2.20").await, status, None);
    }
}

#[tokio::test]
async fn below_2_21_keys_come_with_good_and_stale_tokens() {
    let app = TestApp::new().await;
    let token = app.post("/recipe/session", new_session("u")).cdi("2.20").await.ok().access_token();
    for reply in [verify(&app, "2.20", &token).await, verify(&app, "2.20", "x").await] {
        let reply = reply.json();
        assert!(reply["jwtSigningPublicKey"].is_string() && reply["jwtSigningPublicKeyList"].is_array(), "{reply}");
        assert!(reply["jwtSigningPublicKeyExpiryTime"].is_u64(), "{reply}");
    }
    assert!(verify(&app, "2.8", &token).await.json().get("jwtSigningPublicKeyList").is_none());
    assert!(verify(&app, "2.21", &token).await.json().get("jwtSigningPublicKey").is_none());
}

#[tokio::test]
async fn legacy_first_use_of_a_refreshed_token_promotes_it() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let refreshed = refresh(&app, "5.5", &created.refresh_token()).await.ok();
    let first = verify(&app, "5.5", &refreshed.access_token()).await.ok();
    let promoted = first.access_token();
    let claims = claims(&promoted);
    assert!(claims["parentRefreshTokenHash1"].is_null());
    // the promoted token is settled: no more tokens
    assert!(verify(&app, "5.5", &promoted).await.ok().json().get("accessToken").is_none());
    is_status(&refresh(&app, "5.5", &created.refresh_token()).await, "TOKEN_THEFT_DETECTED", None);
}

#[tokio::test]
async fn legacy_verify_hands_out_a_changed_payload_in_the_database_only() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let body = json!({"sessionHandle": created.handle(), "userDataInJWT": {"role": "admin"}});
    app.put("/recipe/jwt/data", body).await.ok();
    let offline = verify(&app, "5.5", &created.access_token()).await.ok().json();
    assert_eq!((&offline["session"]["userDataInJWT"], offline.get("accessToken")), (&json!({}), None));
    let online = verify_in_database(&app, "5.5", &created.access_token()).await.ok();
    assert_eq!(online.json()["session"]["userDataInJWT"], json!({"role": "admin"}));
    assert_eq!(claims(&online.access_token())["role"], "admin");
}

#[tokio::test]
async fn from_5_6_verify_never_writes_and_tells_of_a_changed_payload() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let token = created.access_token();
    let reply = verify_in_database(&app, "5.6", &token).await.ok().json();
    assert_eq!(reply["payloadUpdateAvailable"], false);
    let body = json!({"sessionHandle": created.handle(), "userDataInJWT": {"role": "admin"}});
    app.put("/recipe/jwt/data", body).await.ok();
    let reply = verify_in_database(&app, "5.6", &token).await.ok().json();
    assert_eq!(reply["payloadUpdateAvailable"], true);
    assert_eq!((&reply["session"]["userDataInJWT"], reply.get("accessToken")), (&json!({}), None));
    assert!(verify(&app, "5.6", &token).await.ok().json().get("payloadUpdateAvailable").is_none());
    assert!(verify_in_database(&app, "5.5", &token).await.ok().json().get("payloadUpdateAvailable").is_none());
}

#[tokio::test]
async fn from_5_6_a_token_of_a_rotated_out_branch_is_refused_in_the_database() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let second = refresh(&app, "5.6", &created.refresh_token()).await.ok();
    is_status(&verify_in_database(&app, "5.6", &created.access_token()).await, "OK", None);
    refresh(&app, "5.6", &second.refresh_token()).await.ok();
    let reply = verify_in_database(&app, "5.6", &created.access_token()).await;
    is_status(&reply, "UNAUTHORISED", Some("rotated-out token branch; refresh required"));
    is_status(&verify(&app, "5.6", &created.access_token()).await, "OK", None);
    is_status(&verify_in_database(&app, "5.5", &created.access_token()).await, "OK", None);
}

#[tokio::test]
async fn legacy_a_token_from_before_a_promotion_stays_good_until_it_expires() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let mut token = created.refresh_token();
    for _ in 0..2 {
        let refreshed = refresh(&app, "5.5", &token).await.ok();
        verify(&app, "5.5", &refreshed.access_token()).await.ok();
        token = refreshed.refresh_token();
    }
    for reply in [
        verify(&app, "5.5", &created.access_token()).await.ok(),
        verify_in_database(&app, "5.5", &created.access_token()).await.ok(),
    ] {
        assert!(reply.json().get("accessToken").is_none());
    }
}
