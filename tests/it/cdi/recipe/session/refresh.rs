//! `POST /recipe/session/refresh`.

use super::{is_status, refresh, refresh_body, verify};
use crate::app::{START, TestApp, new_session};
use crate::cdi::golden::{claims, header};
use serde_json::json;

#[tokio::test]
async fn fields_are_checked_in_order() {
    let app = TestApp::new().await;
    for (field, wrong) in
        [("refreshToken", json!(null)), ("enableAntiCsrf", json!("false")), ("useDynamicSigningKey", json!(1))]
    {
        let mut body = refresh_body("x");
        body[field] = wrong;
        let sentence = format!("Field name '{field}' is invalid in JSON input");
        app.post("/recipe/session/refresh", body.clone()).await.is_text(400, &sentence);
        body.as_object_mut().map(|members| members.remove(field));
        app.post("/recipe/session/refresh", body).await.is_text(400, &sentence);
    }
}

#[tokio::test]
async fn the_kind_of_key_is_ignored_optional_or_required_by_version() {
    let app = TestApp::new().await;
    let sentence = "Field name 'useDynamicSigningKey' is invalid in JSON input";
    let body = |token: &str| json!({"refreshToken": token, "enableAntiCsrf": false});
    let token = app.session("u").await.refresh_token();
    for version in ["2.21", "3.0", "4.0"] {
        app.post("/recipe/session/refresh", body(&token)).cdi(version).await.ok();
    }
    app.post("/recipe/session/refresh", body(&token)).cdi("5.0").await.is_text(400, sentence);

    let mut wrong = body(&token);
    wrong["useDynamicSigningKey"] = json!("x");
    app.post("/recipe/session/refresh", wrong.clone()).cdi("2.21").await.ok();
    app.post("/recipe/session/refresh", wrong).cdi("3.0").await.is_text(400, sentence);
}

#[tokio::test]
async fn switching_the_kind_of_key_is_remembered() {
    let app = TestApp::new().await;
    let kind =
        |reply: &crate::app::TestReply| header(&reply.access_token())["kid"].as_str().map(|kid| kid[..2].to_owned());
    let created = app.session("u").await;
    assert_eq!(kind(&created).as_deref(), Some("d-"));
    let mut body = refresh_body(&created.refresh_token());
    body["useDynamicSigningKey"] = false.into();
    let switched = app.post("/recipe/session/refresh", body).cdi("4.0").await.ok();
    assert_eq!(kind(&switched).as_deref(), Some("s-"));
    let body = json!({"refreshToken": switched.refresh_token(), "enableAntiCsrf": false});
    let kept = app.post("/recipe/session/refresh", body).cdi("4.0").await.ok();
    assert_eq!(kind(&kept).as_deref(), Some("s-"));
}

#[tokio::test]
async fn the_reply_has_fresh_tokens_and_the_members_of_its_version() {
    let app = TestApp::new().await;
    for (version, members, rest) in [
        ("2.20", 3, vec!["status", "session", "accessToken", "refreshToken", "idRefreshToken"]),
        ("2.21", 3, vec!["status", "session", "accessToken", "refreshToken"]),
        ("3.1", 4, vec!["status", "session", "accessToken", "refreshToken"]),
        ("5.6", 5, vec!["status", "session", "accessToken", "refreshToken"]),
    ] {
        let created = app.post("/recipe/session", new_session("u")).cdi(version).await.ok();
        app.clock.advance(5_000);
        let refreshed = refresh(&app, version, &created.refresh_token()).await.ok();
        let json = refreshed.json();
        assert_eq!(json.as_object().map(|map| map.keys().map(String::as_str).collect::<Vec<_>>()), Some(rest));
        assert_eq!(json["session"].as_object().map(serde_json::Map::len), Some(members));
        assert_eq!(refreshed.handle(), created.handle());
        assert_ne!(refreshed.refresh_token(), created.refresh_token());
        assert_ne!(refreshed.access_token(), created.access_token());
    }
}

