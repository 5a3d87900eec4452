//! The cache of verified tokens: faster, never more lenient.

use super::fixed::Claims;
use crate::app::{SeededEntropy, TestApp};
use crate::keys::world::{START, World};
use serde_json::json;
use sessiond::crypto::access_token::{NewAccessToken, TokenRefusal};
use sessiond::domain::entropy::random_uuid;
use sessiond::domain::ids::AppId;
use sessiond::domain::key::KeyKind::Dynamic;
use sessiond::domain::session::AccessTokenVersion::V5;
use sessiond::state::key::KeyRing;
use sessiond::state::verified_tokens::VerifiedTokens;
use std::sync::Arc;

fn minted(ring: &KeyRing, claims: &Claims) -> String {
    let new = NewAccessToken { created: START, expiry: START.plus(3_600_000), ..claims.as_new(V5) };
    ring.tokens.mint(Dynamic, &new).unwrap().token.expose().clone()
}

#[tokio::test]
async fn the_second_look_is_a_hit_and_says_the_same() {
    let ring = World::new().ring(START).await;
    let cache = VerifiedTokens::new(1 << 20);
    let token = minted(&ring, &Claims::full());
    let first = cache.verify(&ring, &token, START).unwrap();
    let second = cache.verify(&ring, &token, START).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!((cache.hits(), cache.misses()), (1, 1));
}

#[tokio::test]
async fn a_remembered_token_expires_all_the_same() {
    let ring = World::new().ring(START).await;
    let cache = VerifiedTokens::new(1 << 20);
    let token = minted(&ring, &Claims::full());
    let expiry = cache.verify(&ring, &token, START).unwrap().expiry;
    assert!(cache.verify(&ring, &token, expiry).is_ok());
    assert_eq!(cache.verify(&ring, &token, expiry.plus(1)).unwrap_err(), TokenRefusal::Expired);
}

#[tokio::test]
async fn another_app_does_not_profit_from_what_one_app_remembers() {
    let world = World::new();
    let ring = world.ring(START).await;
    let other_id = AppId { app_id: "other".to_owned(), ..AppId::base() };
    world.add_app(&other_id).await;
    let other = world.rings.ring_in(world.at(START), &other_id, world.rules).await.unwrap();
    assert_eq!(ring.tokens.signing_kid(Dynamic), other.tokens.signing_kid(Dynamic), "same millisecond, same name");
    let cache = VerifiedTokens::new(1 << 20);
    let token = minted(&ring, &Claims::full());
    cache.verify(&ring, &token, START).unwrap();
    assert_eq!(cache.verify(&other, &token, START).unwrap_err(), TokenRefusal::BadSignature);
}

#[tokio::test]
async fn refusals_are_not_remembered_and_changed_tokens_do_not_hit() {
    let ring = World::new().ring(START).await;
    let cache = VerifiedTokens::new(1 << 20);
    let token = minted(&ring, &Claims::full());
    cache.verify(&ring, &token, START).unwrap();
    let mut forged = token.clone();
    forged.pop();
    assert!(cache.verify(&ring, &forged, START).is_err());
    assert!(cache.verify(&ring, &forged, START).is_err());
    assert_eq!((cache.hits(), cache.misses()), (0, 3));
}

#[tokio::test]
async fn memory_stays_within_its_bound() {
    let ring = World::new().ring(START).await;
    let cache = VerifiedTokens::new(64 << 10);
    let entropy = SeededEntropy::new(3);
    for _ in 0..500 {
        let mut claims = Claims::new(&json!({"blob": "x".repeat(1000)}));
        claims.handle.uuid = random_uuid(&entropy);
        cache.verify(&ring, &minted(&ring, &claims), START).unwrap();
        assert!(cache.weight() <= 64 << 10, "{}", cache.weight());
    }
    assert!(cache.weight() > 16 << 10, "it does remember: {}", cache.weight());
}

#[tokio::test]
async fn without_memory_every_look_is_a_check() {
    let ring = World::new().ring(START).await;
    let cache = VerifiedTokens::new(0);
    let token = minted(&ring, &Claims::full());
    assert!(cache.verify(&ring, &token, START).is_ok());
    assert!(cache.verify(&ring, &token, START).is_ok());
    assert_eq!((cache.hits(), cache.misses()), (0, 2));
}

#[tokio::test]
async fn what_an_app_remembers_is_a_quarter_of_its_cache_setting() {
    let app = TestApp::builder().setting("cache_size_mb", "1").build().await;
    for user in 0..500 {
        let token = app.session(&format!("user-{user}")).await.access_token();
        let body =
            json!({"accessToken": token, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": false});
        app.post("/recipe/session/verify", body).await.ok();
    }
    let held = app.context.verified.weight();
    assert!((200 << 10..=256 << 10).contains(&held), "{held}");
}
