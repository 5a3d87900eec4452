//! `POST /recipe/userid/map/remove`.

use super::{mapping, unknown};
use crate::app::TestApp;
use crate::people::{by_password, mapped};
use serde_json::{Value, json};

const PATH: &str = "/recipe/userid/map/remove";

async fn remove(app: &TestApp, body: Value) -> Value {
    app.post(PATH, body).await.json()
}

fn existed(existed: bool) -> Value {
    json!({"status": "OK", "didMappingExist": existed})
}

#[tokio::test]
async fn it_removes_by_either_id() {
    for (id, id_type) in [("a", "ANY"), ("mine", "ANY"), ("a", "SUPERTOKENS"), ("mine", "EXTERNAL")] {
        let app = TestApp::new().await;
        app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
        let body = json!({"userId": id, "userIdType": id_type});
        assert_eq!(remove(&app, body.clone()).await, existed(true));
        assert_eq!(remove(&app, body).await, existed(false));
        assert_eq!(mapping(&app, "userId=a").await, unknown());
        assert_eq!(app.who_is("a").await["id"], "a");
    }
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    for (id, id_type) in [("a", "EXTERNAL"), ("mine", "SUPERTOKENS"), ("x", "ANY")] {
        assert_eq!(remove(&app, json!({"userId": id, "userIdType": id_type})).await, existed(false));
    }
}

#[tokio::test]
async fn an_external_id_in_use_is_kept_unless_forced() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    app.session("mine").await;
    for id in ["a", "mine"] {
        app.post(PATH, json!({"userId": id})).await.is_text(400, "UserId is already in use in Session recipe");
    }
    assert_eq!(remove(&app, json!({"userId": "a", "force": true})).await, existed(true));
}

#[tokio::test]
async fn what_stands_under_an_id_that_is_internal_too_is_no_obstacle() {
    let app = TestApp::new().await;
    app.people([by_password("b", 1, "b@x.io"), mapped("b", by_password("a", 1, "a@x.io"))]).await;
    app.session("b").await;
    assert_eq!(remove(&app, json!({"userId": "a"})).await, existed(true));
}

#[tokio::test]
async fn bad_fields_are_refused() {
    let app = TestApp::new().await;
    app.post(PATH, json!({"userId": ""})).await.is_text(400, "Field name 'userId' cannot be an empty String");
    app.post(PATH, json!({"userId": "a", "userIdType": "BOTH"}))
        .await
        .is_text(400, "Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'");
    app.post(PATH, json!({"userId": "a", "force": 1}))
        .await
        .is_text(400, "Field name 'force' is invalid in JSON input");
}
