//! `PUT` and `GET /recipe/session/data`.

use super::is_status;
use crate::app::{TestApp, new_session};
use serde_json::json;

#[tokio::test]
async fn the_whole_object_is_replaced() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["userDataInDatabase"] = json!({"a": 1, "b": {"c": null}});
    let handle = app.post("/recipe/session", body).await.ok().handle();
    let path = format!("/recipe/session/data?sessionHandle={handle}");
    let reply = app.get(&path).await.json();
    assert_eq!(reply, json!({"status": "OK", "userDataInDatabase": {"a": 1, "b": {"c": null}}}));
    let body = json!({"sessionHandle": handle, "userDataInDatabase": {"d": null}});
    assert_eq!(app.put("/recipe/session/data", body).await.json(), json!({"status": "OK"}));
    assert_eq!(app.get(&path).await.json()["userDataInDatabase"], json!({"d": null}));
}

#[tokio::test]
async fn a_missing_or_expired_session_is_unauthorised() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    app.clock.advance(144_000 * 60_000);
    for handle in [handle.as_str(), "x"] {
        let body = json!({"sessionHandle": handle, "userDataInDatabase": {}});
        let message = Some("Session does not exist.");
        is_status(&app.put("/recipe/session/data", body).await, "UNAUTHORISED", message);
        let path = format!("/recipe/session/data?sessionHandle={handle}");
        is_status(&app.get(&path).await, "UNAUTHORISED", message);
    }
}

#[tokio::test]
async fn fields_are_checked() {
    let app = TestApp::new().await;
    let sentence = |field: &str| format!("Field name '{field}' is invalid in JSON input");
    app.put("/recipe/session/data", json!({})).await.is_text(400, &sentence("sessionHandle"));
    for wrong in [json!(null), json!([]), json!("{}")] {
        let body = json!({"sessionHandle": "x", "userDataInDatabase": wrong});
        app.put("/recipe/session/data", body).await.is_text(400, &sentence("userDataInDatabase"));
    }
}
