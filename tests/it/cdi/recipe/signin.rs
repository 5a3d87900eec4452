//! `POST /recipe/signin`.

use super::EVERY_VERSION;
use crate::app::{START, TestApp};
use crate::people::{FIREBASE, SIGNER_KEY, by_password, by_provider, mapped, with_cheap_passwords, within};
use crate::refused::post;
use crate::store::rows_of;
use serde_json::{Value, json};
use sessiond::domain::ids::{AppId, UserId};
use sessiond::store::{Keyspace, activity};

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
    app.people([by_password("m", 1, "malformed@x.io")]).await;
    for password in ["hash", "$2a$04$hash", ""] {
        assert_eq!(app.sign_in("malformed@x.io", password).await, "WRONG_CREDENTIALS_ERROR", "a hash of no format");
    }
}

#[tokio::test]
async fn both_fields_are_wanted() {
    let (app, _) = one_user().await;
    for version in ["2.7", "3.1", "5.6"] {
        let good = post("/recipe/signin", version, body("jane@x.io", RIGHT));
        app.wants_texts(&good, &["email", "password"]).await;
        let first = "Field name 'email' is invalid in JSON input";
        app.refuses_each(&good, &[(json!({"email": null, "password": null}), first)]).await;
    }
}

#[tokio::test]
async fn a_firebase_hash_without_its_projects_key_is_nobodys_fault_but_ours() {
    let with_key = with_cheap_passwords().setting("firebase_password_hashing_signer_key", SIGNER_KEY).build().await;
    let import = json!({"email": "jane@x.io", "passwordHash": FIREBASE});
    with_key.post("/recipe/user/passwordhash/import", import).await.ok();
    let without = with_cheap_passwords().store(with_key.context.store.clone()).build().await;
    for password in ["user1password", "wrong"] {
        let reply = without.post("/recipe/signin", body("jane@x.io", password)).await;
        reply.is_text(500, "'firebase_password_hashing_signer_key' cannot be null");
    }
    assert_eq!(with_key.sign_in("jane@x.io", "user1password").await, "OK");
}

#[tokio::test]
async fn an_account_of_one_tenant_is_none_in_another() {
    let (app, _) = one_user().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let reply = app.post("/t1/recipe/signin", body("jane@x.io", RIGHT)).await.json();
    assert_eq!(reply, json!({"status": "WRONG_CREDENTIALS_ERROR"}));
    // Nor does a password that another login method of the person has there, although the address is known here.
    let there = app.post("/t1/recipe/signup", body("p@x.io", RIGHT)).await.ok().text_at("/user/id");
    app.people([within(["public", "t1"], by_provider("p", 1, "p@x.io"))]).await;
    app.group(&["p", &there]).await;
    assert_eq!(app.sign_in("p@x.io", RIGHT).await, "WRONG_CREDENTIALS_ERROR");
    let reply = app.post("/t1/recipe/signin", body("p@x.io", RIGHT)).await.ok().json();
    assert_eq!((&reply["user"]["id"], &reply["recipeUserId"]), (&json!("p"), &json!(there)));
}

#[tokio::test]
async fn whose_ids_are_mapped_is_called_by_the_callers_ids() {
    let (app, id) = one_user().await;
    let map = async |internal: &str, external: &str| {
        let body = json!({"superTokensUserId": internal, "externalUserId": external});
        app.post("/recipe/userid/map", body).await.ok();
    };
    map(&id, "login").await;
    let reply = app.post("/recipe/signin", body("jane@x.io", RIGHT)).await.ok().json();
    assert_eq!((&reply["user"]["id"], &reply["recipeUserId"]), (&json!("login"), &json!("login")));
    app.people([mapped("person", by_provider("p", 1, "p@x.io"))]).await;
    app.group(&["p", &id]).await;
    let reply = app.post("/recipe/signin", body("jane@x.io", RIGHT)).await.ok().json();
    assert_eq!((&reply["user"]["id"], &reply["recipeUserId"]), (&json!("person"), &json!("login")));
    let methods = reply["user"]["loginMethods"].as_array().unwrap();
    let ids: Vec<_> = methods.iter().map(|method| &method["recipeUserId"]).collect();
    assert_eq!(ids, ["person", "login"], "oldest first");
    let old = app.post("/recipe/signin", body("jane@x.io", RIGHT)).cdi("3.1").await.ok().json();
    assert_eq!(
        old["user"],
        json!({"id": "login", "email": "jane@x.io", "tenantIds": ["public"], "timeJoined": START.0})
    );
}

