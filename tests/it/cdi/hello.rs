//! `/hello`.

use crate::app::TestApp;
use crate::watched::Watched;
use http::Method;
use std::sync::Arc;
use std::sync::atomic::Ordering;

async fn watched(test_mode: bool) -> (TestApp, Watched) {
    let engine = Watched::default();
    let builder = TestApp::builder().store(Arc::new(engine.clone()));
    let app = if test_mode { builder.test_mode() } else { builder }.build().await;
    engine.gets.set(0);
    (app, engine)
}

/// An app whose store has stopped answering.
pub(crate) async fn broken_store() -> TestApp {
    let (app, engine) = watched(false).await;
    engine.unreadable.store(true, Ordering::SeqCst);
    app
}

#[tokio::test]
async fn hello_answers_every_method_in_text() {
    let app = TestApp::new().await;
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        app.request(method.clone(), "/hello").await.is_text(200, "Hello");
        app.request(method, "/").await.is_text(200, "Hello");
    }
}

#[tokio::test]
async fn hello_needs_neither_key_nor_version() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").build().await;
    app.get("/hello").key("wrong").cdi("2.6").await.is_text(200, "Hello");
}

#[tokio::test]
async fn hello_reaches_the_store_five_times_and_then_once_in_200_ms() {
    let (app, engine) = watched(false).await;
    for _ in 0..20 {
        app.get("/hello").await.is_text(200, "Hello");
    }
    assert_eq!(engine.gets.get(), 5);
    app.clock.advance(199);
    app.get("/hello").await.is_text(200, "Hello");
    assert_eq!(engine.gets.get(), 5);
    app.clock.advance(1);
    app.get("/hello").await;
    app.get("/hello").await;
    assert_eq!(engine.gets.get(), 6);
    app.clock.advance(3_600_000);
    for _ in 0..20 {
        app.get("/hello").await;
    }
    assert_eq!(engine.gets.get(), 11);
}

#[tokio::test]
async fn test_mode_says_when_the_store_was_not_asked() {
    let (app, _) = watched(true).await;
    for _ in 0..5 {
        app.get("/hello").await.is_text(200, "Hello");
    }
    app.get("/hello").await.is_text(200, "RateLimitedHello");
}

#[tokio::test]
async fn hello_fails_when_the_store_does_and_says_nothing_of_why() {
    broken_store().await.get("/hello").await.is_text(500, "Internal error");
}
