//! `/ee/license`.

use crate::app::TestApp;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_licence_is_accepted_and_not_kept() {
    let app = TestApp::new().await;
    app.put("/ee/license", json!({"licenseKey": "any"})).await.ok();
    app.put("/ee/license", json!({})).await.ok();
    assert_eq!(app.get("/ee/license").await.json(), json!({"status": "NO_LICENSE_KEY_FOUND_ERROR"}));
    app.request(Method::DELETE, "/ee/license").await.ok();
}

#[tokio::test]
async fn a_body_without_the_key_must_be_empty() {
    let app = TestApp::new().await;
    app.request(Method::PUT, "/ee/license").await.is_text(400, "Invalid Json Input");
    let with_more = json!({"licenseKey": "any", "other": 1});
    app.put("/ee/license", with_more).await.ok();
    let reply = app.put("/ee/license", json!({"other": 1})).await;
    reply.is_text(400, "Field name 'licenseKey' is missing in JSON input");
    let reply = app.put("/ee/license", json!({"licenseKey": 1})).await;
    reply.is_text(400, "Field name 'licenseKey' is invalid in JSON input");
}
