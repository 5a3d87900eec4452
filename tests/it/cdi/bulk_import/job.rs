//! The job: a waiting user becomes a user exactly once, whatever happens.

use super::{added, by_hash, by_number, count, list, messages, run, with_method};
use crate::app::TestApp;
use serde_json::json;
use sessiond::command::bulk_import::batch::ImportBatch;
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::ids::AppId;
use sessiond::fault::Fault;
use sessiond::jobs::bulk_import::round;
use sessiond::store::Keyspace;
use std::fmt::Debug;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

#[tokio::test]
async fn who_cannot_be_imported_says_why_and_keeps_nobody_else_back() {
    let app = TestApp::new().await;
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let mut with_role = by_number(1);
    with_role["userRoles"] = json!([{"role": "admin", "tenantIds": ["public"]}]);
    let mut in_tenant = by_hash("t@x.io");
    in_tenant["tenantIds"] = json!(["t1"]);
    let users = vec![
        with_role,
        with_method(in_tenant),
        with_method(by_hash("a@x.io")),
        with_method(by_hash("A@x.io")),
        by_number(2),
    ];
    let ids = added(&app, users).await;
    app.post("/recipe/role/remove", json!({"role": "admin"})).await.ok();
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    app.clock.advance(7);
    assert_eq!(run(&app).await, (2, 3));
    let told = [
        "A user with email a@x.io already exists in emailpassword loginMethod.",
        "Invalid tenantId: t1 for emailpassword recipe.",
        "Role admin does not exist.",
    ];
    assert_eq!(messages(&app).await, told);
    let failed = list(&app, "?status=FAILED").await["users"][0].clone();
    assert_eq!((failed["id"].clone(), failed["status"].clone()), (json!(ids[3]), json!("FAILED")));
    assert_eq!(failed["updatedAt"].as_u64().unwrap() - failed["createdAt"].as_u64().unwrap(), 7);
    assert_eq!(run(&app).await, (0, 0), "it is not retried");
    assert_eq!((count(&app, "").await, count(&app, "?status=FAILED").await), (3, 3));
    assert_eq!(app.get("/users/count").await.json()["count"], 2);
}

#[tokio::test]
async fn an_import_is_in_the_audit_log() {
    let app = TestApp::new().await;
    let ids = added(&app, vec![by_number(1)]).await;
    run(&app).await;
    let log = app.get(&format!("/audit?userId={}", ids[0])).await.json();
    assert_eq!(
        (log["events"][0]["kind"].clone(), log["events"][0]["call"].clone()),
        (json!("user-imported"), json!("bulk import"))
    );
}

/// Drops the job at its `waits`-th wait, if it has not ended by then. Waits are counted instead of timed, because on a
/// fast machine the whole job may take a few milliseconds.
async fn cut_off<T: Debug>(job: impl Future<Output = Result<T, Fault>>, waits: usize) -> bool {
    let mut job = pin!(job);
    let mut waited = 0;
    poll_fn(|context| match job.as_mut().poll(context) {
        Poll::Ready(done) => {
            done.unwrap();
            Poll::Ready(false)
        }
        Poll::Pending => {
            waited += 1;
            if waited < waits { Poll::Pending } else { Poll::Ready(true) }
        }
    })
    .await
}

/// Stops the job at any of its steps, over and over, as a crash does except for the state of the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_cut_off_loses_nobody_and_imports_nobody_twice() {
    const USERS: usize = 1200;
    let folder = tempfile::tempdir().unwrap();
    // A batch may wait only once, so many jobs are dropped wherever the machine is fast.
    let app = TestApp::builder().on_disk(folder.path()).setting("bulk_migration_batch_size", "20").build().await;
    let mut ids = Vec::new();
    for part in 0..4 {
        ids.extend(added(&app, (0..USERS / 4).map(|number| by_number(part * 1000 + number)).collect()).await);
    }
    let mut cut = 0;
    while cut_off(round(&app.context), 1 + cut % 3).await {
        cut += 1;
    }
    assert!(cut >= 10, "{cut}");
    // A commit may be in progress with nobody waiting for it.
    while count(&app, "").await > 0 {
        run(&app).await;
    }
    assert_eq!(app.rows(Keyspace::User).await, USERS);
    assert_eq!(app.rows(Keyspace::BulkImportByStatus).await, 0);
    for id in ids {
        assert_eq!(app.who_is(&id).await["id"], json!(id));
    }
    assert_eq!(app.rows(Keyspace::AuditEvent).await, USERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_jobs_at_once_import_everybody_once() {
    let app = TestApp::new().await;
    added(&app, (0..600).map(by_number).collect()).await;
    let rounds: Vec<_> = (0..3)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { run(&app).await })
        })
        .collect();
    let mut total = 0;
    for round in rounds {
        let (imported, failed) = round.await.unwrap();
        assert_eq!(failed, 0);
        total += imported;
    }
    assert_eq!((total, app.rows(Keyspace::User).await), (600, 600));
}

#[tokio::test]
async fn a_user_with_more_than_can_be_stored_keeps_nobody_back() {
    let app = TestApp::builder().setting("max_request_body_kb", "8192").build().await;
    let method = |number: usize| json!({"recipeId": "passwordless", "email": format!("{number}@x.io")});
    let large = json!({"loginMethods": (0..64_000).map(method).collect::<Vec<_>>()});
    added(&app, vec![by_number(1), large, by_number(2)]).await;
    assert_eq!(run(&app).await, (2, 1));
    assert_eq!(messages(&app).await, ["The user has more data than can be stored"]);
}

#[tokio::test]
async fn large_users_are_imported_a_few_at_a_time() {
    let app = TestApp::builder().setting("max_request_body_kb", "8192").build().await;
    for number in 0..4 {
        let mut large = by_number(number);
        large["userMetadata"] = json!({"text": "x".repeat(3 << 20)});
        added(&app, vec![large]).await;
    }
    let entry = app.context.directory.app(&AppId::base()).unwrap();
    let cause = Cause::without_request("test");
    let batch = ImportBatch { scope: Scope { app: entry, cause } };
    let counts = batch.run(&app.context).await.unwrap().unwrap();
    assert_eq!((counts.imported, count(&app, "?status=NEW").await), (3, 1));
}
