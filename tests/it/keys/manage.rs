//! Operators: list, rotate, revoke, on a running app.

use crate::app::{START, TestApp};
use crate::tokens::fixed::Claims;
use serde_json::json;
use sessiond::command::key::{ListKeys, ListedKey, RevokeKey, Revoked, RotateKeys};
use sessiond::crypto::access_token::{NewAccessToken, TokenRefusal};
use sessiond::domain::ids::AppId;
use sessiond::domain::key::KeyKind::{self, Dynamic, Static};
use sessiond::domain::key::{KeyStage, Kid};
use sessiond::domain::session::AccessTokenVersion::V5;
use sessiond::state::directory::AppEntry;
use sessiond::state::key::KeyRing;
use sessiond::store::signing_key::{self, StoredSecret};
use std::sync::Arc;

fn entry(app: &TestApp) -> Arc<AppEntry> {
    app.context.directory.app(&AppId::base()).unwrap()
}

async fn ring(app: &TestApp) -> Arc<KeyRing> {
    app.context.key_ring(&entry(app)).await.unwrap()
}

async fn listed(app: &TestApp) -> Vec<ListedKey> {
    ListKeys { app: entry(app) }.run(&app.context).await.unwrap()
}

async fn revoke(app: &TestApp, kid: &Kid) -> Revoked {
    RevokeKey { app: entry(app), kid, reason: "laptop stolen" }.run(&app.context).await.unwrap()
}

fn minted(app: &TestApp, ring: &KeyRing, kind: KeyKind) -> String {
    let now = app.context.now();
    let claims = Claims::new(&json!({}));
    let new = NewAccessToken { created: now, expiry: now.plus(3_600_000), ..claims.as_new(V5) };
    ring.tokens.mint(kind, &new).unwrap().token.expose().clone()
}

#[tokio::test]
async fn a_published_rotation_signs_after_the_overlap() {
    let app = TestApp::new().await;
    let first = ring(&app).await.tokens.signing_kid(Dynamic).clone();
    app.clock.advance(1000);
    let rotated = RotateKeys { app: entry(&app), immediate: false }.run(&app.context).await.unwrap();
    assert_eq!(rotated.signs_from, app.context.now().plus(60_000));
    assert_eq!(*ring(&app).await.tokens.signing_kid(Dynamic), first);
    assert!(ring(&app).await.jwks_text().contains(rotated.kid.as_str()));
    app.clock.advance(60_000);
    assert_eq!(*ring(&app).await.tokens.signing_kid(Dynamic), rotated.kid);
}

#[tokio::test]
async fn an_immediate_rotation_signs_at_once_and_signs_nobody_out() {
    let app = TestApp::new().await;
    let token = minted(&app, &*ring(&app).await, Dynamic);
    let rotated = RotateKeys { app: entry(&app), immediate: true }.run(&app.context).await.unwrap();
    assert_ne!(rotated.kid, Kid::new(format!("d-{}", START.0)), "same millisecond, another name");
    let ring = ring(&app).await;
    assert_eq!(*ring.tokens.signing_kid(Dynamic), rotated.kid);
    assert!(ring.tokens.verify(&token, app.context.now()).is_ok());
}

#[tokio::test]
async fn rotations_in_a_hurry_keep_the_key_that_verifiers_know() {
    let app = TestApp::new().await;
    let first = ring(&app).await.tokens.signing_kid(Dynamic).clone();
    for _ in 0..5 {
        app.clock.advance(10_000);
        RotateKeys { app: entry(&app), immediate: false }.run(&app.context).await.unwrap();
        assert_eq!(*ring(&app).await.tokens.signing_kid(Dynamic), first);
    }
}

#[tokio::test]
async fn a_revoked_key_ends_its_tokens_at_once_even_remembered_ones() {
    for kind in [Dynamic, Static] {
        let app = TestApp::new().await;
        let before = ring(&app).await;
        let token = minted(&app, &before, kind);
        let kid = before.tokens.signing_kid(kind).clone();
        app.context.verified.verify(&before, &token, app.context.now()).unwrap();

        let revoked = revoke(&app, &kid).await;
        let after = ring(&app).await;
        let replaced_by = (kind == Dynamic).then(|| after.tokens.signing_kid(Dynamic).clone());
        assert_eq!(revoked, Revoked::Ok { replaced_by });
        assert_ne!(*after.tokens.signing_kid(kind), kid);
        assert!(!after.jwks_text().contains(&format!("\"{kid}\"")));
        for _ in 0..2 {
            let refusal = app.context.verified.verify(&after, &token, app.context.now()).unwrap_err();
            assert_eq!(refusal, TokenRefusal::UnknownKey);
        }
        let new = minted(&app, &after, kind);
        assert!(app.context.verified.verify(&after, &new, app.context.now()).is_ok());
    }
}

