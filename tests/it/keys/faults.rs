//! Keys when the store fails, when callers disconnect midway, and while a slow key is being generated.

use super::world::{DEFAULTS, HOUR, START, Seeded};
use crate::app::TestApp;
use crate::watched::{Mood, Watched};
use futures_util::FutureExt;
use sessiond::command::key::{ResealKeys, RevokeKey, Revoked};
use sessiond::domain::ids::AppId;
use sessiond::domain::key::KeyKind::Dynamic;
use sessiond::domain::key::{KeyRules, SigningAlgorithm};
use sessiond::domain::time::SteadyMillis;
use sessiond::state::key::{KeyContext, KeyRing, KeyRings, KeyVault, MasterKey, unlock};
use sessiond::store::memory::MemoryEngine;
use std::sync::Arc;

fn kid(ring: &KeyRing) -> String {
    ring.tokens.signing_kid(Dynamic).to_string()
}

#[tokio::test]
async fn while_the_store_refuses_writes_the_old_keys_serve_on() {
    let store = Watched::default();
    let entropy = Seeded::new(1);
    let rings = KeyRings::new(KeyVault::plain());
    let app = AppId::base();
    let ring = async |now| {
        let world = KeyContext { store: &store, entropy: &entropy, now, steady: SteadyMillis(now.0), settled: true };
        rings.ring_in(world, &app, DEFAULTS).await
    };
    let first = ring(START).await.unwrap();
    store.be(Mood::Refuses);
    let end = START.plus(168 * HOUR);
    // past its week, and for as long as a token minted then would be valid
    for now in [START.plus(1), end, end.plus(HOUR - 1)] {
        assert!(Arc::ptr_eq(&first, &ring(now).await.unwrap()));
    }
    assert!(ring(end.plus(HOUR)).await.is_err(), "a token minted now would outlive its key");
    store.be(Mood::Works);
    let now = end.plus(HOUR + 1000);
    assert_eq!(kid(&ring(now).await.unwrap()), format!("d-{}", now.0));
}

#[tokio::test]
async fn without_any_ring_a_failing_store_is_a_fault() {
    let store = Watched::default();
    store.be(Mood::Refuses);
    let rings = KeyRings::new(KeyVault::plain());
    let entropy = Seeded::new(1);
    let world = KeyContext { store: &store, entropy: &entropy, now: START, steady: SteadyMillis(0), settled: true };
    assert!(rings.ring_in(world, &AppId::base(), DEFAULTS).await.is_err());
    store.be(Mood::Works);
    assert!(rings.ring_in(world, &AppId::base(), DEFAULTS).await.is_ok(), "and it recovers");
}

#[tokio::test]
async fn a_revocation_counts_although_its_caller_went_away() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    let entry = app.context.directory.app(&AppId::base()).unwrap();
    let before = app.context.key_ring(&entry).await.unwrap();
    let revoked = before.tokens.signing_kid(Dynamic).clone();

    store.be(Mood::FallsSilent);
    let call = RevokeKey { app: Arc::clone(&entry), kid: &revoked, reason: "stolen" };
    assert!(call.run(&app.context).now_or_never().is_none(), "dropped in the middle");
    store.be(Mood::Works);

    let after = app.context.key_ring(&entry).await.unwrap();
    assert!(!after.tokens.verifies(&revoked));
    assert_ne!(*after.tokens.signing_kid(Dynamic), revoked);
    let again = RevokeKey { app: entry, kid: &revoked, reason: "stolen" };
    assert_eq!(again.run(&app.context).await.unwrap(), Revoked::AlreadyEnded);
}

#[tokio::test]
async fn a_refused_revocation_changes_nothing_and_can_be_repeated() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    let entry = app.context.directory.app(&AppId::base()).unwrap();
    let key = app.context.key_ring(&entry).await.unwrap().tokens.signing_kid(Dynamic).clone();
    let revoke = || RevokeKey { app: Arc::clone(&entry), kid: &key, reason: "stolen" };
    store.be(Mood::Refuses);
    assert!(revoke().run(&app.context).await.is_err());
    assert!(app.context.key_ring(&entry).await.unwrap().tokens.verifies(&key));
    store.be(Mood::Works);
    assert!(matches!(revoke().run(&app.context).await.unwrap(), Revoked::Ok { .. }));
    assert!(!app.context.key_ring(&entry).await.unwrap().tokens.verifies(&key));
}

#[tokio::test]
async fn a_new_master_key_counts_although_its_caller_went_away() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    let entry = app.context.directory.app(&AppId::base()).unwrap();
    app.context.key_ring(&entry).await.unwrap();
    let master = MasterKey::new(&"m".repeat(32)).unwrap();

    store.be(Mood::FallsSilent);
    assert!(ResealKeys { new: Some(&master) }.run(&app.context).now_or_never().is_none(), "dropped in the middle");
    store.be(Mood::Works);

    // the running server continues to create keys, and they open with the new master key
    app.clock.advance(168 * HOUR);
    let ring = app.context.key_ring(&entry).await.unwrap();
    assert_eq!(kid(&ring), format!("d-{}", app.context.now().0));
    assert!(unlock(&store, Some(&master), &Seeded::new(1)).await.is_ok());
    // and can be resealed again
    assert!(ResealKeys { new: None }.run(&app.context).await.unwrap() >= 3);
    assert!(unlock(&store, None, &Seeded::new(1)).await.is_ok());
}

#[tokio::test]
async fn requests_go_on_while_a_slow_key_is_being_made() {
    let store = MemoryEngine::new();
    let entropy = Seeded::new(1);
    let rings = KeyRings::new(KeyVault::plain());
    let app = AppId::base();
    let rsa = KeyRules { algorithm: SigningAlgorithm::RS256, ..DEFAULTS };
    let world =
        KeyContext { store: &store, entropy: &entropy, now: START.plus(1), steady: SteadyMillis(1), settled: true };
    let before =
        rings.ring_in(KeyContext { now: START, steady: SteadyMillis(0), ..world }, &app, DEFAULTS).await.unwrap();

    let slow = rings.ring_in(world, &app, rsa);
    tokio::pin!(slow);
    assert!(slow.as_mut().now_or_never().is_none(), "an RSA key is being generated on another thread");
    let other = rings.ring_in(world, &app, rsa).now_or_never().expect("served without waiting").unwrap();
    assert!(Arc::ptr_eq(&before, &other));
    assert!(slow.await.unwrap().jwks_text().contains("RS256"));
}
