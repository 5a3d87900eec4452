//! `/recipe/user/metadata…`.

mod bulk;
mod concurrent;
mod single;

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

/// Merges an object into a user's metadata.
async fn update(app: &TestApp, user: &str, update: Value) -> TestReply {
    app.put("/recipe/user/metadata", json!({"userId": user, "metadataUpdate": update})).await
}

/// A user's metadata.
async fn show(app: &TestApp, user: &str) -> Value {
    let user: String = form_urlencoded::byte_serialize(user.as_bytes()).collect();
    let mut json = app.get(&format!("/recipe/user/metadata?userId={user}")).await.ok().json();
    assert_eq!(json.as_object().unwrap().len(), 2, "{json}");
    json["metadata"].take()
}

async fn remove(app: &TestApp, user: &str) {
    let reply = app.post("/recipe/user/metadata/remove", json!({"userId": user})).await;
    assert_eq!(reply.json(), json!({"status": "OK"}));
}
