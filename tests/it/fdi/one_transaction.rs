//! Whoever signs up or in has a session by the same commit (decision 97): no crash comes in between.

use super::passwordless::{link_code, message};
use super::second_factors::RECIPES;
use super::{PASSWORD, claims, form};
use crate::app::{TestApp, TestAppBuilder, TestReply};
use crate::watched::Watched;
use http::Method;
use serde_json::{Value, json};
use sessiond::store::{Key, Keyspace, Scan};
use std::sync::Arc;

fn cheap() -> TestAppBuilder {
    let recipes = format!("{RECIPES},userroles,passwordless");
    TestApp::builder().setting("bcrypt_log_rounds", "4").setting("recipe_list", &recipes)
}

async fn post(app: &TestApp, path: &str, body: Value) -> TestReply {
    app.front(Method::POST, &format!("/auth{path}")).header("st-auth-mode", "cookie").json(&body).await
}

/// Sends a request that has to sign somebody in; returns the reply and the number of commits that it took.
async fn counted(app: &TestApp, path: &str, body: Value) -> (TestReply, u64) {
    let commits = || app.context.store.stats().commits;
    let before = commits();
    let reply = post(app, path, body).await;
    let taken = commits() - before;
    assert_eq!(reply.json()["status"], "OK", "{}", reply.body());
    assert!(!reply.header("front-token").is_empty(), "no session");
    (reply, taken)
}

/// An app whose keys have been made.
async fn app(rule: &str) -> TestApp {
    let app = cheap().setting("account_linking", rule).build().await;
    app.session("somebody").await;
    app
}

#[tokio::test]
async fn signing_up_or_in_is_one_commit() {
    for rule in ["off", "verified", "always"] {
        let app = app(rule).await;
        let (up, commits) = counted(&app, "/signup", form("a@b.cd", PASSWORD)).await;
        assert_eq!(commits, 1, "{rule}");
        assert_eq!(up.json()["user"]["isPrimaryUser"], rule == "always", "{rule}");
        let id = up.text_at("/user/id");
        app.put("/recipe/role", json!({"role": "editor", "permissions": ["write"]})).await.ok();
        app.put("/recipe/user/role", json!({"role": "editor", "userId": id})).await.ok();
        let (again, commits) = counted(&app, "/signin", form("a@b.cd", PASSWORD)).await;
        assert_eq!(commits, 1, "{rule}");
        let claims = claims(&again);
        assert_eq!(claims["st-ev"]["v"], false, "{rule}");
        assert_eq!((&claims["st-role"]["v"], &claims["st-perm"]["v"]), (&json!(["editor"]), &json!(["write"])));
        assert_eq!(claims["st-mfa"]["v"], true, "{rule}");
    }
}

#[tokio::test]
async fn a_link_by_mail_signs_up_or_in_with_one_commit() {
    for rule in ["off", "verified", "always"] {
        let app = app(rule).await;
        for is_new in [true, false] {
            let begun = post(&app, "/signinup/code", json!({"email": "jane@b.cd"})).await.ok().json();
            let link = link_code(&message(&app, "jane@b.cd").await);
            let body = json!({"preAuthSessionId": begun["preAuthSessionId"], "linkCode": link});
            let (reply, commits) = counted(&app, "/signinup/code/consume", body).await;
            assert_eq!((commits, &reply.json()["createdNewRecipeUser"]), (1, &json!(is_new)), "{rule}");
            assert_eq!(reply.json()["user"]["isPrimaryUser"], rule != "off", "{rule}");
            assert_eq!(claims(&reply)["st-ev"]["v"], true, "{rule}");
        }
    }
}

#[tokio::test]
async fn whoever_signs_in_while_unverified_is_verified_with_it_by_another_login_method() {
    let app = app("verified").await;
    let id = counted(&app, "/signup", form("a@b.cd", PASSWORD)).await.0.text_at("/user/id");
    super::linking::make_primary(&app, &id).await;
    let mailed = super::linking::by_code(&app, "a@b.cd").await;
    let link = json!({"recipeUserId": mailed, "primaryUserId": id});
    app.post("/recipe/accountlinking/user/link", link).await.ok();
    let (again, commits) = counted(&app, "/signin", form("a@b.cd", PASSWORD)).await;
    assert_eq!((commits, &claims(&again)["st-ev"]["v"]), (1, &json!(true)));
}

async fn rows(app: &TestApp, keyspace: Keyspace) -> usize {
    let scan = Scan { start: Key::of(keyspace), end: None, reverse: false, limit: 100 };
    app.context.store.begin().scan(&scan).await.expect("a working store").len()
}

/// The store stops after every possible number of commits, as in a crash.
#[tokio::test]
async fn nobody_is_left_with_an_account_and_without_a_session() {
    let mut signed_up = Vec::new();
    for left in 1..=8 {
        let store = Watched::default();
        let app = cheap().store(Arc::new(store.clone())).build().await;
        app.session("somebody").await;
        let before = rows(&app, Keyspace::Session).await;
        store.left.set(left);
        let reply = post(&app, "/signup", form("a@b.cd", PASSWORD)).await;
        store.left.set(0);
        let (users, sessions) = (rows(&app, Keyspace::User).await, rows(&app, Keyspace::Session).await - before);
        assert_eq!((users, sessions), if reply.code() == 200 { (1, 1) } else { (0, 0) }, "after {left} commits");
        signed_up.push(users == 1);
    }
    assert!(signed_up.contains(&true) && signed_up.contains(&false), "{signed_up:?}");
}
