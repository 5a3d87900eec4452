//! `GET /recipe/session`.

use super::is_status;
use crate::app::{START, TestApp, new_session};
use serde_json::json;

#[tokio::test]
async fn it_has_the_members_of_its_version() {
    let app = TestApp::new().await;
    let mut body = new_session("u");
    body["userDataInJWT"] = json!({"a": 1});
    body["userDataInDatabase"] = json!({"b": null});
    let handle = app.post("/recipe/session", body).await.ok().handle();
    let path = format!("/recipe/session?sessionHandle={handle}");
    let mut expected = json!({
        "status": "OK", "sessionHandle": handle, "userId": "u", "userDataInDatabase": {"b": null},
        "userDataInJWT": {"a": 1}, "expiry": START.0 + 144_000 * 60_000, "timeCreated": START.0,
    });
    assert_eq!(app.get(&path).cdi("2.21").await.json(), expected);
    expected["tenantId"] = "public".into();
    assert_eq!(app.get(&path).cdi("3.0").await.json(), expected);
    expected["recipeUserId"] = "u".into();
    assert_eq!(app.get(&path).cdi("4.0").await.json(), expected);
}

#[tokio::test]
async fn an_unknown_or_odd_handle_is_unauthorised() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    for odd in [
        "",
        "x",
        "00000000-0000-4000-8000-000000000000",
        &handle.to_uppercase(),
        &handle.replace('-', ""),
        &handle[1..],
    ] {
        let reply = app.get(&format!("/recipe/session?sessionHandle={odd}")).await;
        is_status(&reply, "UNAUTHORISED", Some("Session does not exist."));
    }
    app.get("/recipe/session").await.is_text(400, "Field name 'sessionHandle' is missing in GET request");
}

#[tokio::test]
async fn an_expired_session_is_invisible() {
    let app = TestApp::new().await;
    let path = format!("/recipe/session?sessionHandle={}", app.session("u").await.handle());
    app.clock.advance(144_000 * 60_000 - 1);
    app.get(&path).await.ok();
    app.clock.advance(1);
    is_status(&app.get(&path).await, "UNAUTHORISED", Some("Session does not exist."));
}

#[tokio::test]
async fn a_handle_of_an_unknown_tenant_is_a_bad_request() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    app.get(&format!("/recipe/session?sessionHandle={handle}_none")).await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, none)",
    );
}

#[tokio::test]
async fn a_handle_is_not_repeated_as_html() {
    let app = TestApp::new().await;
    for path in ["/recipe/session", "/recipe/session/data", "/recipe/jwt/data", "/recipe/session/timeline"] {
        let reply = app.get(&format!("{path}?sessionHandle=x_%3Cscript%3E%26lt;")).await;
        let end = "not found: (, public, &lt;script>&lt;)\n";
        assert!(reply.code() == 400 && reply.body().ends_with(end), "{path}: {}", reply.body());
    }
}
