//! `GET /telemetry`.

use crate::app::TestApp;
use serde_json::json;

const PATH: &str = "/telemetry";

/// Nothing is ever sent, so the reply does not depend on the setting.
#[tokio::test]
async fn there_is_none() {
    for disabled in ["true", "false"] {
        let app = TestApp::builder().setting("disable_telemetry", disabled).build().await;
        app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1", "coreConfig": {"disable_telemetry": false}}))
            .await
            .ok();
        for prefix in ["", "/public", "/appid-a1"] {
            for version in ["2.7", "3.1", "5.4", "5.6"] {
                let reply = app.get(&format!("{prefix}{PATH}")).cdi(version).await;
                assert_eq!((reply.code(), reply.json()), (200, json!({"exists": false})), "{prefix} {version}");
            }
        }
    }
}

#[tokio::test]
async fn it_is_of_the_app_and_needs_the_key() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").build().await;
    app.get(PATH).await.is_text(401, "Invalid API key");
    let reply = app.get("/t1/telemetry").key("abcdefghijklmnopqrstuvwxyz").cdi("5.4").await;
    reply.is_text(403, "Only public tenantId can call this app specific API");
    let reply = app.get("/t1/telemetry").key("abcdefghijklmnopqrstuvwxyz").cdi("4.0").await;
    assert_eq!(reply.json(), json!({"exists": false}));
}
