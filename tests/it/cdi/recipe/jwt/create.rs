//! `POST /recipe/jwt`.

use crate::app::{START, TestApp, TestReply};
use crate::cdi::golden::{claims, header};
use serde_json::{Value, json};

fn body() -> Value {
    json!({"algorithm": "RS256", "jwksDomain": "https://issuer", "payload": {"a": {"b": null}}, "validity": 3600})
}

async fn create(app: &TestApp, body: Value) -> TestReply {
    app.post("/recipe/jwt", body).await
}

#[tokio::test]
async fn the_payload_becomes_claims_beside_generated_ones() {
    let app = TestApp::new().await;
    let jwt = create(&app, body()).await.ok().text_at("/jwt");
    let now = START.0 / 1000;
    let expected = json!({"a": {"b": null}, "iss": "https://issuer", "iat": now, "exp": now + 3600});
    assert_eq!(claims(&jwt), expected);
    let header = header(&jwt);
    assert_eq!((&header["alg"], &header["typ"], header.get("version")), (&"EdDSA".into(), &"JWT".into(), None));
}

#[tokio::test]
async fn claims_of_the_payload_win_over_generated_ones() {
    let app = TestApp::new().await;
    let mut body = body();
    body["payload"] = json!({"iss": "me", "iat": 1, "exp": 2});
    let jwt = create(&app, body).await.ok().text_at("/jwt");
    assert_eq!(claims(&jwt), json!({"iss": "me", "iat": 1, "exp": 2}));
}

#[tokio::test]
async fn the_static_key_is_the_default() {
    let app = TestApp::new().await;
    for (choice, prefix) in [(None, "s-"), (Some(true), "s-"), (Some(false), "d-")] {
        let mut body = body();
        if let Some(choice) = choice {
            body["useStaticSigningKey"] = choice.into();
        }
        let kid = header(&create(&app, body).await.ok().text_at("/jwt"))["kid"].clone();
        assert!(kid.as_str().is_some_and(|kid| kid.starts_with(prefix)), "{kid}");
    }
    let mut body = body();
    body["useStaticSigningKey"] = false.into();
    let reply = app.post("/recipe/jwt", body).cdi("2.20").await.ok();
    assert!(header(&reply.text_at("/jwt"))["kid"].as_str().is_some_and(|kid| kid.starts_with("s-")));
}

#[tokio::test]
async fn the_algorithm_is_a_constant_in_any_case() {
    let app = TestApp::new().await;
    for (algorithm, status) in [
        ("rs256", "OK"),
        ("RS256", "OK"),
        ("HS256", "UNSUPPORTED_ALGORITHM_ERROR"),
        ("none", "UNSUPPORTED_ALGORITHM_ERROR"),
    ] {
        let mut body = body();
        body["algorithm"] = algorithm.into();
        assert_eq!(create(&app, body).await.json()["status"], status, "{algorithm}");
    }
}

#[tokio::test]
async fn the_token_is_of_the_apps_algorithm() {
    let app = TestApp::builder().setting("access_token_signing_algorithm", "RS256").build().await;
    let jwt = create(&app, body()).await.ok().text_at("/jwt");
    assert_eq!(header(&jwt)["alg"], "RS256");
}

#[tokio::test]
async fn fields_are_checked_in_order() {
    let app = TestApp::new().await;
    for (field, wrong) in
        [("algorithm", json!(1)), ("jwksDomain", json!(null)), ("payload", json!([])), ("validity", json!("x"))]
    {
        let sentence = format!("Field name '{field}' is invalid in JSON input");
        let mut body = body();
        body[field] = wrong;
        create(&app, body.clone()).await.is_text(400, &sentence);
        body.as_object_mut().map(|members| members.remove(field));
        create(&app, body).await.is_text(400, &sentence);
    }
    for validity in [0, -1] {
        let mut body = body();
        body["validity"] = validity.into();
        create(&app, body).await.is_text(400, "validity must be greater than or equal to 0");
    }
}

#[tokio::test]
async fn an_expiry_beyond_what_readers_know_is_cut_to_the_year_9999() {
    let app = TestApp::new().await;
    let latest = 253_402_300_799_u64;
    let now = START.0 / 1000;
    for (validity, exp) in [
        (json!(i64::MAX), latest),
        (json!(i64::MAX / 1000), latest),
        (json!(latest - now + 1), latest),
        (json!(latest - now), latest),
        (json!(latest - now - 1), latest - 1),
    ] {
        let mut body = body();
        body["validity"] = validity;
        assert_eq!(claims(&create(&app, body).await.ok().text_at("/jwt"))["exp"], exp);
    }
}
