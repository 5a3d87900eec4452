//! Updates at the same time: each of them counts.

use super::{remove, show, update};
use crate::app::TestApp;
use serde_json::{Map, Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn updates_of_different_members_all_survive() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let app = app.clone();
            tokio::spawn(async move {
                let reply = update(&app, "u", json!({format!("m{n:02}"): n})).await.ok().json();
                assert_eq!(reply["metadata"][format!("m{n:02}")], n, "an update sees itself");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected: Map<String, Value> = (0..64).map(|n| (format!("m{n:02}"), json!(n))).collect();
    assert_eq!(show(&app, "u").await, Value::Object(expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removal_falls_before_or_after_an_update() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    for round in 0..20 {
        update(&app, "u", json!({"old": 1})).await.ok();
        let (updating, removing) = (app.clone(), app.clone());
        let updated = tokio::spawn(async move { update(&updating, "u", json!({"new": round})).await.ok().json() });
        let removed = tokio::spawn(async move { remove(&removing, "u").await });
        let updated = updated.await.unwrap()["metadata"].clone();
        removed.await.unwrap();
        let left = show(&app, "u").await;
        let both = json!({"old": 1, "new": round});
        let possible = if updated == both { json!({}) } else { json!({"new": round}) };
        assert_eq!(left, possible, "after {updated}");
        remove(&app, "u").await;
    }
}
