//! `cdi-version`.

use crate::app::{TestApp, new_session};

/// Every version in the list, with the one spelling that is accepted.
const SUPPORTED: [&str; 25] = [
    "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19", "2.20",
    "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
];

#[tokio::test]
async fn every_supported_version_is_spoken() {
    let app = TestApp::new().await;
    for version in SUPPORTED {
        app.post("/recipe/session", new_session("u")).cdi(version).await.ok();
    }
}

#[tokio::test]
async fn malformed_versions_are_invalid_everywhere() {
    let app = TestApp::new().await;
    for version in ["", "x", "2.", ".7", "2..7", "2.7a", "v2.7", "-1", "+5", "2147483648", "5.99999999999999999999"] {
        for path in ["/recipe/session/user?userId=u", "/hello", "/apiversion", "/.well-known/jwks.json", "/", "/none"] {
            app.get(path).cdi(version).await.is_text(400, "cdi-version header is invalid");
        }
    }
}

#[tokio::test]
async fn versions_above_the_highest_are_not_supported_anywhere() {
    let app = TestApp::new().await;
    for version in ["5.7", "5.10", "6", "6.0", "5.6.1", "2147483647"] {
        for path in ["/recipe/session/user?userId=u", "/hello", "/apiversion", "/.well-known/jwks.json"] {
            let sentence = format!("cdi-version {version} not supported");
            app.get(path).cdi(version).await.is_text(400, &sentence);
        }
    }
}

#[tokio::test]
async fn numbers_outside_the_list_are_refused_only_where_a_version_is_needed() {
    let app = TestApp::new().await;
    for version in ["1.0", "2.6", "3.7", "4.1", "5.4.0", "5", "05.4", "5.04", "0"] {
        let sentence = format!("cdi-version {version} not supported");
        app.get("/recipe/session/user?userId=u").cdi(version).await.is_text(400, &sentence);
        assert_eq!(app.get("/apiversion").cdi(version).await.code(), 200);
        assert_eq!(app.get("/.well-known/jwks.json").cdi(version).await.code(), 200);
        app.get("/hello").cdi(version).await.is_text(200, "Hello");
    }
}

#[tokio::test]
async fn components_compare_as_numbers() {
    let app = TestApp::builder().setting("supertokens_max_cdi_version", "2.10").build().await;
    assert_eq!(app.get("/recipe/session/user?userId=u").cdi("2.9").await.code(), 200);
    assert_eq!(app.get("/recipe/session/user?userId=u").cdi("2.10").await.code(), 200);
    app.get("/recipe/session/user?userId=u").cdi("2.11").await.is_text(400, "cdi-version 2.11 not supported");
}

#[tokio::test]
async fn without_a_header_the_highest_version_is_spoken() {
    let app = TestApp::new().await;
    // 5.6 requires useDynamicSigningKey and knows accessTokenValidity
    let mut body = new_session("u");
    body["accessTokenValidity"] = 0.into();
    assert_eq!(app.post("/recipe/session", body.clone()).await.code(), 400);

    let app = TestApp::builder().setting("supertokens_max_cdi_version", "3.1").build().await;
    let session = app.post("/recipe/session", body).await.ok().json()["session"].clone();
    assert_eq!(session.as_object().map(serde_json::Map::len), Some(4), "{session}");
}

#[tokio::test]
async fn versions_below_the_app_minimum_are_refused() {
    let app = TestApp::builder().setting("supertokens_min_cdi_version", "4.0").build().await;
    for version in ["2.21", "3.1", "3.7", "3"] {
        let sentence = format!("cdi-version {version} is lower than the minimum allowed version 4.0");
        app.get("/recipe/session/user?userId=u").cdi(version).await.is_text(400, &sentence);
        app.get("/hello").cdi(version).await.is_text(400, &sentence);
    }
    for version in ["4.0", "5.6"] {
        assert_eq!(app.get("/recipe/session/user?userId=u").cdi(version).await.code(), 200);
    }
}
