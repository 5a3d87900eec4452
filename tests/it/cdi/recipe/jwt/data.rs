//! `PUT` and `GET /recipe/jwt/data`.

use crate::app::{TestApp, new_session};
use serde_json::json;

#[tokio::test]
async fn the_whole_payload_is_replaced() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["userDataInJWT"] = json!({"a": 1, "n": null});
    let handle = app.post("/recipe/session", body).await.ok().handle();
    let path = format!("/recipe/jwt/data?sessionHandle={handle}");
    assert_eq!(app.get(&path).await.json(), json!({"status": "OK", "userDataInJWT": {"a": 1, "n": null}}));
    let body = json!({"sessionHandle": handle, "userDataInJWT": {"b": null}});
    assert_eq!(app.put("/recipe/jwt/data", body).await.json(), json!({"status": "OK"}));
    assert_eq!(app.get(&path).await.json()["userDataInJWT"], json!({"b": null}));
}

#[tokio::test]
async fn protected_names_are_those_of_the_callers_version_from_2_21() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    let body = |name: &str| json!({"sessionHandle": handle, "userDataInJWT": {name: 1}});
    for (version, refused, accepted) in [
        ("2.20", None, "sub"),
        ("2.21", Some("sub"), "tId"),
        ("3.1", Some("tId"), "rsub"),
        ("4.0", Some("rsub"), "iss"),
    ] {
        app.put("/recipe/jwt/data", body(accepted)).cdi(version).await.ok();
        if let Some(refused) = refused {
            let reply = app.put("/recipe/jwt/data", body(refused)).cdi(version).await;
            reply.is_text(400, "The user payload contains protected field");
        }
    }
}

#[tokio::test]
async fn a_missing_session_is_unauthorised() {
    let app = TestApp::new().await;
    let unauthorised = json!({"status": "UNAUTHORISED", "message": "Session does not exist."});
    let body = json!({"sessionHandle": "x", "userDataInJWT": {}});
    assert_eq!(app.put("/recipe/jwt/data", body).await.json(), unauthorised);
    assert_eq!(app.get("/recipe/jwt/data?sessionHandle=x").await.json(), unauthorised);
}

#[tokio::test]
async fn fields_are_checked() {
    let app = TestApp::new().await;
    let reply = app.put("/recipe/jwt/data", json!({"userDataInJWT": {}})).await;
    reply.is_text(400, "Field name 'sessionHandle' is invalid in JSON input");
    let reply = app.put("/recipe/jwt/data", json!({"sessionHandle": "x"})).await;
    reply.is_text(400, "Field name 'userDataInJWT' is invalid in JSON input");
    app.get("/recipe/jwt/data").await.is_text(400, "Field name 'sessionHandle' is missing in GET request");
}
