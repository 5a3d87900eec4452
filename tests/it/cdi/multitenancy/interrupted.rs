//! Changes that are cut off, meet others, or find the store failing.

use super::{created, put_app, put_tenant};
use crate::app::{TestApp, new_session};
use async_trait::async_trait;
use serde_json::json;
use sessiond::command::session::create::CreateSession;
use sessiond::command::session::{Cause, Scope};
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::json::JsonObject;
use sessiond::domain::session::AccessTokenVersion;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{CommitError, Encoding, Engine, EngineStats, Key, Keyspace, Scan, StoreError, Tx};
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

/// Commits yield to others before they return; some conflict or fail, as the test says.
#[derive(Clone, Default)]
pub(super) struct Unruly {
    pub(super) inner: Arc<MemoryEngine>,
    conflicts: Arc<AtomicU32>,
    /// Commits that still succeed before all fail; 0 for no limit.
    pub(super) left: Arc<AtomicU32>,
}

struct UnrulyTx {
    engine: Unruly,
    inner: Box<dyn Tx>,
}

#[async_trait]
impl Engine for Unruly {
    fn begin(&self) -> Box<dyn Tx> {
        Box::new(UnrulyTx { engine: self.clone(), inner: self.inner.begin() })
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
impl Tx for UnrulyTx {
    async fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(key).await
    }

    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.inner.put(key, value);
    }

    fn delete(&mut self, key: Key) {
        self.inner.delete(key);
    }
    fn add(&mut self, key: Key, delta: i64) {
        self.inner.add(key, delta);
    }

    async fn scan(&mut self, scan: &Scan) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.inner.scan(scan).await
    }

    fn encoding(&self) -> Encoding {
        self.inner.encoding()
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        let down = |counter: &AtomicU32| {
            counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).unwrap_or_default()
        };
        if down(&self.engine.conflicts) > 0 {
            return Err(CommitError::Conflict);
        }
        match down(&self.engine.left) {
            1 => {
                self.engine.left.store(1, Ordering::SeqCst);
                return Err(StoreError::Stopped { reason: "the test says so".to_owned() }.into());
            }
            _ => self.inner.commit().await?,
        }
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Polls a future once, then lets other tasks run. True when it is done.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> bool {
    let done = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
    tokio::task::yield_now().await;
    done
}

async fn over(engine: &Unruly) -> TestApp {
    TestApp::builder().store(Arc::new(engine.clone())).build().await
}

