//! `POST /recipe/session`.

use super::{is_status, verify};
use crate::app::{START, TestApp, new_session};
use crate::cdi::golden::claims;
use serde_json::json;

#[tokio::test]
async fn a_session_has_the_members_of_its_version() {
    let app = TestApp::new().await;
    for (version, members) in [
        ("2.7", vec!["handle", "userId", "userDataInJWT"]),
        ("2.21", vec!["handle", "userId", "userDataInJWT"]),
        ("3.0", vec!["handle", "userId", "userDataInJWT", "tenantId"]),
        ("3.1", vec!["handle", "userId", "userDataInJWT", "tenantId"]),
        ("4.0", vec!["handle", "userId", "recipeUserId", "userDataInJWT", "tenantId"]),
        ("5.6", vec!["handle", "userId", "recipeUserId", "userDataInJWT", "tenantId"]),
    ] {
        let reply = app.post("/recipe/session", new_session("u")).cdi(version).await.ok().json();
        let session = reply["session"].as_object().expect("a session");
        assert_eq!(session.keys().collect::<Vec<_>>(), members, "{version}");
    }
}

#[tokio::test]
async fn lifetimes_follow_the_settings() {
    let app = TestApp::builder()
        .setting("access_token_validity", "100")
        .setting("access_token_validity_jitter", "0")
        .setting("refresh_token_validity", "10")
        .build()
        .await;
    let reply = app.session("u").await.json();
    assert_eq!(reply["accessToken"]["createdTime"], START.0);
    assert_eq!(reply["accessToken"]["expiry"], START.0 + 100_000);
    assert_eq!(reply["refreshToken"]["createdTime"], START.0);
    assert_eq!(reply["refreshToken"]["expiry"], START.0 + 600_000);
}

#[tokio::test]
async fn jitter_shortens_by_up_to_its_fraction() {
    let app = TestApp::new().await;
    let mut lifetimes = Vec::new();
    for _ in 0..50 {
        let expiry = app.session("u").await.json()["accessToken"]["expiry"].as_u64().expect("a time");
        lifetimes.push(expiry - START.0);
    }
    assert!(lifetimes.iter().all(|lifetime| (3_419_000..=3_600_000).contains(lifetime)), "{lifetimes:?}");
    lifetimes.dedup();
    assert!(lifetimes.len() > 10);
}

#[tokio::test]
async fn expiry_and_creation_of_flat_tokens_are_whole_seconds() {
    let app = TestApp::new().await;
    app.clock.advance(789);
    let reply = app.session("u").await;
    let claims = claims(&reply.access_token());
    let token = &reply.json()["accessToken"];
    assert_eq!(token["createdTime"], START.0);
    assert_eq!(claims["iat"], START.0 / 1000);
    assert_eq!(token["expiry"].as_u64(), claims["exp"].as_u64().map(|seconds| seconds * 1000));
}

#[tokio::test]
async fn the_anti_csrf_token_is_there_only_when_asked_for() {
    let app = TestApp::new().await;
    assert!(app.session("u").await.json().get("antiCsrfToken").is_none());
    let mut body = new_session("u");
    body["enableAntiCsrf"] = true.into();
    let reply = app.post("/recipe/session", body).await.ok();
    let token = reply.text_at("/antiCsrfToken");
    assert!(!token.is_empty());
    assert_eq!(claims(&reply.access_token())["antiCsrfToken"], token.as_str());
}

#[tokio::test]
async fn the_kind_of_key_is_the_callers_choice() {
    let app = TestApp::new().await;
    for (choice, prefix) in [(None, "d-"), (Some(true), "d-"), (Some(false), "s-")] {
        let mut body = new_session("u");
        if let Some(dynamic) = choice {
            body["useDynamicSigningKey"] = dynamic.into();
        }
        let reply = app.post("/recipe/session", body).cdi("2.21").await.ok();
        let kid = crate::cdi::golden::header(&reply.access_token())["kid"].clone();
        assert!(kid.as_str().is_some_and(|kid| kid.starts_with(prefix)), "{choice:?} {kid}");
    }
}

