//! Lists of users as stored before their ids became short: a server converts them before it serves.

use super::{dump, rows_of};
use crate::app::TestApp;
use crate::people::{by_password, by_provider};
use serde_json::{Value, json};
use sessiond::command::tenancy::transfer::{ExportApp, ImportApp};
use sessiond::domain::ids::AppId;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::user::listing::v1;
use sessiond::store::{Engine, Key, Keyspace, codec, user};
use std::sync::Arc;

async fn over(store: &Arc<dyn Engine>) -> TestApp {
    TestApp::builder().store(Arc::clone(store)).build().await
}

/// Puts list entries where they used to be stored.
async fn put_back(store: &dyn Engine, entries: impl Iterator<Item = Key>) {
    let mut tx = store.begin();
    for key in entries {
        codec::put_marker(tx.as_mut(), v1::former(&key).expect("an entry of a list"));
        tx.delete(key);
    }
    tx.commit().await.unwrap();
}

async fn entries(store: &dyn Engine) -> Vec<Key> {
    rows_of(store, Keyspace::UserListing).await.into_iter().map(|(key, _)| key).collect()
}

/// Every user of the public tenant, page by page.
async fn listed(app: &TestApp, prefix: &str) -> Vec<Value> {
    let mut users = Vec::new();
    let mut token = String::new();
    loop {
        let page = app.get(&format!("{prefix}/users?limit=500&timeJoinedOrder=ASC{token}")).await.ok().json();
        users.extend(page["users"].as_array().unwrap().iter().map(|user| user["id"].clone()));
        let Some(next) = page["nextPaginationToken"].as_str() else { return users };
        token = format!("&paginationToken={}", next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    }
}

#[tokio::test]
async fn a_start_moves_what_stands_in_old_lists_also_after_half_of_it() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    app.people([by_password("a", 5, "a@x.io"), by_provider("not-a-uuid", 5, "b@x.io")]).await;
    // More than one transaction can convert.
    for n in 0..1100_u64 {
        let id = format!("01a22445-0b1f-7009-a8e9-{n:012x}");
        app.people([by_password(&id, n / 3, &format!("{n}@x.io"))]).await;
    }
    let all = entries(&*store).await;
    let shown = listed(&app, "").await;
    // Lists of that version stored nothing under their keys.
    let mut tx = store.begin();
    all.iter().for_each(|key| codec::put_marker(tx.as_mut(), key.clone()));
    tx.commit().await.unwrap();
    let (before, rows) = (listed(&app, "").await, dump(&*store).await);
    assert_eq!((before.len(), before == shown), (1102, true));
    for kept in [0, 40] {
        put_back(&*store, all.iter().skip(kept).cloned()).await;
        assert_eq!(entries(&*store).await.len(), kept);
        let found = user::check(&*store).await.unwrap();
        assert_eq!((found.broken, found.described.len()), (0, 0), "a folder that no server has opened since is sound");
        let app = over(&store).await;
        assert_eq!((listed(&app, "").await, dump(&*store).await == rows), (before.clone(), true));
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_stays_and_keeps_no_server_from_starting() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = over(&store).await;
    app.people([by_password("a", 5, "a@x.io")]).await;
    let all = entries(&*store).await;
    put_back(&*store, all.into_iter()).await;
    let odd = Key::of_app(Keyspace::UserListingV1, &AppId::base()).text("public").raw(&[1, 2, 3]);
    let mut tx = store.begin();
    codec::put_marker(tx.as_mut(), odd.clone());
    tx.commit().await.unwrap();
    let app = over(&store).await;
    assert_eq!(listed(&app, "").await, [json!("a")]);
    assert_eq!(rows_of(&*store, Keyspace::UserListingV1).await, [(odd, Vec::new())]);
}

#[tokio::test]
async fn an_archive_with_old_lists_arrives_with_present_ones() {
    let (here, there): (Arc<dyn Engine>, Arc<dyn Engine>) =
        (Arc::new(MemoryEngine::new()), Arc::new(MemoryEngine::new()));
    let app = over(&here).await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    for email in ["a@x.io", "b@x.io"] {
        let account = json!({"email": email, "password": "correct horse"});
        app.post("/appid-a1/recipe/signup", account).await.ok();
    }
    let before = listed(&app, "/appid-a1").await;
    put_back(&*here, entries(&*here).await.into_iter()).await;
    let folder = tempfile::TempDir::new().unwrap();
    let to = folder.path().join("a1.archive");
    let id = AppId { connection_uri_domain: String::new(), app_id: "a1".to_owned() };
    let export = ExportApp { app: id, to: to.clone(), key: None, plain: false };
    export.run(&app.context, Arc::new(|_, _, _| ())).await.unwrap();
    let app = over(&there).await;
    let import = ImportApp { from: to, as_id: Some("moved".to_owned()), domain: None, key: None, served: true };
    import.run(&app.context, Arc::new(|_, _, _| ())).await.unwrap();
    assert_eq!((listed(&app, "/appid-moved").await, before.len()), (before, 2));
    assert_eq!(rows_of(&*there, Keyspace::UserListingV1).await, []);
}
