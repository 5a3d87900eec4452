//! `POST /recipe/user/metadata/bulk`.

use super::update;
use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

async fn bulk(app: &TestApp, ids: Value) -> TestReply {
    app.post("/recipe/user/metadata/bulk", json!({"userIds": ids})).await
}

#[tokio::test]
async fn users_are_listed_in_the_order_of_the_request() {
    let app = TestApp::new().await;
    update(&app, "a", json!({"n": null, "x": {"y": null}})).await.ok();
    update(&app, "empty", json!({"gone": 1})).await.ok();
    update(&app, "empty", json!({"gone": null})).await.ok();
    let reply = bulk(&app, json!(["never", "empty", "a", "a"])).await.ok();
    let expected = json!({"status": "OK", "users": [
        {"userId": "never", "metadata": null},
        {"userId": "empty", "metadata": {}},
        {"userId": "a", "metadata": {"x": {"y": null}}},
        {"userId": "a", "metadata": {"x": {"y": null}}},
    ]});
    assert_eq!(reply.json(), expected);
    assert_eq!(bulk(&app, json!([])).await.json(), json!({"status": "OK", "users": []}));
}

#[tokio::test]
async fn bad_input_is_refused() {
    let app = TestApp::new().await;
    let ids: Vec<_> = (0..501).map(|n| n.to_string()).collect();
    assert_eq!(bulk(&app, json!(ids[1..])).await.ok().json()["users"].as_array().unwrap().len(), 500);
    bulk(&app, json!(ids)).await.is_text(400, "You can only query up to 500 users at a time.");
    bulk(&app, json!(["a", 1])).await.is_text(400, "userIds array must contain only strings");
    bulk(&app, json!(["a", null])).await.is_text(400, "userIds array must contain only strings");
    bulk(&app, json!(["a", ["b"]])).await.is_text(400, "userIds array must contain only strings");
    let invalid = "Field name 'userIds' is invalid in JSON input";
    for wrong in [json!(null), json!("a"), json!({}), json!(1)] {
        bulk(&app, wrong).await.is_text(400, invalid);
    }
    app.post("/recipe/user/metadata/bulk", json!({"userId": ["a"]})).await.is_text(400, invalid);
    app.post("/recipe/user/metadata/bulk", json!(["a"])).await.is_text(400, "Invalid Json Input");
}
