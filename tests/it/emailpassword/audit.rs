//! What the audit log records about accounts.

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
    // At different times, because events with the same time have no order.
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

/// Details of the refusals, oldest first, of one user or of all.
async fn refusals(app: &TestApp, query: &str) -> Vec<String> {
    let reply = app.get(&format!("/audit?kind=sign-in-refused{query}")).await.ok().json();
    let details = reply["events"].as_array().unwrap().iter().map(|event| event["detail"].as_str().unwrap().to_owned());
    details.rev().collect()
}

/// An app that delays guesses, and whose callers pass on people's addresses.
async fn delaying() -> TestApp {
    let app = with_cheap_passwords().setting("brute_force_protection", "true");
    app.setting("trusted_proxies", "127.0.0.1").setting("brute_force_address_header", "x-person").build().await
}

#[tokio::test]
async fn each_delay_is_told_once_with_the_persons_address() {
    let app = delaying().await;
    let id = app.sign_up("jane@x.io", "right").await;
    let body = json!({"email": "jane@x.io", "password": "wrong"});
    let attempt = async || {
        // At different times, because events with the same time have no order.
        app.clock.advance(1);
        app.post("/recipe/signin", body.clone()).header("x-person", "192.0.2.7").await.code()
    };
    let (wrong, delayed) = ("wrong password", "too many failed sign-ins to this account");
    for _ in 0..30 {
        attempt().await;
    }
    let mut expected = [[wrong; 6].as_slice(), &[delayed]].concat();
    assert_eq!(refusals(&app, "").await, expected, "24 were refused unseen, for one delay");
    app.clock.advance(1000);
    let codes = [attempt().await, attempt().await, attempt().await];
    assert_eq!(codes, [200, 429, 429]);
    expected.extend([wrong, delayed]);
    assert_eq!(refusals(&app, &format!("&userId={id}")).await, expected, "another delay, of an account that is known");
    let reply = app.get("/audit?kind=sign-in-refused").await.ok().json();
    assert!(reply["events"].as_array().unwrap().iter().all(|event| event["client"] == "192.0.2.7"), "{reply}");
}

#[tokio::test]
async fn the_delay_of_an_address_is_told_once_whatever_accounts_it_is_after() {
    let app = delaying().await;
    for number in 0..200 {
        let body = json!({"email": format!("{number}@x.io"), "password": "wrong"});
        app.post("/recipe/signin", body).header("x-person", "192.0.2.7").await;
    }
    let told = refusals(&app, "&limit=500").await;
    assert_eq!(told.iter().filter(|detail| *detail == "unknown e-mail address").count(), 51);
    assert_eq!(told.iter().filter(|detail| *detail == "too many failed sign-ins from this address").count(), 1);
    assert_eq!(told.len(), 52);
}

#[tokio::test]
async fn a_full_queue_is_told_once_per_account_and_once_for_all_that_are_none() {
    let app = with_cheap_passwords().setting("password_hashing_queue_size", "0").build().await;
    let id = app.sign_up("jane@x.io", "right").await;
    let running = app.busy_with_bcrypt(14).await;
    for number in 0..10 {
        for email in ["jane@x.io".to_owned(), format!("{number}@x.io")] {
            let body = json!({"email": email, "password": "right"});
            assert_eq!(app.post("/recipe/signin", body).await.code(), 503);
        }
    }
    drop(running);
    let full = "too many sign-ins at once";
    assert_eq!(refusals(&app, "").await, [full; 2]);
    assert_eq!(refusals(&app, &format!("&userId={id}")).await, [full]);
}
