//! `POST /recipe/handshake`.

use crate::app::{START, TestApp};
use serde_json::json;

#[tokio::test]
async fn it_hands_out_keys_and_settings() {
    let app = TestApp::builder()
        .setting("access_token_validity", "100")
        .setting("refresh_token_validity", "10")
        .setting("access_token_blacklisting", "true")
        .build()
        .await;
    let reply = app.post("/recipe/handshake", json!({})).cdi("2.20").await.ok().json();
    assert_eq!(
        (&reply["accessTokenValidity"], &reply["refreshTokenValidity"], &reply["accessTokenBlacklistingEnabled"]),
        (&json!(100_000), &json!(600_000), &json!(true))
    );
    let week = 168 * 3_600_000;
    assert_eq!(reply["jwtSigningPublicKeyExpiryTime"], START.0 + week);
    assert_eq!(reply["jwtSigningPublicKeyList"][0]["publicKey"], reply["jwtSigningPublicKey"]);
    assert_eq!(reply["jwtSigningPublicKeyList"][0]["createdAt"], START.0);
}

#[tokio::test]
async fn the_list_of_keys_came_with_2_9() {
    let app = TestApp::new().await;
    let has_list = async |version| {
        let reply = app.post("/recipe/handshake", json!({})).cdi(version).await.ok().json();
        reply.get("jwtSigningPublicKeyList").is_some()
    };
    assert!(!has_list("2.8").await);
    assert!(has_list("2.9").await);
}

#[tokio::test]
async fn it_needs_no_body() {
    TestApp::new().await.post("/recipe/handshake", json!({})).body("").cdi("2.7").await.ok();
}
