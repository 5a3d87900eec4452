//! `GET /recipe/session/timeline`.

use super::{is_status, refresh};
use crate::app::{START, TestApp};
use serde_json::{Value, json};
use sessiond::jobs::sweep::sweep;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{Engine, Keyspace};
use std::sync::Arc;

fn events(timeline: &Value) -> Vec<&str> {
    let events = timeline["events"].as_array().expect("events");
    events.iter().map(|event| event["event"].as_str().expect("an event's name")).collect()
}

#[tokio::test]
async fn it_tells_what_happened_and_outlives_the_session() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let path = format!("/recipe/session/timeline?sessionHandle={}", created.handle());
    app.clock.advance(1_000);
    let second = refresh(&app, "5.6", &created.refresh_token()).await.ok();
    let living = app.get(&path).await.ok().json();
    assert_eq!(events(&living), ["created", "rotated"]);
    assert!(living.get("timeEnded").is_none());

    app.clock.advance(31_000);
    is_status(&refresh(&app, "5.6", &created.refresh_token()).await, "TOKEN_THEFT_DETECTED", None);
    let ended = app.get(&path).await.ok();
    for secret in [&created, &second].map(|reply| [reply.access_token(), reply.refresh_token()]).concat() {
        assert!(!ended.body().contains(&secret));
    }
    let ended = ended.json();
    assert_eq!((&ended["sessionHandle"], &ended["userId"]), (&created.handle().into(), &"u".into()));
    assert_eq!((&ended["timeCreated"], &ended["timeEnded"]), (&START.0.into(), &(START.0 + 32_000).into()));
    assert_eq!(ended["events"][0]["requestId"], "test");
    assert!(ended["summary"].as_str().is_some_and(|summary| !summary.is_empty()));
    assert_eq!(ended["eventsOmitted"], 0);
}

#[tokio::test]
async fn of_a_revoked_session_it_names_the_call() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    let call = app.post("/recipe/session/remove", json!({"sessionHandles": [handle]}));
    call.await.ok();
    let timeline = app.get(&format!("/recipe/session/timeline?sessionHandle={handle}")).await.ok();
    assert!(timeline.body().contains("POST /recipe/session/remove"), "{}", timeline.body());
}

#[tokio::test]
async fn it_is_forgotten_after_31_days() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    let path = format!("/recipe/session/timeline?sessionHandle={handle}");
    app.post("/recipe/session/remove", json!({"sessionHandles": [handle]})).await.ok();
    app.clock.advance(31 * 86_400_000 - 1);
    sweep(&app.context, app.context.now()).await.expect("a sweep");
    app.get(&path).await.ok();
    app.clock.advance(2);
    sweep(&app.context, app.context.now()).await.expect("a sweep");
    is_status(&app.get(&path).await, "UNKNOWN_SESSION_ERROR", None);
}

#[tokio::test]
async fn what_never_was_is_unknown() {
    let app = TestApp::new().await;
    let reply = app.get("/recipe/session/timeline?sessionHandle=x").await;
    assert_eq!(reply.json(), json!({"status": "UNKNOWN_SESSION_ERROR"}));
    let reply = app.get("/recipe/session/timeline").await;
    reply.is_text(400, "Field name 'sessionHandle' is missing in GET request");
}

#[tokio::test]
async fn its_time_ends_without_a_sweep() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    let path = format!("/recipe/session/timeline?sessionHandle={handle}");
    app.post("/recipe/session/remove", json!({"sessionHandles": [handle]})).await.ok();
    app.clock.advance(31 * 86_400_000 - 1);
    app.get(&path).await.ok();
    app.clock.advance(1);
    is_status(&app.get(&path).await, "UNKNOWN_SESSION_ERROR", None);
}

/// Timelines in the store.
async fn kept(app: &TestApp) -> usize {
    app.rows(Keyspace::Timeline).await
}

#[tokio::test]
async fn a_retention_of_0_keeps_no_timeline_of_any_end() {
    let app = TestApp::builder().setting("session_timeline_retention_days", "0").build().await;
    let revoked = app.session("u").await.handle();
    app.get(&format!("/recipe/session/timeline?sessionHandle={revoked}")).await.ok();
    app.post("/recipe/session/remove", json!({"sessionHandles": [revoked]})).await.ok();

    let stolen = app.session("u").await;
    refresh(&app, "5.6", &stolen.refresh_token()).await.ok();
    app.clock.advance(31_000);
    for expected in ["TOKEN_THEFT_DETECTED", "UNAUTHORISED"] {
        let reply = refresh(&app, "5.6", &stolen.refresh_token()).await;
        assert_eq!(reply.json()["status"], expected);
    }
    assert_eq!(kept(&app).await, 0);

    let expired = app.session("u").await.handle();
    app.clock.advance(144_000 * 60_000 + 1);
    assert_eq!(sweep(&app.context, app.context.now()).await.expect("a sweep").sessions, 1);

    assert_eq!(kept(&app).await, 0);
    for handle in [revoked, stolen.handle(), expired] {
        let path = format!("/recipe/session/timeline?sessionHandle={handle}");
        is_status(&app.get(&path).await, "UNKNOWN_SESSION_ERROR", None);
    }
}

#[tokio::test]
async fn a_retention_of_0_forgets_what_was_kept_before() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let before = TestApp::builder().store(Arc::clone(&store)).build().await;
    let session = before.session("u").await;
    before.post("/recipe/session/remove", json!({"sessionHandles": [session.handle()]})).await.ok();
    let app = TestApp::builder().store(store).setting("session_timeline_retention_days", "0").build().await;
    let path = format!("/recipe/session/timeline?sessionHandle={}", session.handle());
    is_status(&app.get(&path).await, "UNKNOWN_SESSION_ERROR", None);
    let commits = app.context.store.stats().commits;
    refresh(&app, "5.6", &session.refresh_token()).await;
    assert_eq!(app.context.store.stats().commits, commits, "and is not written on");
    assert_eq!(sweep(&app.context, app.context.now()).await.expect("a sweep").timelines, 1);
    assert_eq!(kept(&app).await, 0);
}
