//! `GET /.well-known/jwks.json`.

use crate::app::{START, TestApp};
use serde_json::Value;

fn kids(document: &Value) -> Vec<String> {
    let keys = document["keys"].as_array().expect("keys");
    keys.iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

#[tokio::test]
async fn it_publishes_dynamic_then_static_keys_and_nothing_private() {
    let reply = TestApp::new().await.get("/.well-known/jwks.json").await;
    let document = reply.json();
    assert_eq!(document.as_object().map(|members| members.keys().collect::<Vec<_>>()), Some(vec![&"keys".to_owned()]));
    let kids = kids(&document);
    assert_eq!(kids.len(), 2);
    assert!(kids[0].starts_with("d-") && kids[1].starts_with("s-"), "{kids:?}");
    for key in document["keys"].as_array().expect("keys") {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
            (&"OKP".into(), &"Ed25519".into(), &"EdDSA".into(), &"sig".into())
        );
        assert_eq!(key["x"].as_str().map(str::len), Some(43));
        assert!(key.get("d").is_none());
    }
}

#[tokio::test]
async fn it_may_be_cached_until_a_key_may_be_added() {
    let app = TestApp::new().await;
    let week = 168 * 3600;
    let cache = app.get("/.well-known/jwks.json").await.0.cache_control;
    assert_eq!(cache, Some(format!("max-age={}, must-revalidate", week - 60)));
    app.clock.advance(1_500);
    let cache = app.get("/.well-known/jwks.json").await.0.cache_control;
    assert_eq!(cache, Some(format!("max-age={}, must-revalidate", week - 62)));
    for before_the_change in [1_500, 1_000, 500, 0] {
        app.clock.set(START.plus((week - 60) * 1000 - before_the_change));
        let cache = app.get("/.well-known/jwks.json").await.0.cache_control;
        assert_eq!(cache.as_deref(), Some("max-age=1, must-revalidate"), "{before_the_change}");
    }
}

#[tokio::test]
async fn the_twin_has_a_status_and_is_not_cached() {
    let app = TestApp::new().await;
    let public = app.get("/.well-known/jwks.json").await.json();
    let twin = app.get("/recipe/jwt/jwks").await.ok();
    assert_eq!(twin.json()["keys"], public["keys"]);
    assert_eq!(twin.0.cache_control, None);
}
