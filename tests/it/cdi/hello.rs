//! `/hello`.

use crate::app::TestApp;
use async_trait::async_trait;
use http::Method;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{CommitError, Encoding, Engine, EngineStats, Key, Scan, StoreError, Tx};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A memory engine that counts reads and fails them when told.
#[derive(Default)]
struct Watched {
    inner: MemoryEngine,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    reads: AtomicUsize,
    broken: AtomicBool,
}

struct WatchedTx(Box<dyn Tx>, Arc<State>);

#[async_trait]
impl Engine for Watched {
    fn begin(&self) -> Box<dyn Tx> {
        Box::new(WatchedTx(self.inner.begin(), Arc::clone(&self.state)))
    }
    fn encoding(&self) -> Encoding {
        self.inner.encoding()
    }
    fn stats(&self) -> EngineStats {
        self.inner.stats()
    }
    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

#[async_trait]
impl Tx for WatchedTx {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.1.reads.fetch_add(1, Ordering::SeqCst);
        if self.1.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Stopped { reason: "told to".to_owned() });
        }
        self.0.get(key).await
    }
    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.0.put(key, value);
    }
    fn delete(&mut self, key: Key) {
        self.0.delete(key);
    }
    fn add(&mut self, key: Key, delta: i64) {
        self.0.add(key, delta);
    }
    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.0.scan(scan).await
    }
    fn encoding(&self) -> Encoding {
        self.0.encoding()
    }
    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        self.0.commit().await
    }
}

async fn watched(test_mode: bool) -> (TestApp, Arc<State>) {
    let engine = Watched::default();
    let state = Arc::clone(&engine.state);
    let builder = TestApp::builder().store(Arc::new(engine));
    let app = if test_mode { builder.test_mode() } else { builder }.build().await;
    state.reads.store(0, Ordering::SeqCst);
    (app, state)
}

/// An app whose store has stopped answering.
pub(crate) async fn broken_store() -> TestApp {
    let (app, state) = watched(false).await;
    state.broken.store(true, Ordering::SeqCst);
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
    let (app, state) = watched(false).await;
    for _ in 0..20 {
        app.get("/hello").await.is_text(200, "Hello");
    }
    assert_eq!(state.reads.load(Ordering::SeqCst), 5);
    app.clock.advance(199);
    app.get("/hello").await.is_text(200, "Hello");
    assert_eq!(state.reads.load(Ordering::SeqCst), 5);
    app.clock.advance(1);
    app.get("/hello").await;
    app.get("/hello").await;
    assert_eq!(state.reads.load(Ordering::SeqCst), 6);
    app.clock.advance(3_600_000);
    for _ in 0..20 {
        app.get("/hello").await;
    }
    assert_eq!(state.reads.load(Ordering::SeqCst), 11);
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
