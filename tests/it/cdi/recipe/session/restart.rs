//! Sessions across a restart of the server.

use super::{is_status, refresh, verify, verify_in_database};
use crate::app::{START, TestApp};
use serde_json::json;

#[tokio::test]
async fn sessions_keys_and_tenants_outlive_the_server() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let kept = app.post("/t1/recipe/session", crate::app::new_session("u")).await.ok();
    let rotated = refresh(&app, "5.6", &app.session("u").await.refresh_token()).await.ok();
    let revoked = app.session("u").await;
    app.post("/recipe/session/remove", json!({"sessionHandles": [revoked.handle()]})).await.ok();
    let keys = app.get("/.well-known/jwks.json").await.json();
    app.context.store.close().await.expect("a clean stop");
    drop(app);

    // different randomness: nothing may depend on the stream
    let app = TestApp::builder().seed(2).on_disk(folder.path()).build().await;
    app.clock.set(START.plus(60_000));
    assert_eq!(app.get("/.well-known/jwks.json").await.json(), keys);
    for session in [&kept, &rotated] {
        is_status(&verify(&app, "5.6", &session.access_token()).await, "OK", None);
        is_status(&verify_in_database(&app, "5.6", &session.access_token()).await, "OK", None);
        is_status(&refresh(&app, "5.6", &session.refresh_token()).await, "OK", None);
    }
    is_status(&verify_in_database(&app, "5.6", &revoked.access_token()).await, "UNAUTHORISED", None);
    is_status(&refresh(&app, "5.6", &revoked.refresh_token()).await, "UNAUTHORISED", None);
    let timeline = app.get(&format!("/recipe/session/timeline?sessionHandle={}", revoked.handle())).await.ok();
    assert_eq!(timeline.json()["timeEnded"], START.0);
    let metrics = app.get("/metrics").await.body();
    assert!(metrics.contains("sessiond_commit_groups_total "), "{metrics}");
    app.context.store.close().await.expect("a clean stop");
}