#[tokio::test]
async fn who_signs_in_is_active_as_a_person_and_who_does_not_is_not() {
    let (app, id) = one_user().await;
    app.people([by_provider("p", 1, "p@x.io")]).await;
    app.group(&["p", &id]).await;
    app.clock.advance(600_000);
    let since = START.0 + 600_000;
    let active = async || app.get(&format!("/users/count/active?since={since}")).await.json()["count"].clone();
    assert_eq!(app.sign_in("jane@x.io", "wrong").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(active().await, 0);
    assert_eq!(app.sign_in("jane@x.io", RIGHT).await, "OK");
    assert_eq!(active().await, 1);
    let marks = rows_of(&*app.context.store, Keyspace::UserActive).await;
    let of_person = activity::key(&AppId::base(), &UserId::new("p"));
    assert!(marks.iter().all(|(key, _)| *key == of_person), "the mark is the primary user's: {marks:?}");
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
    let app = with_cheap_passwords().setting("brute_force_protection", "true").setting("trusted_proxies", "127.0.0.1");
    let app = app.setting("brute_force_address_header", "x-person").build().await;
    let id = app.sign_up("jane@x.io", RIGHT).await;
    for _ in 0..6 {
        assert_eq!(app.sign_in("jane@x.io", "wrong").await, "WRONG_CREDENTIALS_ERROR");
    }
    let session = app.session(&id).await;
    let refused = app.post("/recipe/signin", body("jane@x.io", RIGHT)).await;
    refused.is_text(429, "Too many failed sign-ins to this account. Try again in 1 second");
    assert_eq!(refused.0.retry_after_s, Some(1));
    let refresh =
        json!({"refreshToken": session.refresh_token(), "enableAntiCsrf": false, "useDynamicSigningKey": true});
    app.post("/recipe/session/refresh", refresh).await.ok();
    app.clock.advance(1000);
    assert_eq!(app.sign_in("jane@x.io", RIGHT).await, "OK");
    assert!(app.get("/metrics").await.body().contains("sessiond_sign_ins_total{outcome=\"delayed\"} 1"));
    // Addresses that try many accounts, passed on by the application.
    for number in 0..51 {
        let attempt = app.post("/recipe/signin", body(&format!("{number}@x.io"), "x"));
        assert_eq!(attempt.header("x-person", "192.0.2.1").await.text_at("/status"), "WRONG_CREDENTIALS_ERROR");
    }
    let refused = app.post("/recipe/signin", body("jane@x.io", RIGHT)).header("x-person", "192.0.2.1").await;
    refused.is_text(429, "Too many failed sign-ins from this address. Try again in 1 second");
    for header in ["192.0.2.2", "192.0.2.1, 192.0.2.1", "unknown"] {
        app.post("/recipe/signin", body("jane@x.io", RIGHT)).header("x-person", header).await.ok();
    }
}

#[tokio::test]
async fn the_address_that_a_proxy_adds_is_not_taken_for_a_person() {
    // As behind a TLS proxy: all requests come from the application.
    let app = with_cheap_passwords().setting("brute_force_protection", "true");
    let app = app.setting("trusted_proxies", "127.0.0.1").build().await;
    app.sign_up("jane@x.io", RIGHT).await;
    for number in 0..60 {
        let attempt = app.post("/recipe/signin", body(&format!("{number}@x.io"), "x"));
        assert_eq!(attempt.header("x-forwarded-for", "10.0.0.5").await.text_at("/status"), "WRONG_CREDENTIALS_ERROR");
    }
    app.post("/recipe/signin", body("jane@x.io", RIGHT)).header("x-forwarded-for", "10.0.0.5").await.ok();
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
    let text = "Too many sign-ins at once: the queue for password hashing is full. Try again in 1 second";
    refused[0].is_text(503, text);
    assert_eq!(refused[0].0.retry_after_s, Some(1));
}
