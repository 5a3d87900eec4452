//! RSA keys in addition to an app's own, for SDKs that support nothing else.

use super::world::{HOUR, START, World};
use crate::app::TestApp;
use crate::watched::{Mood, Watched};
use futures_util::FutureExt;
use futures_util::future::join_all;
use sessiond::command::key::{ListKeys, RevokeKey, Revoked, RotateKeys};
use sessiond::domain::ids::AppId;
use sessiond::domain::key::KeyKind::{Dynamic, Static};
use sessiond::domain::key::{KeyStage, Kid};
use sessiond::domain::session::AccessTokenVersion::{V2, V5};
use sessiond::state::directory::AppEntry;
use sessiond::state::key::{KeyRing, KeyRings, KeyVault};
use std::collections::HashSet;
use std::sync::Arc;

const WEEK: u64 = 168 * HOUR;

fn rsa_kid(ring: &KeyRing) -> Kid {
    ring.tokens.rsa_signing_kid(Dynamic).expect("an RSA key").clone()
}

fn entry(app: &TestApp) -> Arc<AppEntry> {
    app.context.directory.app(&AppId::base()).unwrap()
}

async fn rsa_ring(app: &TestApp) -> Arc<KeyRing> {
    app.context.key_ring_to_mint(&entry(app), V2).await.unwrap()
}

