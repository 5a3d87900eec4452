//! `/migration/…`: nothing moves.

use crate::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn there_is_no_migration_to_report_on() {
    let app = TestApp::builder().setting("api_keys", "a-key-of-twenty-characters").build().await;
    for path in ["/migration/mode", "/migration/backfill/progress"] {
        app.get(path).await.is_text(401, "Invalid API key");
        for version in ["2.7", "3.0", "4.0", "5.0", "5.4"] {
            let reply = app.get(path).key("a-key-of-twenty-characters").cdi(version).await;
            assert_eq!(reply.json(), json!({"status": "FEATURE_NOT_SUPPORTED_ERROR"}), "{path} {version}");
        }
    }
}
