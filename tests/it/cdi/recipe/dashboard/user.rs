//! `POST`, `PUT`, `DELETE /recipe/dashboard/user` and `GET /recipe/dashboard/users`.

use super::{PASSWORD, cheap, session, sign_in, user, whose};
use crate::app::{START, TestApp};
use serde_json::{Value, json};

const USER: &str = "/recipe/dashboard/user";

async fn emails(app: &TestApp) -> Vec<String> {
    let reply = app.get("/recipe/dashboard/users").await.ok().json();
    reply["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn users_are_made_and_listed_oldest_first() {
    let app = cheap().build().await;
    let made = app.post(USER, json!({"email": " Eve@X.io ", "password": format!(" {PASSWORD} ")})).await.json();
    let expected = json!({"email": "eve@x.io", "userId": made["user"]["userId"], "timeJoined": START.0});
    assert_eq!(made, json!({"status": "OK", "user": expected}));
    // More than the three that the original allows without a licence.
    for name in ["d", "c", "b", "a"] {
        app.clock.advance(1);
        user(&app, &format!("{name}@x.io")).await;
    }
    let found = emails(&app).await;
    assert_eq!(found, ["eve@x.io", "d@x.io", "c@x.io", "b@x.io", "a@x.io"]);
    let again = app.post(USER, json!({"email": "EVE@x.io", "password": PASSWORD})).await.json();
    assert_eq!(again, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    assert_eq!(emails(&app).await.len(), 5);
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_address() {
    let app = cheap().build().await;
    let make = || async { app.post(USER, json!({"email": "a@x.io", "password": PASSWORD})).await.text_at("/status") };
    let (a, b, c, d) = tokio::join!(make(), make(), make(), make());
    assert_eq!([a, b, c, d].iter().filter(|status| *status == "OK").count(), 1);
    assert_eq!(emails(&app).await.len(), 1);
}

#[tokio::test]
async fn bad_addresses_and_passwords_are_refused_in_this_order() {
    let app = cheap().build().await;
    let id = user(&app, "a@x.io").await;
    let weak = |message: &str| json!({"status": "PASSWORD_WEAK_ERROR", "message": message});
    let short = "Password must contain at least 8 characters, including a number";
    for (email, password, expected) in [
        ("a@x.y", "x", json!({"status": "INVALID_EMAIL_ERROR"})),
        ("b@x.io", "x", weak(short)),
        ("b@x.io", "12345678", weak("Password must contain at least one alphabet")),
        ("b@x.io", "abcdefgh", weak("Password must contain at least one number")),
        ("b@x.io", &"a1".repeat(50), weak("Password's length must be lesser than 100 characters")),
    ] {
        assert_eq!(app.post(USER, json!({"email": email, "password": password})).await.json(), expected);
        for who in [&id, "nobody"] {
            let change = json!({"userId": who, "newEmail": email, "newPassword": password});
            assert_eq!(app.put(USER, change).await.json(), expected, "before it is looked whether there is a user");
        }
    }
    // Later fields of a request are not checked.
    let invalid = json!({"status": "INVALID_EMAIL_ERROR"});
    assert_eq!(app.post(USER, json!({"email": "a@x.y"})).await.json(), invalid);
    assert_eq!(app.put(USER, json!({"newEmail": "a@x.y", "newPassword": 1})).await.json(), invalid);
    assert_eq!(app.put(USER, json!({"newPassword": "x"})).await.json(), weak(short));
    app.post(USER, json!({"email": " ", "password": "x"}))
        .await
        .is_text(400, "Field name 'email' cannot be an empty String");
    app.post(USER, json!({"email": "a@x.io"})).await.is_text(400, "Field name 'password' is invalid in JSON input");
    app.post(USER, json!({"email": format!("{}@x.io", "a".repeat(10_000)), "password": PASSWORD}))
        .await
        .is_text(400, "Field name 'email' cannot be longer than 512 bytes");
}

#[tokio::test]
async fn a_change_signs_the_user_out() {
    let app = cheap().build().await;
    let id = user(&app, "a@x.io").await;
    user(&app, "b@x.io").await;
    let other = session(&app, "b@x.io").await;
    for (change, email, password) in [
        (json!({"userId": id}), "a@x.io", PASSWORD),
        (json!({"email": " A@x.io "}), "a@x.io", PASSWORD),
        // The id wins over the address.
        (json!({"userId": id, "email": "b@x.io", "newEmail": "C@x.io"}), "c@x.io", PASSWORD),
        (json!({"email": "c@x.io", "newEmail": "a@x.io", "newPassword": "another-1"}), "a@x.io", "another-1"),
    ] {
        let before = app.get("/recipe/dashboard/users").await.json()["users"][0]["email"].clone();
        let open = session(&app, before.as_str().unwrap()).await;
        assert_eq!(whose(&app, &open).await, before);
        let changed = app.put(USER, change).await.ok().json();
        assert_eq!(changed["user"], json!({"email": email, "userId": id, "timeJoined": START.0}));
        assert_eq!(whose(&app, &open).await, "INVALID_SESSION_ERROR");
        sign_in(&app, email, password).await.ok();
    }
    assert_eq!(sign_in(&app, "a@x.io", PASSWORD).await.text_at("/status"), "INVALID_CREDENTIALS_ERROR");
    assert_eq!(sign_in(&app, "c@x.io", "another-1").await.text_at("/status"), "INVALID_CREDENTIALS_ERROR");
    assert_eq!(whose(&app, &other).await, "b@x.io");
    // The abandoned address is free.
    user(&app, "c@x.io").await;
}

#[tokio::test]
async fn changes_of_nobody_and_to_somebody_elses_address_are_refused() {
    let app = cheap().build().await;
    let id = user(&app, "a@x.io").await;
    user(&app, "b@x.io").await;
    let open = session(&app, "a@x.io").await;
    let taken = app.put(USER, json!({"userId": id, "newEmail": "b@x.io"})).await.json();
    assert_eq!(taken, json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    assert_eq!(whose(&app, &open).await, "a@x.io", "nothing was done");
    for nobody in [json!({"userId": "x"}), json!({"email": "x@x.io", "newPassword": PASSWORD})] {
        assert_eq!(app.put(USER, nobody).await.json(), json!({"status": "UNKNOWN_USER_ERROR"}));
    }
    let missing = "Either field 'email' or 'userId' must be present";
    app.put(USER, json!({"newEmail": "c@x.io"})).await.is_text(400, missing);
    app.request(http::Method::DELETE, USER).await.is_text(400, missing);
    app.put(USER, json!({"userId": " "})).await.is_text(400, "Field name 'userId' cannot be an empty String");
}

#[tokio::test]
async fn a_deleted_user_is_signed_out_and_gone() {
    let app = cheap().build().await;
    let id = user(&app, "a@x.io").await;
    user(&app, "b@x.io").await;
    let delete = async |query: &str| -> Value {
        app.request(http::Method::DELETE, &format!("{USER}?{query}")).await.ok().json()["didUserExist"].clone()
    };
    for (email, query) in [("a@x.io", format!("userId={id}")), ("b@x.io", "email=%20B@x.io".to_owned())] {
        let open = session(&app, email).await;
        assert_eq!(delete(&query).await, true);
        assert_eq!(delete(&query).await, false);
        assert_eq!(whose(&app, &open).await, "INVALID_SESSION_ERROR");
        assert_eq!(sign_in(&app, email, PASSWORD).await.text_at("/status"), "INVALID_CREDENTIALS_ERROR");
        // A user created later under the same address inherits nothing.
        user(&app, email).await;
        assert_eq!(whose(&app, &open).await, "INVALID_SESSION_ERROR");
    }
}

#[tokio::test]
async fn dashboard_users_are_of_their_app_and_none_of_its_users() {
    let app = cheap().build().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    user(&app, "a@x.io").await;
    let there = app.get("/appid-a1/recipe/dashboard/users").await.ok().json();
    assert_eq!(there["users"], json!([]));
    let path = "/appid-a1/recipe/dashboard/user";
    app.post(path, json!({"email": "a@x.io", "password": PASSWORD})).await.ok();
    assert_eq!(app.get("/users/count").await.ok().json()["count"], 0);
    let signin = app.post("/recipe/signin", json!({"email": "a@x.io", "password": PASSWORD})).await;
    assert_eq!(signin.text_at("/status"), "WRONG_CREDENTIALS_ERROR");
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.get("/t1/recipe/dashboard/users").await.is_text(403, "Only public tenantId can call this app specific API");
    assert_eq!(app.get("/t1/recipe/dashboard/users").cdi("4.0").await.ok().json()["users"][0]["email"], "a@x.io");
}

#[tokio::test]
async fn what_happens_to_users_is_in_the_audit_log() {
    let app = cheap().build().await;
    let id = user(&app, "jane@x.io").await;
    app.put(USER, json!({"userId": id, "newPassword": "another-1"})).await.ok();
    sign_in(&app, "jane@x.io", PASSWORD).await;
    sign_in(&app, "jane@x.io", "another-1").await.ok();
    app.request(http::Method::DELETE, &format!("{USER}?userId={id}")).await.ok();
    sign_in(&app, "jane@x.io", PASSWORD).await;
    let log = app.get("/audit").await.ok().json();
    let events = log["events"].as_array().unwrap();
    let told: Vec<_> = events
        .iter()
        .rev()
        .map(|event| (event["kind"].as_str().unwrap(), event["detail"].as_str(), event["userId"].as_str()))
        .collect();
    let id = Some(id.as_str());
    assert_eq!(
        told,
        [
            ("dashboard-user-created", None, id),
            ("dashboard-user-changed", Some("password"), id),
            ("dashboard-sign-in-refused", Some("wrong password"), id),
            ("dashboard-signed-in", None, id),
            ("dashboard-user-removed", None, id),
            ("dashboard-sign-in-refused", Some("unknown e-mail address"), None),
        ]
    );
    assert!(events.iter().all(|event| event["login"] == "j***@x.io"), "{log}");
}
