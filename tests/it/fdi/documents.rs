//! The public documents, which are kept as they are sent, change at once with what they say.

use crate::app::{TestApp, TestReply};
use crate::cdi::multitenancy::put_app;
use http::Method;
use serde_json::{Value, json};
use sessiond::command::key::{RevokeKey, RotateKeys};
use sessiond::domain::ids::AppId;
use sessiond::domain::key::KeyKind;

const HOST: &str = "a1.example";

async fn issuer(app: &TestApp, path: &str) -> Option<String> {
    let reply = app.front_at(Method::GET, HOST, &format!("{path}/.well-known/openid-configuration")).await;
    let document: Value = serde_json::from_str(&reply.body()).unwrap_or_default();
    let (issuer, keys) = (document["issuer"].as_str()?, document["jwks_uri"].as_str()?);
    assert_eq!(keys, format!("{issuer}/jwt/jwks.json"), "of one piece");
    Some(issuer.to_owned())
}

#[tokio::test]
async fn the_discovery_document_follows_the_settings() {
    let app = TestApp::new().await;
    let set = async |settings: Value| put_app(&app, "a1", settings).await.ok();
    set(json!({"api_domain": format!("http://{HOST}")})).await;
    for _ in 0..2 {
        assert_eq!(issuer(&app, "/auth").await.as_deref(), Some("http://a1.example/auth"));
    }
    set(json!({"api_gateway_path": "/gate"})).await;
    assert_eq!(issuer(&app, "/auth").await.as_deref(), Some("http://a1.example/gate/auth"));
    set(json!({"api_domain": format!("https://{HOST}"), "api_base_path": "/api"})).await;
    assert_eq!(issuer(&app, "/api").await.as_deref(), Some("https://a1.example/gate/api"));

    // An app made again under the same name has nothing of the earlier one.
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    set(json!({"api_domain": format!("https://{HOST}:8443")})).await;
    assert_eq!(issuer(&app, "/auth").await.as_deref(), Some("https://a1.example:8443/auth"));
}

#[tokio::test]
async fn the_key_document_follows_the_keys_on_both_sides() {
    let app = TestApp::new().await;
    let keys = |reply: TestReply| {
        let document = reply.json();
        let names = document["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let both = async || {
        let front = app.front(Method::GET, "/auth/jwt/jwks.json").await;
        let core = app.get("/.well-known/jwks.json").await;
        assert_eq!(format!("{}\n", front.body()), core.body(), "the same document");
        let old = app.get("/recipe/jwt/jwks").await;
        assert_eq!(old.json()["status"], "OK");
        let found = keys(front);
        assert_eq!(keys(old), found);
        found
    };
    let base = || app.context.directory.app(&AppId::base()).unwrap();
    let first = both().await;
    assert_eq!(both().await, first);
    app.clock.advance(1000);
    let rotated = RotateKeys { app: base(), immediate: true }.run(&app.context).await.unwrap();
    let after = both().await;
    assert!(after.contains(&rotated.kid.as_str().to_owned()) && first.iter().all(|kid| after.contains(kid)));
    let signing = app.context.key_ring(&base()).await.unwrap().tokens.signing_kid(KeyKind::Static).clone();
    RevokeKey { app: base(), kid: &signing, reason: "stolen" }.run(&app.context).await.unwrap();
    assert!(!both().await.contains(&signing.as_str().to_owned()));
}