#[tokio::test]
async fn protected_names_are_those_of_the_version_being_minted() {
    let app = TestApp::new().await;
    let flat = ["sub", "exp", "iat", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"];
    let nested = ["userId", "expiryTime", "timeCreated", "userData"];
    let cases: Vec<(&str, Vec<&str>, Vec<&str>)> = vec![
        ("2.20", vec!["userId", "timeCreated", "antiCsrfToken"], vec!["sub", "iat", "tId", "rsub"]),
        ("2.21", flat.to_vec(), [&nested[..], &["tId", "rsub", "iss"]].concat()),
        ("3.1", [&flat[..], &["tId"]].concat(), vec!["rsub", "iss", "userId"]),
        ("4.0", [&flat[..], &["tId", "rsub"]].concat(), vec!["iss", "userId", "jti"]),
    ];
    for (version, refused, accepted) in cases {
        for name in refused {
            let mut body = new_session("u");
            body["userDataInJWT"] = json!({"fine": 1, name: "x"});
            let reply = app.post("/recipe/session", body).cdi(version).await;
            reply.is_text(400, "The user payload contains protected field");
        }
        for name in accepted {
            let mut body = new_session("u");
            body["userDataInJWT"] = json!({name: "x"});
            app.post("/recipe/session", body).cdi(version).await.ok();
        }
    }
    // below the top level, no name is reserved
    let mut body = new_session("u");
    body["userDataInJWT"] = json!({"nested": {"sub": 1}});
    app.post("/recipe/session", body).await.ok();
}

#[tokio::test]
async fn custom_data_comes_back_as_it_was_given() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["userDataInJWT"] = json!({"z": null, "a": {"deep": [null, 1.5, "é😀", {}]}, "big": 9_007_199_254_740_993_u64});
    body["userDataInDatabase"] = json!({"n": null, "list": []});
    let reply = app.post("/recipe/session", body.clone()).await.ok();
    assert_eq!(reply.json()["session"]["userDataInJWT"], body["userDataInJWT"]);
    let keys = reply.json()["session"]["userDataInJWT"].as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
    assert_eq!(keys, Some(vec!["z".to_owned(), "a".to_owned(), "big".to_owned()]), "order is kept");
    let shown = app.get(&format!("/recipe/session?sessionHandle={}", reply.handle())).await.ok().json();
    assert_eq!(shown["userDataInDatabase"], body["userDataInDatabase"]);
    assert_eq!(shown["userDataInJWT"], body["userDataInJWT"]);
}

#[tokio::test]
async fn any_text_is_a_user_id() {
    let app = TestApp::new().await;
    for user in ["", " ", "u", "a\u{0}b", "😀", &"x".repeat(1000)] {
        let reply = app.session(user).await.json();
        assert_eq!((&reply["session"]["userId"], &reply["session"]["recipeUserId"]), (&user.into(), &user.into()));
    }
}

#[tokio::test]
async fn a_lifetime_of_ones_own_is_exact_and_bounded() {
    let app = TestApp::new().await;
    for (validity, lifetime) in [(1, 0), (1_999, 1_000), (60_000, 60_000), (3_600_000, 3_600_000)] {
        let mut body = new_session("u");
        body["accessTokenValidity"] = validity.into();
        let reply = app.post("/recipe/session", body).cdi("5.6").await.ok().json();
        assert_eq!(reply["accessToken"]["expiry"], START.0 + lifetime, "{validity}");
    }
    for validity in [0, -1, 3_600_001] {
        let mut body = new_session("u");
        body["accessTokenValidity"] = validity.into();
        app.post("/recipe/session", body.clone()).cdi("5.6").await.is_text(
            400,
            "accessTokenValidity must be greater than 0 and at most the configured access_token_validity (3600000 ms)",
        );
        // not known before 5.6
        app.post("/recipe/session", body).cdi("5.5").await.ok();
    }
}

#[tokio::test]
async fn below_2_21_a_setting_chooses_the_key_and_the_reply_says_which() {
    let ten_years = 315_360_000_000_u64;
    let app = TestApp::builder().setting("access_token_signing_key_dynamic", "false").build().await;
    let mut body = new_session("u");
    body["useDynamicSigningKey"] = "not read".into();
    let reply = app.post("/recipe/session", body).cdi("2.20").await.ok();
    assert_eq!(reply.json()["jwtSigningPublicKeyExpiryTime"], ten_years, "{}", reply.body());
    is_status(&verify(&app, "2.20", &reply.access_token()).await, "OK", None);
}
