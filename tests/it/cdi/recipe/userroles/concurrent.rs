//! Concurrent callers: nothing is lost, nothing is left over.

use super::{assign, permissions_of, put_role, roles_of, roles_with, users_of};
use crate::app::TestApp;
use crate::store::rows_of;
use serde_json::json;
use sessiond::command::userroles::removal::finish_pending;
use sessiond::store::key::KeyReader;
use sessiond::store::userroles::assignment::{RoleUserRecord, UserRoleRecord};
use sessiond::store::userroles::{self, RoleRecord};
use sessiond::store::{Encoding, Key, Keyspace, codec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// An app on the engine that commits in groups.
async fn app() -> (tempfile::TempDir, TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    (folder, app)
}

fn texts<const N: usize>(key: &Key) -> [String; N] {
    let mut parts = KeyReader::new(key);
    std::array::from_fn(|_| parts.text().unwrap())
}

/// Invariants between rows that hold when no removal is in progress.
async fn check(app: &TestApp) {
    let store = &*app.context.store;
    assert_eq!(finish_pending(store).await.unwrap(), 0);
    assert_eq!(userroles::check(store).await.unwrap().described, Vec::<String>::new());
    let mut living = BTreeMap::new();
    let mut permitted = BTreeSet::new();
    for (key, bytes) in rows_of(store, Keyspace::Role).await {
        let [_, _, name] = texts(&key);
        let role = codec::decode::<RoleRecord>(Encoding::Binary, &key, &bytes).unwrap().0;
        permitted.extend(role.permissions.iter().map(|p| (p.as_str().to_owned(), name.clone())));
        living.insert(name, role.incarnation);
    }
    let by_permission = rows_of(store, Keyspace::RoleByPermission).await;
    let by_permission: BTreeSet<_> = by_permission
        .iter()
        .map(|(key, _)| {
            let [_, _, permission, role] = texts(key);
            (permission, role)
        })
        .collect();
    assert_eq!(by_permission, permitted);
    let mut by_user = BTreeSet::new();
    for (key, bytes) in rows_of(store, Keyspace::UserRole).await {
        let [_, _, user, tenant, role] = texts(&key);
        let record: UserRoleRecord = codec::decode(Encoding::Binary, &key, &bytes).unwrap();
        assert_eq!(living.get(&role), Some(&record.incarnation), "{user} has a role that no longer exists");
        by_user.insert((user, tenant, role));
    }
    let mut by_role = BTreeSet::new();
    for (key, bytes) in rows_of(store, Keyspace::RoleUser).await {
        let [_, _, tenant, role, user] = texts(&key);
        let record: RoleUserRecord = codec::decode(Encoding::Binary, &key, &bytes).unwrap();
        assert_eq!(living.get(&role), Some(&record.incarnation));
        by_role.insert((user, tenant, role));
    }
    assert_eq!(by_user, by_role);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn permissions_added_and_withdrawn_at_the_same_time_all_count() {
    let (_folder, app) = app().await;
    let old: Vec<_> = (0..40).map(|n| format!("old{n:02}")).collect();
    put_role(&app, "admin", &old.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let tasks: Vec<_> = (0..40)
        .flat_map(|n| {
            let (adding, removing) = (app.clone(), app.clone());
            [
                tokio::spawn(async move {
                    put_role(&adding, "admin", &[&format!("new{n:02}")]).await;
                }),
                tokio::spawn(async move {
                    let body = json!({"role": "admin", "permissions": [format!("old{n:02}")]});
                    removing.post("/recipe/role/permissions/remove", body).await.ok();
                }),
            ]
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let new: Vec<_> = (0..40).map(|n| format!("new{n:02}")).collect();
    assert_eq!(permissions_of(&app, "admin").await, new);
    assert!(roles_with(&app, "old07").await.is_empty());
    assert_eq!(roles_with(&app, "new07").await, ["admin"]);
    check(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_creators_creates() {
    let (_folder, app) = app().await;
    let tasks: Vec<_> = (0..24)
        .map(|n| {
            let app = app.clone();
            tokio::spawn(async move {
                let reply = put_role(&app, "admin", &[&format!("p{n:02}")]).await.json();
                assign(&app, "", &format!("u{n:02}"), "admin").await.ok();
                reply["createdNewRole"] == true
            })
        })
        .collect();
    let mut creators = 0;
    for task in tasks {
        creators += usize::from(task.await.unwrap());
    }
    assert_eq!(creators, 1);
    assert_eq!(permissions_of(&app, "admin").await.len(), 24);
    assert_eq!(users_of(&app, "", "admin").await.len(), 24);
    check(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_is_given_many_roles_at_once() {
    let (_folder, app) = app().await;
    let roles: Vec<_> = (0..24).map(|n| format!("role{n:02}")).collect();
    for role in &roles {
        put_role(&app, role, &[]).await;
    }
    let tasks: Vec<_> = roles
        .iter()
        .cloned()
        .map(|role| {
            let app = app.clone();
            tokio::spawn(async move { assign(&app, "", "u", &role).await.ok() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(roles_of(&app, "", "u").await, roles);
    check(&app).await;
}

/// A role is created and removed repeatedly while users are given it. In the end it is gone, and no row names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removal_beside_assignments_leaves_no_orphan() {
    let (_folder, app) = app().await;
    let over = Arc::new(AtomicBool::new(false));
    let met = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let mut tasks = Vec::new();
    for worker in 0..6 {
        let (app, over, met) = (app.clone(), Arc::clone(&over), Arc::clone(&met));
        tasks.push(tokio::spawn(async move {
            let mut given = 0;
            while !over.load(Ordering::SeqCst) {
                let reply = assign(&app, "", &format!("u{worker}-{given}"), "admin").await.json();
                let outcome = match reply["status"].as_str() {
                    Some("OK") => 0,
                    Some("UNKNOWN_ROLE_ERROR") => 1,
                    _ => panic!("{reply}"),
                };
                given += 1 - outcome;
                met[outcome].fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }));
    }
    // Each round lasts until the workers have seen the role and then its absence, however busy the machine is.
    let meets = async |outcome: usize| {
        let before = met[outcome].load(Ordering::SeqCst);
        while met[outcome].load(Ordering::SeqCst) == before {
            tokio::task::yield_now().await;
        }
    };
    for _ in 0..25 {
        put_role(&app, "admin", &["read"]).await;
        assign(&app, "", "u", "admin").await.ok();
        meets(0).await;
        app.post("/recipe/role/remove", json!({"role": "admin"})).await.ok();
        assert!(roles_of(&app, "", "u").await.is_empty());
        meets(1).await;
    }
    over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    check(&app).await;
    assert!(rows_of(&*app.context.store, Keyspace::UserRole).await.is_empty());
    assert!(userroles::removal::pending(app.context.store.begin().as_mut(), 1).await.unwrap().is_empty());
}