#[tokio::test]
async fn the_access_token_follows_the_callers_version() {
    let app = TestApp::new().await;
    let mut token = app.post("/recipe/session", new_session("u")).cdi("2.7").await.ok().refresh_token();
    for (version, layout) in [("2.20", "2"), ("2.21", "3"), ("3.0", "4"), ("4.0", "5"), ("5.6", "5"), ("2.7", "2")] {
        let refreshed = refresh(&app, version, &token).await.ok();
        assert_eq!(header(&refreshed.access_token())["version"], layout, "{version}");
        token = refreshed.refresh_token();
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_unauthorised() {
    let app = TestApp::new().await;
    let token = app.session("u").await.refresh_token();
    let other = TestApp::builder().seed(2).build().await;
    let foreign = other.session("u").await.refresh_token();
    let mut flipped = token.clone();
    let last = flipped.pop();
    flipped.push(if last == Some('A') { 'B' } else { 'A' });
    for odd in ["", "x", "a.b.V2", &foreign, &token[1..], &flipped, &token.repeat(2), &"A".repeat(100_000)] {
        for version in ["2.7", "5.5", "5.6"] {
            is_status(&refresh(&app, version, odd).await, "UNAUTHORISED", None);
        }
    }
    is_status(&refresh(&app, "5.6", &token).await, "OK", None);
}

#[tokio::test]
async fn anti_csrf_must_match_when_the_application_uses_it() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["enableAntiCsrf"] = true.into();
    let created = app.post("/recipe/session", body).await.ok();
    let good = created.text_at("/antiCsrfToken");
    let body = |anti_csrf: Option<&str>| {
        let mut body = refresh_body(&created.refresh_token());
        body["enableAntiCsrf"] = true.into();
        if let Some(anti_csrf) = anti_csrf {
            body["antiCsrfToken"] = anti_csrf.into();
        }
        body
    };
    for bad in [None, Some(""), Some("x")] {
        let reply = app.post("/recipe/session/refresh", body(bad)).cdi("5.5").await;
        is_status(&reply, "UNAUTHORISED", Some("Anti CSRF token missing, or not matching"));
    }
    let reply = app.post("/recipe/session/refresh", body(Some(&good))).cdi("5.5").await.ok();
    assert!(reply.json()["antiCsrfToken"].is_string());
}

#[tokio::test]
async fn a_missing_or_expired_session_is_unauthorised() {
    for version in ["5.5", "5.6"] {
        let app = TestApp::new().await;
        let created = app.session("u").await;
        app.post("/recipe/session/remove", json!({"sessionHandles": [created.handle()]})).await.ok();
        let message = Some("Session missing in db or has expired");
        is_status(&refresh(&app, version, &created.refresh_token()).await, "UNAUTHORISED", message);

        let created = app.session("u").await;
        app.clock.advance(144_000 * 60_000 + 1);
        is_status(&refresh(&app, version, &created.refresh_token()).await, "UNAUTHORISED", message);
    }
}

#[tokio::test]
async fn legacy_a_parent_may_be_refreshed_until_a_child_is_used() {
    let app = TestApp::new().await;
    let first = app.session("u").await.refresh_token();
    let second = refresh(&app, "5.5", &first).await.ok();
    let again = refresh(&app, "5.5", &first).await.ok();
    assert_ne!(second.refresh_token(), again.refresh_token());
    assert!(claims(&second.access_token())["parentRefreshTokenHash1"].is_string());

    let third = refresh(&app, "5.5", &second.refresh_token()).await.ok();
    is_status(&verify(&app, "5.5", &third.access_token()).await, "OK", None);
    let theft = refresh(&app, "5.5", &first).await;
    is_status(&theft, "TOKEN_THEFT_DETECTED", None);
}

#[tokio::test]
async fn legacy_theft_names_the_session_and_leaves_it() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let second = refresh(&app, "2.7", &created.refresh_token()).await.ok();
    let third = refresh(&app, "2.7", &second.refresh_token()).await.ok();
    let theft = refresh(&app, "2.7", &created.refresh_token()).await.json();
    let session = json!({"handle": created.handle(), "userId": "u", "recipeUserId": "u"});
    assert_eq!(theft, json!({"status": "TOKEN_THEFT_DETECTED", "session": session}));
    refresh(&app, "2.7", &third.refresh_token()).await.ok();
}