#[tokio::test]
async fn revoking_a_retired_key_leaves_the_signing_one() {
    let app = TestApp::new().await;
    let first = ring(&app).await.tokens.signing_kid(Dynamic).clone();
    let rotated = RotateKeys { app: entry(&app), immediate: true }.run(&app.context).await.unwrap();
    assert_eq!(revoke(&app, &first).await, Revoked::Ok { replaced_by: None });
    assert_eq!(*ring(&app).await.tokens.signing_kid(Dynamic), rotated.kid);
}

#[tokio::test]
async fn unknown_and_ended_keys_are_named_as_such() {
    let app = TestApp::new().await;
    // also as the very first thing that happens to an app
    assert_eq!(revoke(&app, &Kid::new("d-1")).await, Revoked::NoSuchKey);
    let kid = ring(&app).await.tokens.signing_kid(Dynamic).clone();
    revoke(&app, &kid).await;
    assert_eq!(revoke(&app, &kid).await, Revoked::AlreadyEnded);
}

#[tokio::test]
async fn history_outlives_the_secret_half() {
    let app = TestApp::new().await;
    let first = ring(&app).await.tokens.signing_kid(Dynamic).clone();
    app.clock.advance(10);
    let second = RotateKeys { app: entry(&app), immediate: true }.run(&app.context).await.unwrap().kid;
    app.clock.advance(10);
    revoke(&app, &second).await;
    app.clock.advance(30 * 24 * 3_600_000);

    let keys = listed(&app).await;
    let find = |kid: &Kid| keys.iter().find(|key| key.life.kid == *kid).unwrap();
    let old = find(&first);
    assert_eq!((old.stage, old.signs_now, old.verifies_until), (KeyStage::Deleted, false, None));
    assert_eq!((old.life.published, old.life.first_used), (Some(START), Some(START)));
    assert_eq!((old.life.retired, old.life.deleted), (Some(START.plus(10)), Some(app.context.now())));
    let revoked = find(&second).life.revoked.clone().unwrap();
    assert_eq!((revoked.at, revoked.why.as_str()), (START.plus(20), "laptop stolen"));
    assert_eq!(keys.iter().filter(|key| key.signs_now).count(), 2);

    let mut tx = app.context.store.begin();
    for key in signing_key::list(&mut *tx, &AppId::base()).await.unwrap() {
        let signs = keys.iter().any(|listed| listed.signs_now && listed.life.kid == key.life.kid);
        assert_eq!(key.secret == StoredSecret::Gone, !signs, "{}", key.life.kid);
    }
}

#[tokio::test]
async fn history_ends_after_400_days() {
    let app = TestApp::new().await;
    let first = ring(&app).await.tokens.signing_kid(Dynamic).clone();
    app.clock.advance(10 * 24 * 3_600_000);
    assert!(listed(&app).await.iter().any(|key| key.life.kid == first && key.stage == KeyStage::Deleted));
    app.clock.advance(401 * 24 * 3_600_000);
    assert!(listed(&app).await.iter().all(|key| key.life.kid != first));
}

#[tokio::test]
async fn a_clock_that_is_wrong_for_a_while_takes_no_key_from_tokens_that_live() {
    let app = TestApp::new().await;
    app.clock.advance(12 * 3_600_000);
    let token = app.session("u").await.access_token();
    let first = ring(&app).await.tokens.signing_kid(Dynamic).clone();
    let now = app.context.now();
    app.clock.set(now.plus(500 * 24 * 3_600_000));
    let second = ring(&app).await;
    assert!(!second.tokens.verifies(&first), "in the wrong year all its tokens have expired");
    app.clock.set(now.plus(1000));
    let back = ring(&app).await;
    assert!(back.tokens.verifies(&first));
    assert!(back.tokens.verifies(second.tokens.signing_kid(Dynamic)), "and so does what was signed meanwhile");
    let body = serde_json::json!({
        "accessToken": token, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": true
    });
    app.post("/recipe/session/verify", body).await.ok();
}

#[tokio::test]
async fn the_job_rotates_apps_that_nobody_calls() {
    let app = TestApp::new().await;
    ring(&app).await;
    app.clock.advance(168 * 3_600_000 - 3_600_000);
    ring(&app).await;
    app.clock.advance(3_600_000 - 59_999);
    let due = app.context.now();
    assert_eq!(app.context.keys.rotate_due(&app.context.directory, || app.context.key_context()).await, 0);
    app.clock.advance(30_000);
    assert!(ring(&app).await.jwks_text().contains(&format!("d-{}", due.0)));
}

#[tokio::test]
async fn rings_that_nobody_asks_for_leave_memory_after_a_day() {
    let app = TestApp::new().await;
    let jwks = ring(&app).await.jwks();
    app.clock.advance(24 * 3_600_000 - 1);
    app.context.keys.rotate_due(&app.context.directory, || app.context.key_context()).await;
    assert_eq!(app.context.keys.in_memory(), 1);
    app.clock.advance(1);
    app.context.keys.rotate_due(&app.context.directory, || app.context.key_context()).await;
    assert_eq!(app.context.keys.in_memory(), 0);
    assert_eq!(ring(&app).await.jwks(), jwks, "and come back as they were");
}
