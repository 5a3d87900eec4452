//! `POST /recipe/signin`.

use super::EVERY_VERSION;
use crate::app::TestApp;
use crate::people::{by_provider, with_cheap_passwords};
use serde_json::{Value, json};

const RIGHT: &str = "a password";

async fn one_user() -> (TestApp, String) {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", RIGHT).await;
    (app, id)
}

fn body(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

#[tokio::test]
async fn the_right_password_opens_the_account_at_every_version() {
    let (app, id) = one_user().await;
    for (number, version) in EVERY_VERSION.into_iter().enumerate() {
        let reply = app.post("/recipe/signin", body(" JANE@x.io", RIGHT)).cdi(version).await.ok().json();
        assert_eq!(reply["user"]["id"], json!(id));
        let since_4_0 = number >= 17;
        assert_eq!(reply.get("recipeUserId").is_some(), since_4_0, "{version}");
        assert_eq!(reply["user"].get("loginMethods").is_some(), since_4_0, "{version}");
        assert_eq!(reply["user"].get("tenantIds").is_some(), number >= 15, "{version}");
        assert_eq!(reply["user"].get("webauthn").is_some(), number >= 21, "{version}");
    }
}

#[tokio::test]
async fn anything_else_is_wrong() {
    let (app, _) = one_user().await;
    app.people([by_provider("p", 1, "other@x.io")]).await;
    for (email, password) in [
        ("jane@x.io", "a passwore"),
        ("jane@x.io", "a password "),
        ("jane@x.io", ""),
        ("joe@x.io", RIGHT),
        ("other@x.io", RIGHT),
        ("", ""),
    ] {
        let reply = app.post("/recipe/signin", body(email, password)).await.json();
        assert_eq!(reply, json!({"status": "WRONG_CREDENTIALS_ERROR"}), "{email}, {password}");
    }
    assert_eq!(app.sign_in(&"x".repeat(100_000), RIGHT).await, "WRONG_CREDENTIALS_ERROR");
    for (body, sentence) in [
        (json!({"password": "p"}), "Field name 'email' is invalid in JSON input"),
        (json!({"email": "a@x.io", "password": null}), "Field name 'password' is invalid in JSON input"),
    ] {
        app.post("/recipe/signin", body).await.is_text(400, sentence);
    }
}

#[tokio::test]
async fn an_account_of_one_tenant_is_none_in_another() {
    let (app, _) = one_user().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let reply = app.post("/t1/recipe/signin", body("jane@x.io", RIGHT)).await.json();
    assert_eq!(reply, json!({"status": "WRONG_CREDENTIALS_ERROR"}));
}

#[tokio::test]
async fn who_is_linked_signs_in_as_the_whole_person() {
    let (app, id) = one_user().await;
    app.people([by_provider("p", 1, "p@x.io")]).await;
    app.group(&["p", &id]).await;
    let reply = app.post("/recipe/signin", body("jane@x.io", RIGHT)).await.ok().json();
    assert_eq!(reply["user"]["id"], "p");
    assert_eq!(reply["user"]["isPrimaryUser"], true);
    assert_eq!(reply["user"]["loginMethods"].as_array().unwrap().len(), 2);
    assert_eq!(reply["recipeUserId"], json!(id));
    let old = app.post("/recipe/signin", body("jane@x.io", RIGHT)).cdi("3.1").await.ok().json();
    assert_eq!(old["user"]["id"], json!(id), "one login method, under its own id");
}

#[tokio::test]
async fn figures_tell_what_sign_ins_come_to() {
    let (app, _) = one_user().await;
    app.sign_in("jane@x.io", RIGHT).await;
    app.sign_in("jane@x.io", "wrong").await;
    app.sign_in("joe@x.io", "wrong").await;
    let text = app.get("/metrics").await.body();
    for line in [
        "sessiond_sign_ins_total{outcome=\"ok\"} 1",
        "sessiond_sign_ins_total{outcome=\"wrong_credentials\"} 2",
        "sessiond_password_hashes_total{family=\"bcrypt\"} 4",
        "sessiond_password_hash_queue{family=\"bcrypt\"} 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn who_guesses_has_to_wait_where_that_was_asked_for() {
    let app = with_cheap_passwords().setting("brute_force_protection", "true").build().await;
    let id = app.sign_up("jane@x.io", RIGHT).await;
    for _ in 0..6 {
        assert_eq!(app.sign_in("jane@x.io", "wrong").await, "WRONG_CREDENTIALS_ERROR");
    }
    let session = app.session(&id).await;
    let refused = app.post("/recipe/signin", body("jane@x.io", RIGHT)).await;
    refused.is_text(429, "Too many failed sign-ins to this account. Try again in 1 seconds");
    assert_eq!(refused.0.retry_after_s, Some(1));
    let refresh =
        json!({"refreshToken": session.refresh_token(), "enableAntiCsrf": false, "useDynamicSigningKey": true});
    app.post("/recipe/session/refresh", refresh).await.ok();
    app.clock.advance(1000);
    assert_eq!(app.sign_in("jane@x.io", RIGHT).await, "OK");
    assert!(app.get("/metrics").await.body().contains("sessiond_sign_ins_total{outcome=\"delayed\"} 1"));
    // Addresses that try many accounts, as the application passes them on.
    for number in 0..51 {
        let attempt = app.post("/recipe/signin", body(&format!("{number}@x.io"), "x"));
        assert_eq!(attempt.header("x-forwarded-for", "192.0.2.1").await.text_at("/status"), "WRONG_CREDENTIALS_ERROR");
    }
    let refused = app.post("/recipe/signin", body("jane@x.io", RIGHT)).header("x-forwarded-for", "192.0.2.1").await;
    refused.is_text(429, "Too many failed sign-ins from this address. Try again in 1 seconds");
    for header in ["192.0.2.2", "192.0.2.1, 192.0.2.1", "unknown"] {
        app.post("/recipe/signin", body("jane@x.io", RIGHT)).header("x-forwarded-for", header).await.ok();
    }
}

#[tokio::test]
async fn when_the_queue_is_full_callers_are_told_at_once() {
    let app = with_cheap_passwords().setting("password_hashing_queue_size", "0").build().await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let app = app.clone();
        running.spawn(async move { app.post("/recipe/signin", body("jane@x.io", RIGHT)).await });
    }
    let replies = running.join_all().await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.code() == 503).collect();
    assert!(!refused.is_empty() && refused.len() < 200, "{}", refused.len());
    let text = "Too many sign-ins at once: the queue for password hashing is full. Try again in 1 seconds";
    refused[0].is_text(503, text);
    assert_eq!(refused[0].0.retry_after_s, Some(1));
}
