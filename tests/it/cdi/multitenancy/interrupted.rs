//! Changes that are interrupted, run concurrently, or fail in the store.

use super::{created, put_app, put_tenant};
use crate::app::{TestApp, new_session};
use crate::session::driver::plain_session;
use crate::store::rows_of;
use crate::watched::Watched;
use serde_json::json;
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::store::Keyspace;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

/// Polls a future once, then lets other tasks run. True when it is done.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> bool {
    let done = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
    tokio::task::yield_now().await;
    done
}

async fn over(engine: &Watched) -> TestApp {
    TestApp::builder().store(Arc::new(engine.clone())).build().await
}

async fn rows(engine: &Watched, keyspace: Keyspace) -> usize {
    rows_of(engine, keyspace).await.len()
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_store_and_directory_agreeing() {
    for polls in 1..6 {
        let app = over(&Watched::yielding()).await;
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
        assert!(app.context.directory.find("", "a1").is_some(), "after {polls} polls");
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

/// Lets tasks of disconnected callers run to their end.
async fn settled() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn conflicts_are_tried_again() {
    let engine = Watched::yielding();
    let app = over(&engine).await;
    engine.conflicts.set(5);
    created(&put_app(&app, "a1", json!({})).await, true);
    engine.conflicts.set(5);
    created(&put_app(&app, "a1", json!({"access_token_validity": 5})).await, false);
    app.post("/appid-a1/recipe/session", new_session("u")).await.ok();
    engine.conflicts.set(2);
    app.post("/appid-a1/recipe/session", new_session("u")).await.ok();
    engine.conflicts.set(5);
    let removed = app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    assert_eq!(removed.json()["didExist"], json!(true));
    assert_eq!(rows(&engine, Keyspace::Session).await, 0);
}

#[tokio::test]
async fn a_store_that_fails_changes_nothing_in_memory_either() {
    let engine = Watched::yielding();
    let app = over(&engine).await;
    put_app(&app, "a1", json!({"access_token_validity": 5})).await.ok();
    engine.left.set(1);
    assert_eq!(put_app(&app, "a2", json!({})).await.code(), 500);
    assert_eq!(put_app(&app, "a1", json!({"access_token_validity": 6})).await.code(), 500);
    assert_eq!(app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.code(), 500);
    assert!(app.context.directory.find("", "a2").is_none());
    assert_eq!(app.context.directory.find("", "a1").unwrap().config.access_token_validity_ms, 5000);
}

#[tokio::test]
async fn a_removal_cut_off_by_a_failing_store_goes_on_when_the_name_is_used_again() {
    let engine = Watched::yielding();
    let app = over(&engine).await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    for _ in 0..3 {
        app.post("/t1/recipe/session", new_session("u")).await.ok();
    }
    engine.left.set(2);
    assert_eq!(app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.code(), 500);
    assert_eq!(rows(&engine, Keyspace::Session).await, 3, "the test cuts between the first commit and the deletion");
    assert_eq!(app.post("/t1/recipe/session", new_session("u")).await.code(), 400, "the tenant is gone already");
    engine.left.set(0);
    created(&put_tenant(&app, "", "t1", json!({})).await, true);
    assert_eq!(rows(&engine, Keyspace::Session).await, 0);
}

#[tokio::test]
async fn what_was_under_way_when_an_app_was_removed_leaves_nothing_behind() {
    let engine = Watched::yielding();
    let app = over(&engine).await;
    for used in [false, true] {
        put_app(&app, "a1", json!({})).await.ok();
        let id = AppId { connection_uri_domain: String::new(), app_id: "a1".to_owned() };
        let entry = app.context.directory.app(&id).unwrap();
        let ring = if used { Some(app.context.key_ring(&entry).await.unwrap()) } else { None };
        app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
        let late = plain_session(Scope { app: entry, cause: Cause::without_request("test") }, TenantId::public(), "u");
        assert!(late.run(&app.context).await.is_err());
        drop(ring);
        for keyspace in [Keyspace::Session, Keyspace::SessionByUser, Keyspace::SigningKey, Keyspace::SealingKey] {
            assert_eq!(rows(&engine, keyspace).await, 0, "{keyspace:?}");
        }
    }
}

#[tokio::test]
async fn a_session_does_not_outlive_a_tenant_removed_before_its_commit() {
    let engine = Watched::yielding();
    let app = over(&engine).await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    let entry = app.context.directory.app(&AppId::base()).unwrap();
    app.context.key_ring(&entry).await.unwrap();
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    let late = plain_session(Scope { app: entry, cause: Cause::without_request("test") }, TenantId::new("t1"), "u");
    assert!(late.run(&app.context).await.is_err());
    assert_eq!(rows(&engine, Keyspace::Session).await, 0);
}
