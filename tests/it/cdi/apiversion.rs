//! `GET /apiversion`.

use crate::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn it_lists_every_supported_version() {
    let reply = TestApp::new().await.get("/apiversion?apiDomain=https://a&websiteDomain=https://w").await;
    assert_eq!(
        reply.json(),
        json!({"versions": [
            "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19", "2.20",
            "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6"
        ]})
    );
}

#[tokio::test]
async fn the_apps_maximum_shortens_the_list_and_its_minimum_does_not() {
    let app = TestApp::builder()
        .setting("supertokens_max_cdi_version", "2.9")
        .setting("supertokens_min_cdi_version", "2.8")
        .build()
        .await;
    assert_eq!(app.get("/apiversion").await.json(), json!({"versions": ["2.7", "2.8", "2.9"]}));
}
