use super::{put_app, put_tenant};
use crate::app::{TestApp, new_session};
use crate::store::{dump, sled_engine};
use futures_util::future::BoxFuture;
use serde_json::json;
use sessiond::store::Engine;
use sessiond::store::memory::MemoryEngine;
use std::sync::Arc;

#[tokio::test]
async fn a_thousand_apps_and_tenants_survive_a_restart() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = TestApp::builder().store(Arc::clone(&store)).build().await;
    for index in 0..1000 {
        let config = if index % 10 == 0 { json!({"access_token_validity": 100 + index}) } else { json!({}) };
        put_app(&app, &format!("a{index}"), config).await.ok();
        put_tenant(&app, "", &format!("t{index}"), json!({})).await.ok();
    }
    put_tenant(&app, "/appid-a10", "t", json!({"passwordless_code_lifetime": 9})).await.ok();
    let lists = |app: TestApp| async move {
        let domains = app.get("/recipe/multitenancy/connectionuridomain/list/v2").await.json();
        (domains, app.context.directory.find("", "a10").unwrap().config.access_token_validity_ms)
    };
    let before = lists(app).await;
    assert_eq!(before.1, 110_000);
    let restarted = TestApp::builder().store(store).build().await;
    let tenant = restarted.context.directory.find("", "a10").unwrap().tenants().pop().unwrap();
    assert_eq!((tenant.id.as_str(), tenant.config.access_token_validity_ms), ("t", 110_000));
    assert_eq!(lists(restarted).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_disk_many_simultaneous_changes_survive_a_restart_and_removals_leave_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let engine = sled_engine(folder.path());
    let app = TestApp::builder().store(Arc::clone(&engine) as Arc<dyn Engine>).build().await;
    let untouched: Vec<_> = dump(&*engine).await.into_keys().collect();
    let each_app = |step: fn(TestApp, usize) -> BoxFuture<'static, ()>| {
        let tasks: Vec<_> = (0..24).map(|index| tokio::spawn(step(app.clone(), index))).collect();
        async move {
            for task in tasks {
                task.await.unwrap();
            }
        }
    };
    each_app(|app, index| {
        Box::pin(async move {
            let name = format!("a{}", index / 2);
            put_app(&app, &name, json!({"access_token_validity": 100 + index / 2})).await.ok();
            put_tenant(&app, &format!("/appid-{name}"), &format!("t{index}"), json!({})).await.ok();
            app.post(&format!("/appid-{name}/t{index}/recipe/session"), new_session("u")).await.ok();
        })
    })
    .await;
    let path = "/recipe/multitenancy/connectionuridomain/list/v2";
    let before = app.get(path).await.ok().json();
    assert_eq!(before["connectionUriDomains"][0]["apps"].as_array().unwrap().len(), 13);
    engine.close().await.unwrap();
    drop((app, engine));

    let engine = sled_engine(folder.path());
    let app = TestApp::builder().store(Arc::clone(&engine) as Arc<dyn Engine>).build().await;
    assert_eq!(app.get(path).await.ok().json(), before);
    assert_eq!(app.context.directory.find("", "a5").unwrap().config.access_token_validity_ms, 105_000);
    for index in 0..24 {
        let path = format!("/appid-a{}/recipe/multitenancy/tenant/remove", index / 2);
        app.post(&path, json!({"tenantId": format!("t{index}")})).await.ok();
    }
    for index in 0..12 {
        app.post("/recipe/multitenancy/app/remove", json!({"appId": format!("a{index}")})).await.ok();
    }
    assert_eq!(dump(&*engine).await.into_keys().collect::<Vec<_>>(), untouched);
    engine.close().await.unwrap();
}
