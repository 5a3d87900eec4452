//! `GET /recipe/role/permissions`, `POST /recipe/role/permissions/remove` and `GET /recipe/permission/roles`.

use super::{is_unknown, permissions_of, put_role, roles_with, says};
use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

const REMOVE: &str = "/recipe/role/permissions/remove";

async fn remove(app: &TestApp, permissions: Value) -> TestReply {
    app.post(REMOVE, json!({"role": "admin", "permissions": permissions})).await
}

#[tokio::test]
async fn permissions_are_taken_away_one_by_one_or_all() {
    let app = TestApp::new().await;
    put_role(&app, "admin", &["a", "b", "c", "d"]).await;
    put_role(&app, "other", &["a", "b"]).await;
    assert_eq!(remove(&app, json!([])).await.json(), json!({"status": "OK"}));
    assert_eq!(permissions_of(&app, "admin").await, ["a", "b", "c", "d"]);
    remove(&app, json!(["b", " a ", "never", "b"])).await.ok();
    assert_eq!(permissions_of(&app, "admin").await, ["c", "d"]);
    assert_eq!(roles_with(&app, "a").await, ["other"]);
    app.post(REMOVE, json!({"role": " admin "})).await.ok();
    assert!(permissions_of(&app, "admin").await.is_empty());
    assert!(roles_with(&app, "c").await.is_empty());
    assert_eq!(permissions_of(&app, "other").await, ["a", "b"]);
    put_role(&app, "admin", &["a"]).await;
    assert_eq!(roles_with(&app, "a").await, ["admin", "other"]);
}

#[tokio::test]
async fn permissions_are_looked_up_by_their_whole_text() {
    let app = TestApp::new().await;
    put_role(&app, "one", &["read", "re\0ad"]).await;
    put_role(&app, "two", &["re"]).await;
    assert_eq!(roles_with(&app, "read").await, ["one"]);
    assert_eq!(roles_with(&app, "re").await, ["two"]);
    assert_eq!(roles_with(&app, "%20re%00ad%20").await, ["one"]);
    assert!(roles_with(&app, "r").await.is_empty());
    says(&app.post("/recipe/role/remove", json!({"role": "one"})).await, "didRoleExist", true);
    assert!(roles_with(&app, "read").await.is_empty());
}

#[tokio::test]
async fn unknown_roles_and_bad_input_are_told_apart() {
    let app = TestApp::new().await;
    is_unknown(&app.get("/recipe/role/permissions?role=admin").await);
    is_unknown(&remove(&app, json!(["a"])).await);
    is_unknown(&app.post(REMOVE, json!({"role": "admin"})).await);
    put_role(&app, "admin", &["a"]).await;
    remove(&app, Value::Null).await.is_text(400, "Field name 'permissions' is invalid in JSON input");
    remove(&app, json!([1])).await.is_text(400, "Field name 'permissions' is invalid in JSON input");
    remove(&app, json!(["a", ""])).await.is_text(400, "Field name 'permissions' cannot contain an empty string");
    app.post(REMOVE, json!({})).await.is_text(400, "Field name 'role' is invalid in JSON input");
    app.post(REMOVE, json!({"role": ""})).await.is_text(400, "Field name 'role' cannot be an empty String");
    let long = "r".repeat(256);
    for (path, field) in [("role/permissions", "role"), ("permission/roles", "permission"), ("role/users", "role")] {
        let missing = format!("Field name '{field}' is missing in GET request");
        app.get(&format!("/recipe/{path}")).await.is_text(400, &missing);
        let empty = format!("Field name '{field}' cannot be an empty String");
        app.get(&format!("/recipe/{path}?{field}=%20")).await.is_text(400, &empty);
        let too_long = format!("Field name '{field}' cannot be longer than 255 bytes");
        app.get(&format!("/recipe/{path}?{field}={long}")).await.is_text(400, &too_long);
    }
    assert_eq!(permissions_of(&app, "admin").await, ["a"]);
}
