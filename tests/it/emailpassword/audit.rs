//! What the audit log tells of accounts.

use crate::app::TestApp;
use crate::people::with_cheap_passwords;
use serde_json::{Value, json};

const HASH: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

/// Kind, user, login and detail of every event, oldest first.
async fn told(app: &TestApp) -> Vec<(String, String, String, String)> {
    let reply = app.get("/audit").await.ok();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or("-").to_owned();
    let mut events: Vec<_> = reply.json()["events"].as_array().unwrap().clone();
    events.reverse();
    let row = |event: &Value| (text(event, "kind"), text(event, "userId"), text(event, "login"), text(event, "detail"));
    events.iter().map(row).collect()
}

#[tokio::test]
async fn sign_ups_sign_ins_refusals_and_changes_are_told_without_secrets() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "a secret").await;
    // A moment apart: events of one moment have no order.
    app.clock.advance(1);
    app.sign_in("jane@x.io", "a secret").await;
    app.clock.advance(1);
    app.sign_in("jane@x.io", "a wrong one").await;
    app.clock.advance(1);
    app.sign_in("joe@x.io", "a secret").await;
    app.clock.advance(1);
    app.put("/recipe/user", json!({"recipeUserId": id, "password": "another secret"})).await.ok();
    app.clock.advance(1);
    app.put("/recipe/user", json!({"recipeUserId": id, "email": "ada@x.io"})).await.ok();
    app.put("/recipe/user", json!({"recipeUserId": id, "email": "ada@x.io"})).await.ok();
    app.clock.advance(1);
    let create = app.post("/recipe/user/password/reset/token", json!({"userId": id, "email": "ada@x.io"})).await.ok();
    app.clock.advance(1);
    let token = create.text_at("/token");
    let reset = json!({"method": "token", "token": token, "newPassword": "a third secret"});
    app.post("/recipe/user/password/reset", reset).await.ok();
    app.clock.advance(1);
    let import = json!({"email": "ada@x.io", "passwordHash": HASH});
    app.post("/recipe/user/passwordhash/import", import).await.ok();
    let events = told(&app).await;
    let expected = [
        ("signed-up", id.as_str(), "j***@x.io", "-"),
        ("signed-in", &id, "j***@x.io", "-"),
        ("sign-in-refused", &id, "j***@x.io", "wrong password"),
        ("sign-in-refused", "-", "j***@x.io", "unknown e-mail address"),
        ("password-changed", &id, "j***@x.io", "-"),
        ("email-changed", &id, "a***@x.io", "-"),
        ("password-reset-requested", &id, "a***@x.io", "-"),
        ("password-changed", &id, "a***@x.io", "reset token"),
        ("password-changed", &id, "a***@x.io", "imported hash"),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(kind, user, login, detail)| (kind.to_owned(), user.to_owned(), login.to_owned(), detail.to_owned()))
        .collect();
    assert_eq!(events, expected);
    let whole = app.get("/audit").await.body();
    for secret in ["secret", token.as_str(), "wrong one", HASH, "jane"] {
        assert!(!whole.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_persons_address_is_told_and_delayed_attempts_are_not() {
    let app = with_cheap_passwords().setting("brute_force_protection", "true").build().await;
    app.sign_up("jane@x.io", "right").await;
    for _ in 0..10 {
        let body = json!({"email": "jane@x.io", "password": "wrong"});
        app.post("/recipe/signin", body).header("x-forwarded-for", "192.0.2.7").await;
    }
    let reply = app.get("/audit").await.ok().json();
    let refused: Vec<_> =
        reply["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "sign-in-refused").collect();
    assert_eq!(refused.len(), 6, "four were refused unseen");
    assert!(refused.iter().all(|event| event["client"] == "192.0.2.7"), "{reply}");
}
