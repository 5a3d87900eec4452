//! Rotation as requests see it.

use super::world::{DEFAULTS, HOUR, START, World};
use crate::tokens::fixed::Claims;
use serde_json::{Value, json};
use sessiond::crypto::access_token::{NewAccessToken, TokenRefusal};
use sessiond::domain::ids::AppId;
use sessiond::domain::key::KeyKind::{Dynamic, Static};
use sessiond::domain::key::{KeyRules, SigningAlgorithm};
use sessiond::domain::session::AccessTokenVersion::V5;
use sessiond::domain::time::UnixMillis;
use sessiond::state::key::KeyRing;

const WEEK: u64 = 168 * HOUR;

fn signing(ring: &KeyRing) -> String {
    ring.tokens.signing_kid(Dynamic).to_string()
}

fn dynamic(at: UnixMillis) -> String {
    format!("d-{}", at.0)
}

fn document(ring: &KeyRing) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(ring.jwks_text()).unwrap();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    document["keys"].as_array().unwrap().iter().map(|key| (text(key, "kid"), text(key, "alg"))).collect()
}

fn minted(ring: &KeyRing, now: UnixMillis) -> String {
    let claims = Claims::new(&json!({}));
    let new = NewAccessToken { created: now, expiry: now.plus(HOUR), ..claims.as_new(V5) };
    ring.tokens.mint(Dynamic, &new).unwrap().token.expose().clone()
}

#[tokio::test]
async fn the_first_key_signs_at_once_and_is_in_the_document() {
    let world = World::new();
    let ring = world.ring(START).await;
    assert_eq!(signing(&ring), dynamic(START));
    let fixed = ring.tokens.signing_kid(Static).to_string();
    assert!(fixed.starts_with("s-"));
    let eddsa = || "EdDSA".to_owned();
    assert_eq!(document(&ring), [(dynamic(START), eddsa()), (fixed, eddsa())]);
}

#[tokio::test]
async fn many_first_requests_at_once_make_one_key() {
    let world = World::new();
    let rings = futures_util::future::join_all((0..50).map(|_| world.ring(START))).await;
    assert!(rings.iter().all(|ring| signing(ring) == dynamic(START)));
    assert_eq!(document(&rings[0]).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_requests_of_several_servers_on_one_store_make_one_key() {
    // Only the transaction keeps these apart: each server has its own rings.
    for _ in 0..20 {
        let world = std::sync::Arc::new(World::new());
        let servers = (0..8u64).map(|server| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                let rings = sessiond::state::key::KeyRings::new(sessiond::state::key::KeyVault::plain());
                let now = START.plus(server);
                let ring = rings.ring_in(world.at(now), &world.app, world.rules).await.unwrap();
                (signing(&ring), ring.tokens.signing_kid(Static).to_string())
            })
        });
        let seen = futures_util::future::join_all(servers).await;
        let seen: std::collections::HashSet<_> = seen.into_iter().map(Result::unwrap).collect();
        assert_eq!(seen.len(), 1, "{seen:?}");
    }
}

#[tokio::test]
async fn keys_survive_a_restart() {
    let world = World::new();
    let before = world.ring(START).await;
    let again = sessiond::state::key::KeyRings::new(sessiond::state::key::KeyVault::plain());
    let after = again.ring_in(world.at(START.plus(1)), &world.app, world.rules).await.unwrap();
    assert_eq!(before.jwks_text(), after.jwks_text());
    assert!(after.tokens.verify(&minted(&before, START), START).is_ok());
}

#[tokio::test]
async fn a_key_is_published_a_minute_before_it_signs() {
    let world = World::new();
    world.ring(START).await;
    let due = START.plus(WEEK - 60_000);
    let ring = world.ring(due).await;
    assert_eq!(document(&ring).len(), 2, "not due yet");
    let made = due.plus(1);
    let ring = world.ring(made).await;
    assert_eq!(signing(&ring), dynamic(START));
    assert_eq!(document(&ring)[0].0, dynamic(made), "newest first");
    assert_eq!(document(&ring)[1].0, dynamic(START));
    let ring = world.ring(made.plus(59_998)).await;
    assert_eq!(signing(&ring), dynamic(START));
    // one millisecond before the minute is over, the old key's week ends: it no longer signs
    let ring = world.ring(made.plus(59_999)).await;
    assert_eq!(signing(&ring), dynamic(made));
}

