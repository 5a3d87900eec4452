//! Custom JWTs (`POST /recipe/jwt`) with the claims of a session, presented at verify.

use super::{is_status, refresh, verify, verify_in_database};
use crate::app::{TestApp, TestReply, new_session};
use crate::cdi::golden::claims;
use serde_json::{Value, json};

/// Versions of both refresh state machines.
const VERSIONS: [&str; 3] = ["3.1", "5.4", "5.6"];

const REFUSED: &str = "The claims are not those of a live session";

async fn sign(app: &TestApp, payload: &Value, use_static_key: bool) -> String {
    let body = json!({
        "algorithm": "RS256", "jwksDomain": "https://api.example.com", "payload": payload, "validity": 3600,
        "useStaticSigningKey": use_static_key
    });
    app.post("/recipe/jwt", body).await.ok().text_at("/jwt")
}

/// A session and the claims of its token.
async fn session(app: &TestApp, user: &str) -> (TestReply, Value) {
    let mut body = new_session(user);
    body["userDataInJWT"] = json!({"role": "reader"});
    let created = app.post("/recipe/session", body).await.ok();
    let claims = claims(&created.access_token());
    (created, claims)
}

#[tokio::test]
async fn the_claims_of_a_live_session_are_taken() {
    for algorithm in ["EdDSA", "RS256"] {
        let app = TestApp::builder().setting("access_token_signing_algorithm", algorithm).build().await;
        let (created, mut claims) = session(&app, "u").await;
        claims["customClaim"] = "custom".into();
        for use_static_key in [false, true] {
            let jwt = sign(&app, &claims, use_static_key).await;
            // twice: cached tokens are checked just as closely
            for version in [VERSIONS, VERSIONS].concat() {
                let reply = verify(&app, version, &jwt).await.ok().json();
                assert_eq!(reply["session"]["handle"], created.handle(), "{version}");
                assert_eq!(reply["session"]["userId"], "u");
                assert_eq!(reply["session"]["userDataInJWT"]["customClaim"], "custom");
                verify_in_database(&app, version, &jwt).await.ok();
            }
        }
    }
}

#[tokio::test]
async fn with_a_look_into_the_database_the_stored_payload_comes_back_as_for_any_token() {
    let app = TestApp::new().await;
    let (_, mut claims) = session(&app, "u").await;
    claims["role"] = "admin".into();
    let jwt = sign(&app, &claims, false).await;
    let reply = verify_in_database(&app, "5.4", &jwt).await.ok();
    assert_eq!(reply.json()["session"]["userDataInJWT"], json!({"role": "reader"}));
    assert_eq!(crate::cdi::golden::claims(&reply.access_token())["role"], "reader");
    let reply = verify_in_database(&app, "5.6", &jwt).await.ok().json();
    assert_eq!(reply["payloadUpdateAvailable"], true);
}

