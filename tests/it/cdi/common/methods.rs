//! Methods that an endpoint does not have.

use crate::app::TestApp;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_known_path_refuses_other_methods() {
    let app = TestApp::new().await;
    for (method, path) in [
        (Method::DELETE, "/recipe/session"),
        (Method::PUT, "/recipe/session"),
        (Method::GET, "/recipe/session/refresh"),
        (Method::POST, "/recipe/session/user"),
        (Method::POST, "/apiversion"),
        (Method::POST, "/.well-known/jwks.json"),
        (Method::HEAD, "/recipe/session"),
        (Method::OPTIONS, "/recipe/session"),
        (Method::TRACE, "/recipe/session"),
        (Method::HEAD, "/apiversion"),
    ] {
        app.request(method, path).await.is_text(405, "Method not supported");
    }
}

#[tokio::test]
async fn patch_is_not_implemented() {
    let app = TestApp::new().await;
    assert_eq!(app.request(Method::PATCH, "/recipe/session").await.code(), 501);
}

#[tokio::test]
async fn the_api_key_is_checked_before_the_method() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").build().await;
    app.request(Method::DELETE, "/recipe/session").await.is_text(401, "Invalid API key");
    app.request(Method::DELETE, "/recipe/session")
        .key("abcdefghijklmnopqrstuvwxyz")
        .await
        .is_text(405, "Method not supported");
}

#[tokio::test]
async fn a_path_of_another_version_is_not_found() {
    let app = TestApp::new().await;
    app.post("/recipe/handshake", json!({})).cdi("2.20").await.ok();
    app.post("/recipe/handshake", json!({})).cdi("2.21").await.is_text(404, "Not found");
    app.get("/recipe/handshake").cdi("2.21").await.is_text(405, "Method not supported");
}