#[tokio::test]
async fn max_age_lasts_until_the_next_key_may_be_published() {
    let world = World::new();
    let ring = world.ring(START).await;
    assert_eq!(ring.jwks_max_age_s(START), 168 * 3600 - 60);
    assert_eq!(ring.jwks_max_age_s(START.plus(1)), 168 * 3600 - 61);
    assert_eq!(ring.jwks_max_age_s(START.plus(WEEK - 60_000)), 1);
    let made = START.plus(WEEK - 59_999);
    assert_eq!(world.ring(made).await.jwks_max_age_s(made), 168 * 3600 - 60, "counts from the newest key");
}

#[tokio::test]
async fn a_retired_key_verifies_until_its_last_token_has_ended() {
    let world = World::new();
    let token = minted(&*world.ring(START).await, START);
    let end = START.plus(WEEK + 2 * HOUR);
    let last = world.ring(UnixMillis(end.0 - 1)).await;
    assert!(last.tokens.verify_whenever(&token).is_ok());
    let after = world.ring(end).await;
    assert_eq!(after.tokens.verify_whenever(&token).unwrap_err(), TokenRefusal::UnknownKey);
    assert!(!after.jwks_text().contains(&dynamic(START)));
}

#[tokio::test]
async fn after_a_long_sleep_a_new_key_signs_at_once() {
    let world = World::new();
    world.ring(START).await;
    let now = START.plus(10 * WEEK);
    let ring = world.ring(now).await;
    assert_eq!(signing(&ring), dynamic(now));
    assert_eq!(document(&ring).len(), 2, "the old key has expired");
}

#[tokio::test]
async fn a_switch_of_algorithm_signs_nobody_out() {
    let mut world = World::new();
    let token = minted(&*world.ring(START).await, START);
    let switched = START.plus(HOUR / 2);
    world.rules = KeyRules { algorithm: SigningAlgorithm::RS256, ..DEFAULTS };

    let ring = world.ring(switched).await;
    let algorithms: Vec<_> = document(&ring).into_iter().map(|(kid, alg)| (kid[..1].to_owned(), alg)).collect();
    let expected = [("d", "RS256"), ("s", "RS256"), ("d", "EdDSA"), ("s", "EdDSA")];
    assert_eq!(algorithms, expected.map(|(kind, alg)| (kind.to_owned(), alg.to_owned())));
    assert_eq!(signing(&ring), dynamic(START), "the new key is published first");
    assert!(ring.tokens.verify(&token, switched).is_ok());

    let later = switched.plus(60_000);
    let ring = world.ring(later).await;
    assert_eq!(signing(&ring), dynamic(switched));
    assert!(ring.tokens.verify(&token, UnixMillis(START.0 + HOUR - 1000)).is_ok());
    let new = minted(&ring, later);
    assert!(ring.tokens.verify(&new, later).is_ok());

    world.rules = DEFAULTS;
    let back = later.plus(HOUR / 2);
    let ring = world.ring(back).await;
    assert!(ring.tokens.verify(&new, back).is_ok(), "and back again");
    let ring = world.ring(back.plus(60_000)).await;
    assert_eq!(signing(&ring), dynamic(back));
    assert!(ring.tokens.verify(&new, back.plus(60_000)).is_ok());
    let statics: Vec<_> = document(&ring).into_iter().filter(|(kid, _)| kid.starts_with("s-")).collect();
    assert_eq!(statics.len(), 2, "static keys are kept, not regenerated");
    assert_eq!(ring.tokens.signing_kid(Static).as_str(), statics[1].0);
    assert_eq!(statics[1].1, "EdDSA");
}