#[tokio::test]
async fn a_custom_jwt_without_the_claims_of_a_session_is_no_session() {
    let app = TestApp::new().await;
    let (_, claims) = session(&app, "u").await;
    for payload in [json!({}), json!({"sub": "u", "role": "admin"})] {
        let jwt = sign(&app, &payload, false).await;
        for version in VERSIONS {
            is_status(&verify(&app, version, &jwt).await, "TRY_REFRESH_TOKEN", None);
            is_status(&verify_in_database(&app, version, &jwt).await, "TRY_REFRESH_TOKEN", None);
        }
    }
    for name in ["sub", "rsub", "tId", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"]
    {
        let mut payload = claims.clone();
        payload.as_object_mut().map(|members| members.remove(name));
        let jwt = sign(&app, &payload, false).await;
        is_status(&verify(&app, "5.4", &jwt).await, "TRY_REFRESH_TOKEN", None);
    }
}

#[tokio::test]
async fn claims_that_are_not_the_sessions_own_are_refused() {
    let app = TestApp::new().await;
    let (_, mine) = session(&app, "mallory").await;
    let (_, theirs) = session(&app, "alice").await;
    let hash = "ab".repeat(32);
    let changes: [&[(&str, &Value)]; 6] = [
        &[("sub", &theirs["sub"])],
        &[("rsub", &theirs["rsub"])],
        &[("sub", &theirs["sub"]), ("rsub", &theirs["rsub"])],
        &[("sessionHandle", &theirs["sessionHandle"])],
        // everything that can be known about another user's session without one of its tokens
        &[("sub", &theirs["sub"]), ("rsub", &theirs["rsub"]), ("sessionHandle", &theirs["sessionHandle"])],
        &[("refreshTokenHash1", &json!(hash))],
    ];
    for change in changes {
        let mut payload = mine.clone();
        for (name, value) in change {
            payload[*name] = (*value).clone();
        }
        let jwt = sign(&app, &payload, false).await;
        for version in VERSIONS {
            is_status(&verify(&app, version, &jwt).await, "TRY_REFRESH_TOKEN", Some(REFUSED));
            is_status(&verify_in_database(&app, version, &jwt).await, "TRY_REFRESH_TOKEN", Some(REFUSED));
        }
    }
}

#[tokio::test]
async fn it_ends_with_its_session_its_lineage_and_its_own_time() {
    let app = TestApp::new().await;
    let (created, claims) = session(&app, "u").await;
    let jwt = sign(&app, &claims, false).await;
    verify(&app, "5.4", &jwt).await.ok();
    // two exchanges later its refresh token is no longer known
    let mut token = created.refresh_token();
    for _ in 0..2 {
        token = refresh(&app, "5.6", &token).await.ok().refresh_token();
    }
    is_status(&verify(&app, "5.4", &jwt).await, "TRY_REFRESH_TOKEN", Some(REFUSED));

    let (created, claims) = session(&app, "u").await;
    let jwt = sign(&app, &claims, false).await;
    app.clock.advance(3_700_000);
    is_status(&verify(&app, "5.4", &jwt).await, "TRY_REFRESH_TOKEN", Some("Access token expired"));
    app.clock.set(crate::app::START);
    verify(&app, "5.4", &jwt).await.ok();

    app.post("/recipe/session/remove", json!({"sessionHandles": [created.handle()]})).await.ok();
    for version in VERSIONS {
        is_status(&verify(&app, version, &jwt).await, "TRY_REFRESH_TOKEN", Some(REFUSED));
        let sentence = "Either the session has ended or has been blacklisted";
        is_status(&verify_in_database(&app, version, &jwt).await, "UNAUTHORISED", Some(sentence));
    }
}

#[tokio::test]
async fn a_session_past_its_end_is_not_prolonged_by_a_long_lived_jwt() {
    let app = TestApp::new().await;
    let (_, mut claims) = session(&app, "u").await;
    claims["exp"] = json!(4_000_000_000_u64);
    let jwt = sign(&app, &claims, true).await;
    app.clock.advance(99 * 24 * 3_600_000);
    verify(&app, "5.4", &jwt).await.ok();
    app.clock.advance(2 * 24 * 3_600_000);
    is_status(&verify(&app, "5.4", &jwt).await, "TRY_REFRESH_TOKEN", Some(REFUSED));
}

#[tokio::test]
async fn the_anti_csrf_token_of_its_claims_is_demanded() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["enableAntiCsrf"] = true.into();
    let created = app.post("/recipe/session", body).await.ok();
    let jwt = sign(&app, &claims(&created.access_token()), false).await;
    let body = |anti_csrf: Option<String>| {
        let mut body = json!({
            "accessToken": jwt, "doAntiCsrfCheck": true, "enableAntiCsrf": true, "checkDatabase": false
        });
        if let Some(token) = anti_csrf {
            body["antiCsrfToken"] = token.into();
        }
        body
    };
    let post = async |body: Value| app.post("/recipe/session/verify", body).await;
    is_status(&post(body(Some(created.text_at("/antiCsrfToken")))).await, "OK", None);
    is_status(&post(body(None)).await, "TRY_REFRESH_TOKEN", Some("anti-csrf check failed"));
}

#[tokio::test]
async fn another_apps_custom_jwt_is_refused() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "other", "coreConfig": {}})).await.ok();
    let (_, claims) = session(&app, "u").await;
    let body = json!({
        "algorithm": "RS256", "jwksDomain": "https://api.example.com", "payload": claims, "validity": 3600,
        "useStaticSigningKey": false
    });
    let jwt = app.post("/appid-other/recipe/jwt", body).await.ok().text_at("/jwt");
    is_status(&verify(&app, "5.4", &jwt).await, "TRY_REFRESH_TOKEN", None);
}

#[tokio::test]
async fn one_that_names_a_parent_promotes_as_the_sessions_own_token_does() {
    let app = TestApp::new().await;
    let created = app.post("/recipe/session", new_session("u")).cdi("5.4").await.ok();
    let refreshed = refresh(&app, "5.4", &created.refresh_token()).await.ok();
    let jwt = sign(&app, &claims(&refreshed.access_token()), false).await;
    let promoted = verify(&app, "5.4", &jwt).await.ok();
    assert_eq!(claims(&promoted.access_token())["parentRefreshTokenHash1"], Value::Null);
    is_status(&refresh(&app, "5.4", &created.refresh_token()).await, "TOKEN_THEFT_DETECTED", None);
}
