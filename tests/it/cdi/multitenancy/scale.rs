use super::{put_app, put_tenant};
use crate::app::TestApp;
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
        (domains, app.app.directory.find("", "a10").unwrap().config.access_token_validity_ms)
    };
    let before = lists(app).await;
    assert_eq!(before.1, 110_000);
    let restarted = TestApp::builder().store(store).build().await;
    let tenant = restarted.app.directory.find("", "a10").unwrap().tenants().pop().unwrap();
    assert_eq!((tenant.id.as_str(), tenant.config.access_token_validity_ms), ("t", 110_000));
    assert_eq!(lists(restarted).await, before);
}