#[tokio::test]
async fn nobody_has_rsa_keys_before_somebody_asks() {
    let world = World::new();
    let ring = world.ring(START).await;
    assert_eq!((ring.tokens.rsa_signing_kid(Dynamic), ring.legacy_key_info(Dynamic)), (None, None));
    assert!(!ring.jwks_text().contains("RS256"));
    let rsa = world.rsa_ring(START.plus(1)).await;
    assert_eq!(rsa.jwks_text().matches(r#""alg":"RS256""#).count(), 2);
    assert_eq!(rsa.tokens.signing_kid(Dynamic), ring.tokens.signing_kid(Dynamic), "nobody else is affected");
    assert!(Arc::ptr_eq(&rsa, &world.ring(START.plus(2)).await), "one ring for everybody");
}

#[tokio::test]
async fn many_first_old_callers_at_once_make_one_pair() {
    let world = World::new();
    let rings = join_all((0..20).map(|_| world.rsa_ring(START))).await;
    assert_eq!(rings.iter().map(|ring| rsa_kid(ring)).collect::<HashSet<_>>().len(), 1);
    let published = rings[0].jwks_text().matches(r#""kid":"#).count();
    assert_eq!(published, 4, "a dynamic and a static key of each algorithm");
}

#[tokio::test]
async fn others_are_served_while_an_rsa_key_is_being_made() {
    let world = World::new();
    world.ring(START).await;
    let slow = world.rsa_ring(START.plus(1));
    tokio::pin!(slow);
    assert!(slow.as_mut().now_or_never().is_none(), "an RSA key is being generated on another thread");
    assert!(world.ring(START.plus(1)).now_or_never().is_some(), "served without waiting");
    rsa_kid(&*slow.await);
}

#[tokio::test]
async fn they_survive_a_restart() {
    let world = World::new();
    let before = world.rsa_ring(START).await;
    let again = KeyRings::new(KeyVault::plain());
    // even if the first caller afterwards is not an old one
    let after = again.ring_in(world.at(START.plus(HOUR)), &world.app, world.rules).await.unwrap();
    assert_eq!(before.jwks_text(), after.jwks_text());
    assert_eq!(rsa_kid(&before), rsa_kid(&after));
}

#[tokio::test]
async fn a_successor_is_published_a_minute_before_it_signs() {
    let world = World::new();
    let first = rsa_kid(&*world.rsa_ring(START).await);
    let due = START.plus(WEEK - 59_998);
    let ring = world.rsa_ring(due).await;
    assert_eq!(rsa_kid(&ring), first);
    assert_eq!(ring.jwks_text().matches(r#""alg":"RS256""#).count(), 3, "{}", ring.jwks_text());
    let ring = world.rsa_ring(due.plus(60_001)).await;
    assert_ne!(rsa_kid(&ring), first);
}

#[tokio::test]
async fn the_job_renews_them_while_old_callers_come() {
    let app = TestApp::new().await;
    let first = rsa_kid(&*rsa_ring(&app).await);
    app.clock.advance(WEEK - HOUR);
    rsa_ring(&app).await;
    app.clock.advance(HOUR - 59_990);
    assert_eq!(app.context.keys.rotate_due(&app.context.directory, || app.context.key_context()).await, 0);
    app.clock.advance(60_001);
    let ring = rsa_ring(&app).await;
    assert_ne!(rsa_kid(&ring), first, "created by the job, a minute ago");
    let made = rsa_kid(&ring);
    let known = app.context.key_ring(&entry(&app)).await.unwrap();
    assert_eq!(rsa_kid(&known), made);
}

#[tokio::test]
async fn after_a_week_without_old_callers_they_retire() {
    let app = TestApp::new().await;
    let kid = rsa_kid(&*rsa_ring(&app).await);
    app.clock.advance(WEEK + 1000);
    let ring = app.context.key_ring(&entry(&app)).await.unwrap();
    assert_eq!(ring.tokens.rsa_signing_kid(Dynamic), None);
    assert!(ring.tokens.verifies(&kid), "tokens in circulation stay valid");
    let listed = ListKeys { app: entry(&app) }.run(&app.context).await.unwrap();
    let key = listed.iter().find(|key| key.life.kid == kid).unwrap();
    assert_eq!((key.stage, key.signs_now), (KeyStage::Retired, false));
}

#[tokio::test]
async fn operators_see_them_rotate_them_and_revoke_them() {
    let app = TestApp::new().await;
    let ring = rsa_ring(&app).await;
    let (own, rsa) = (ring.tokens.signing_kid(Dynamic).clone(), rsa_kid(&ring));
    let listed = ListKeys { app: entry(&app) }.run(&app.context).await.unwrap();
    for key in &listed {
        assert!(key.signs_now);
        assert_eq!(key.only_rsa_readers, [&rsa, ring.tokens.rsa_signing_kid(Static).unwrap()].contains(&&key.life.kid));
    }

    let rotated = RotateKeys { app: entry(&app), immediate: false }.run(&app.context).await.unwrap();
    let new = rotated.rsa_kid.expect("an RSA key too");
    assert!(new != rsa && rotated.kid != own && new != rotated.kid);
    assert_eq!(rsa_kid(&*rsa_ring(&app).await), rsa, "published first");
    app.clock.advance(60_010);
    let ring = rsa_ring(&app).await;
    assert_eq!((rsa_kid(&ring), ring.tokens.signing_kid(Dynamic)), (new.clone(), &rotated.kid));

    let rotated = RotateKeys { app: entry(&app), immediate: true }.run(&app.context).await.unwrap();
    let ring = rsa_ring(&app).await;
    assert_eq!((Some(rsa_kid(&ring)), ring.tokens.signing_kid(Dynamic)), (rotated.rsa_kid.clone(), &rotated.kid));

    let revoked = rsa_kid(&ring);
    let call = RevokeKey { app: entry(&app), kid: &revoked, reason: "stolen" };
    let Revoked::Ok { replaced_by } = call.run(&app.context).await.unwrap() else { panic!("not revoked") };
    let ring = rsa_ring(&app).await;
    assert_eq!(replaced_by, Some(rsa_kid(&ring)));
    assert!(!ring.tokens.verifies(&revoked) && !ring.jwks_text().contains(&format!("\"{revoked}\"")));
    assert_eq!(*ring.tokens.signing_kid(Dynamic), rotated.kid, "the app's own key remains");
}

#[tokio::test]
async fn without_them_a_rotation_makes_one_key() {
    let app = TestApp::new().await;
    let rotated = RotateKeys { app: entry(&app), immediate: false }.run(&app.context).await.unwrap();
    assert_eq!(rotated.rsa_kid, None);
    let app = TestApp::builder().setting("access_token_signing_algorithm", "RS256").build().await;
    let rotated = RotateKeys { app: entry(&app), immediate: true }.run(&app.context).await.unwrap();
    assert_eq!(rotated.rsa_kid, None, "an app of RS256 has one lineage");
    assert_eq!(rsa_kid(&*rsa_ring(&app).await), rotated.kid);
}

#[tokio::test]
async fn a_store_that_refuses_writes_fails_only_those_who_need_a_new_key() {
    let store = Watched::default();
    let app = TestApp::builder().store(Arc::new(store.clone())).build().await;
    app.context.key_ring(&entry(&app)).await.unwrap();
    store.be(Mood::Refuses);
    assert!(app.context.key_ring_to_mint(&entry(&app), V2).await.is_err());
    assert!(app.context.key_ring_to_mint(&entry(&app), V5).await.is_ok());
    store.be(Mood::Works);
    let first = rsa_kid(&*rsa_ring(&app).await);
    // one that is due to be replaced continues to serve, as others do
    store.be(Mood::Refuses);
    app.clock.advance(WEEK + 1000);
    assert_eq!(rsa_kid(&*rsa_ring(&app).await), first);
    store.be(Mood::Works);
    app.clock.advance(2000);
    assert_ne!(rsa_kid(&*rsa_ring(&app).await), first);
}