async fn rows(engine: &Unruly, keyspace: Keyspace) -> usize {
    let scan = Scan { start: Key::of(keyspace), end: None, reverse: false, limit: usize::MAX };
    engine.begin().scan(&scan).await.unwrap().len()
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_store_and_directory_agreeing() {
    for polls in 1..6 {
        let app = over(&Unruly::default()).await;
        {
            let body = json!({"appId": "a1"});
            let mut request = pin!(app.put("/recipe/multitenancy/app/v2", body).into_future());
            for _ in 0..polls {
                if poll_once(request.as_mut()).await {
                    break;
                }
            }
        }
        settled().await;
        assert!(app.app.directory.find("", "a1").is_some(), "after {polls} polls");
        created(&put_app(&app, "a1", json!({})).await, false);
        created(&put_tenant(&app, "/appid-a1", "t1", json!({})).await, true);
        {
            let body = json!({"tenantId": "t1"});
            let path = "/appid-a1/recipe/multitenancy/tenant/remove";
            let mut request = pin!(app.post(path, body).into_future());
            for _ in 0..polls {
                if poll_once(request.as_mut()).await {
                    break;
                }
            }
        }
        settled().await;
        assert_eq!(
            app.get("/appid-a1/t1/recipe/multitenancy/tenant/v2").await.json()["status"],
            "TENANT_NOT_FOUND_ERROR"
        );
        created(&put_tenant(&app, "/appid-a1", "t1", json!({})).await, true);
    }
}

/// Lets tasks of callers that went away run to their end.
async fn settled() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn conflicts_are_tried_again() {
    let engine = Unruly::default();
    let app = over(&engine).await;
    engine.conflicts.store(5, Ordering::SeqCst);
    created(&put_app(&app, "a1", json!({})).await, true);
    engine.conflicts.store(5, Ordering::SeqCst);
    created(&put_app(&app, "a1", json!({"access_token_validity": 5})).await, false);
    app.post("/appid-a1/recipe/session", new_session("u")).await.ok();
    engine.conflicts.store(2, Ordering::SeqCst);
    app.post("/appid-a1/recipe/session", new_session("u")).await.ok();
    engine.conflicts.store(5, Ordering::SeqCst);
    let removed = app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    assert_eq!(removed.json()["didExist"], json!(true));
    assert_eq!(rows(&engine, Keyspace::Session).await, 0);
}

#[tokio::test]
async fn a_store_that_fails_changes_nothing_in_memory_either() {
    let engine = Unruly::default();
    let app = over(&engine).await;
    put_app(&app, "a1", json!({"access_token_validity": 5})).await.ok();
    engine.left.store(1, Ordering::SeqCst);
    assert_eq!(put_app(&app, "a2", json!({})).await.code(), 500);
    assert_eq!(put_app(&app, "a1", json!({"access_token_validity": 6})).await.code(), 500);
    assert_eq!(app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.code(), 500);
    assert!(app.app.directory.find("", "a2").is_none());
    assert_eq!(app.app.directory.find("", "a1").unwrap().config.access_token_validity_ms, 5000);
}

#[tokio::test]
async fn a_removal_cut_off_by_a_failing_store_goes_on_when_the_name_is_used_again() {
    let engine = Unruly::default();
    let app = over(&engine).await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    for _ in 0..3 {
        app.post("/t1/recipe/session", new_session("u")).await.ok();
    }
    engine.left.store(2, Ordering::SeqCst);
    assert_eq!(app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.code(), 500);
    assert_eq!(rows(&engine, Keyspace::Session).await, 3, "the test cuts between the first commit and the deletion");
    assert_eq!(app.post("/t1/recipe/session", new_session("u")).await.code(), 400, "the tenant is gone already");
    engine.left.store(0, Ordering::SeqCst);
    created(&put_tenant(&app, "", "t1", json!({})).await, true);
    assert_eq!(rows(&engine, Keyspace::Session).await, 0);
}

#[tokio::test]
async fn what_was_under_way_when_an_app_was_removed_leaves_nothing_behind() {
    let engine = Unruly::default();
    let app = over(&engine).await;
    for used in [false, true] {
        put_app(&app, "a1", json!({})).await.ok();
        let id = AppId { connection_uri_domain: String::new(), app_id: "a1".to_owned() };
        let entry = app.app.directory.app(&id).unwrap();
        let ring = if used { Some(app.app.keys.ring(&app.app, &entry).await.unwrap()) } else { None };
        app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
        let late = CreateSession {
            scope: Scope { app: entry, cause: Cause::without_request("test") },
            tenant: TenantId::public(),
            user_id: UserId::new("u"),
            enable_anti_csrf: false,
            user_data_in_jwt: JsonObject::empty(),
            user_data_in_database: JsonObject::empty(),
            use_dynamic_signing_key: true,
            access_token_validity_ms: None,
            token_version: AccessTokenVersion::V5,
        };
        assert!(late.run(&app.app).await.is_err());
        drop(ring);
        for keyspace in [Keyspace::Session, Keyspace::SessionByUser, Keyspace::SigningKey, Keyspace::SealingKey] {
            assert_eq!(rows(&engine, keyspace).await, 0, "{keyspace:?}");
        }
    }
}

#[tokio::test]
async fn a_session_does_not_outlive_a_tenant_removed_before_its_commit() {
    let engine = Unruly::default();
    let app = over(&engine).await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    let entry = app.app.directory.app(&AppId::base()).unwrap();
    app.app.keys.ring(&app.app, &entry).await.unwrap();
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    let late = CreateSession {
        scope: Scope { app: entry, cause: Cause::without_request("test") },
        tenant: TenantId::new("t1"),
        user_id: UserId::new("u"),
        enable_anti_csrf: false,
        user_data_in_jwt: JsonObject::empty(),
        user_data_in_database: JsonObject::empty(),
        use_dynamic_signing_key: true,
        access_token_validity_ms: None,
        token_version: AccessTokenVersion::V5,
    };
    assert!(late.run(&app.app).await.is_err());
    assert_eq!(rows(&engine, Keyspace::Session).await, 0);
}