#[tokio::test]
async fn from_5_6_a_token_rotates_at_once_and_its_loser_is_understood_for_the_grace_period() {
    let app = TestApp::new().await;
    let first = app.session("u").await.refresh_token();
    let second = refresh(&app, "5.6", &first).await.ok();
    assert!(claims(&second.access_token())["parentRefreshTokenHash1"].is_null());
    app.clock.advance(30_000);
    let retried = refresh(&app, "5.6", &first).await.ok();
    refresh(&app, "5.6", &retried.refresh_token()).await.ok();
}

#[tokio::test]
async fn from_5_6_reuse_after_the_grace_period_ends_the_session() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let second = refresh(&app, "5.6", &created.refresh_token()).await.ok();
    app.clock.advance(30_001);
    let session = json!({"handle": created.handle(), "userId": "u", "recipeUserId": "u"});
    assert_eq!(
        refresh(&app, "5.6", &created.refresh_token()).await.json(),
        json!({"status": "TOKEN_THEFT_DETECTED", "session": session, "recentTokenReuseSubtype": "RECENT_PREV"})
    );
    is_status(&refresh(&app, "5.6", &second.refresh_token()).await, "UNAUTHORISED", None);
}

#[tokio::test]
async fn from_5_6_stale_and_orphaned_tokens_are_told_apart() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let mut token = created.refresh_token();
    for _ in 0..2 {
        token = refresh(&app, "5.6", &token).await.ok().refresh_token();
    }
    let theft = refresh(&app, "5.6", &created.refresh_token()).await.json();
    assert_eq!(theft["recentTokenReuseSubtype"], "STALE_LINEAGE");

    let created = app.session("u").await;
    let loser = refresh(&app, "5.6", &created.refresh_token()).await.ok();
    refresh(&app, "5.6", &created.refresh_token()).await.ok();
    let orphan = refresh(&app, "5.6", &loser.refresh_token()).await.json();
    assert_eq!(orphan["recentTokenReuseSubtype"], "ORPHANED_BRANCH", "{orphan}");
}

#[tokio::test]
async fn recent_reuse_may_be_no_more_than_unauthorised() {
    let app = TestApp::builder().setting("recent_token_reuse_behaviour", "UNAUTHORISED").build().await;
    let created = app.session("u").await;
    refresh(&app, "5.6", &created.refresh_token()).await.ok();
    app.clock.advance(30_001);
    assert_eq!(
        refresh(&app, "5.6", &created.refresh_token()).await.json(),
        json!({
            "status": "UNAUTHORISED", "message": "refresh token reuse detected",
            "recentTokenReuseSubtype": "RECENT_PREV"
        })
    );
}

#[tokio::test]
async fn a_lifetime_of_ones_own_is_exact_and_bounded() {
    let app = TestApp::new().await;
    let mut body = refresh_body(&app.session("u").await.refresh_token());
    body["accessTokenValidity"] = 3_600_001.into();
    app.post("/recipe/session/refresh", body.clone()).await.is_text(
        400,
        "accessTokenValidity must be greater than 0 and at most the configured access_token_validity (3600000 ms)",
    );
    body["accessTokenValidity"] = 90_000.into();
    let reply = app.post("/recipe/session/refresh", body).await.ok();
    assert_eq!(reply.json()["accessToken"]["expiry"], START.0 + 90_000);
}

#[tokio::test]
async fn a_payload_whose_names_became_protected_signs_out() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["userDataInJWT"] = json!({"rsub": "mine"});
    let created = app.post("/recipe/session", body).cdi("3.1").await.ok();
    is_status(&verify(&app, "3.1", &created.access_token()).await, "OK", None);
    let refreshed = refresh(&app, "3.1", &created.refresh_token()).await.ok();
    let reply = refresh(&app, "4.0", &refreshed.refresh_token()).await;
    is_status(&reply, "UNAUTHORISED", Some("The user payload contains protected field"));
}

#[tokio::test]
async fn a_changed_payload_is_in_the_next_token() {
    for version in ["5.5", "5.6"] {
        let app = TestApp::new().await;
        let created = app.session("u").await;
        let body = json!({"sessionHandle": created.handle(), "userDataInJWT": {"a": 1}});
        app.put("/recipe/jwt/data", body).await.ok();
        let refreshed = refresh(&app, version, &created.refresh_token()).await.ok();
        assert_eq!(refreshed.json()["session"]["userDataInJWT"], json!({"a": 1}));
        assert_eq!(claims(&refreshed.access_token())["a"], 1);
    }
}