#[tokio::test]
async fn a_shorter_interval_does_not_end_tokens_that_are_out() {
    let mut world = World::new();
    world.ring(START).await;
    let now = START.plus(100 * HOUR);
    let token = minted(&*world.ring(now).await, now);
    world.rules = KeyRules { update_interval_ms: HOUR, ..DEFAULTS };
    let ring = world.ring(now.plus(1)).await;
    assert_eq!(signing(&ring), dynamic(now.plus(1)), "the old key exceeds its new interval");
    assert!(ring.tokens.verify(&token, now.plus(1)).is_ok());
    assert!(world.ring(now.plus(HOUR)).await.tokens.verify(&token, now.floor_to_second().plus(HOUR - 1000)).is_ok());
}

#[tokio::test]
async fn intervals_of_test_suites_work_down_to_a_second() {
    // 0.0004 hours, overlap a fifth: what the SDKs' suites set
    let mut world = World::new();
    world.rules = KeyRules { update_interval_ms: 1440, overlap_ms: 288, access_token_validity_ms: 2000, ..DEFAULTS };
    let mut kids = std::collections::BTreeSet::new();
    for step in 0..100 {
        let now = START.plus(step * 100);
        let ring = world.ring(now).await;
        kids.insert(signing(&ring));
        assert!(ring.tokens.verify(&minted(&ring, now), now).is_ok());
        assert_eq!(ring.jwks_max_age_s(now), 1);
    }
    assert!((6..=9).contains(&kids.len()), "{kids:?}");
}

#[tokio::test]
async fn a_clock_that_jumps_back_changes_nothing_for_the_worse() {
    let world = World::new();
    let ring = world.ring(START.plus(5000)).await;
    let token = minted(&ring, START.plus(5000));
    let back = world.ring(START).await;
    assert_eq!(signing(&back), signing(&ring));
    assert!(back.tokens.verify(&token, START).is_ok());
}

#[tokio::test]
async fn an_app_that_was_made_again_has_new_keys() {
    let world = World::new();
    let first = world.ring(START).await;
    let mut tx = sessiond::store::Engine::begin(&world.store);
    sessiond::store::signing_key::delete_all(&mut *tx, &world.app).await.unwrap();
    sessiond::store::sealing_key::delete(&mut *tx, &world.app);
    tx.commit().await.unwrap();
    world.rings.forget(&world.app);
    let second = world.ring(START).await;
    assert_ne!(first.jwks_text(), second.jwks_text());
    assert_ne!(first.serial, second.serial, "earlier verifications do not count");
}

#[tokio::test]
async fn apps_whose_names_begin_alike_do_not_mix_their_keys() {
    let world = World::new();
    let app = |cud: &str, id: &str| AppId { connection_uri_domain: cud.to_owned(), app_id: id.to_owned() };
    let apps = [app("", "a"), app("", "ab"), app("a", "b"), app("a", ""), app("", "")];
    for (step, app) in apps.iter().enumerate() {
        let now = START.plus(step as u64);
        world.add_app(app).await;
        let ring = world.rings.ring_in(world.at(now), app, world.rules).await.unwrap();
        assert_eq!(document(&ring).len(), 2, "{app:?}");
        assert_eq!(signing(&ring), dynamic(now));
    }
}

#[tokio::test]
async fn legacy_key_info_names_the_rsa_key_that_signs_and_its_end() {
    let world = World::new();
    world.rsa_ring(START).await;
    let made = START.plus(WEEK - 30_000);
    let ring = world.rsa_ring(made).await;
    let info = ring.legacy_key_info(Dynamic).unwrap();
    assert_eq!(info.expiry, START.plus(WEEK), "the old one still signs");
    let list: Vec<_> = info.list.iter().map(|key| (key.created, key.expiry)).collect();
    assert_eq!(list, [(made, made.plus(WEEK)), (START, START.plus(WEEK))]);
    assert_eq!(info.public_key, info.list[1].public_key);
    assert!(info.public_key.starts_with("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"), "SPKI of RSA-2048");
    let fixed = ring.legacy_key_info(Static).unwrap();
    assert_eq!((fixed.list.len(), fixed.expiry), (1, UnixMillis(315_360_000_000)));
}
