//! `GET /telemetry`.

use crate::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn there_is_none() {
    assert_eq!(TestApp::new().await.get("/telemetry").await.json(), json!({"exists": false}));
}
