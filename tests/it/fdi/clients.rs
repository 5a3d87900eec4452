//! What a session keeps of the browsers that use it, and for how long.

use super::{PASSWORD, claims, form};
use crate::app::{TestApp, TestReply};
use http::Method;
use serde_json::{Value, json};
use sessiond::jobs::sweep::sweep;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{Engine, Keyspace};
use std::sync::Arc;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn sign_up(app: &TestApp) -> TestReply {
    let request = app.front(Method::POST, "/auth/signup").from("192.0.2.1").header("user-agent", FIREFOX);
    request.json(&form("a@b.cd", PASSWORD)).await.ok()
}

async fn refresh(app: &TestApp, reply: &TestReply, from: &str, agent: &str) -> TestReply {
    let bearer = format!("Bearer {}", reply.header("st-refresh-token").concat());
    let request = app.front(Method::POST, "/auth/session/refresh").from(from).header("user-agent", agent);
    let refreshed = request.header("authorization", &bearer).await;
    assert_eq!(refreshed.code(), 200, "{}", refreshed.body());
    refreshed
}

/// What is known of the browsers of a session.
async fn known(app: &TestApp, handle: &str) -> (Value, Value) {
    let told = app.get(&format!("/recipe/session/timeline?sessionHandle={handle}")).await.ok().json();
    (told["createdFrom"].clone(), told["refreshedFrom"].clone())
}

fn handle(reply: &TestReply) -> String {
    claims(reply)["sessionHandle"].as_str().expect("a handle").to_owned()
}

#[tokio::test]
async fn the_first_browser_and_the_last_one_are_known() {
    let app = TestApp::new().await;
    let up = sign_up(&app).await;
    let first = json!({"address": "192.0.2.1", "userAgent": FIREFOX});
    assert_eq!(known(&app, &handle(&up)).await, (first.clone(), json!(null)));
    app.clock.advance(3_000);
    let at = |client: &Value| {
        let mut client = client.clone();
        client["time"] = json!(app.context.now());
        client
    };
    let second = refresh(&app, &up, "192.0.2.1", FIREFOX).await;
    assert_eq!(known(&app, &handle(&up)).await, (first.clone(), at(&first)));
    app.clock.advance(3_000);
    let third = refresh(&app, &second, "2001:db8::1", "phone\t/ 1 \u{202e}").await;
    let phone = at(&json!({"address": "2001:db8::1", "userAgent": "phone/ 1"}));
    assert_eq!(known(&app, &handle(&up)).await, (first.clone(), phone.clone()));
    // A backend SDK says nothing of the browser, and changes nothing.
    let refresh_token = third.header("st-refresh-token").concat();
    let exchange = json!({"refreshToken": refresh_token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
    app.post("/recipe/session/refresh", exchange).cdi("5.4").await.ok();
    assert_eq!(known(&app, &handle(&up)).await, (first.clone(), phone.clone()));
    let bearer = format!("Bearer {}", up.header("st-access-token").concat());
    app.front(Method::POST, "/auth/signout").header("authorization", &bearer).await.ok();
    assert_eq!(known(&app, &handle(&up)).await, (first, phone), "also after the end");
}

#[tokio::test]
async fn the_core_says_nothing_of_them_to_sdks() {
    let app = TestApp::new().await;
    let up = sign_up(&app).await;
    let session = app.get(&format!("/recipe/session?sessionHandle={}", handle(&up))).await.ok();
    assert!(!session.body().contains("192.0.2.1") && !session.body().contains("Firefox"), "{}", session.body());
    let by_sdk = app.session("u").await.handle();
    assert_eq!(known(&app, &by_sdk).await, (json!(null), json!(null)));
}

#[tokio::test]
async fn addresses_come_from_trusted_proxies_alone() {
    for (trusted, expected) in [("192.0.2.9", "198.51.100.7"), ("192.0.2.8", "192.0.2.9")] {
        let app = TestApp::builder().setting("trusted_proxies", trusted).build().await;
        let request = app.front(Method::POST, "/auth/signup").from("192.0.2.9");
        let request = request.header("x-forwarded-for", "203.0.113.5, 198.51.100.7");
        let up = request.json(&form("a@b.cd", PASSWORD)).await.ok();
        assert_eq!(known(&app, &handle(&up)).await.0, json!({"address": expected}), "{trusted}");
    }
}

#[tokio::test]
async fn nothing_is_kept_of_a_deleted_users_browsers() {
    let app = TestApp::new().await;
    let up = sign_up(&app).await;
    let again = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", PASSWORD)).await.ok();
    app.post("/recipe/session/remove", json!({"sessionHandles": [handle(&up)]})).await.ok();
    assert_eq!(app.rows(Keyspace::EndedClients).await, 1);
    app.post("/user/remove", json!({"userId": up.text_at("/user/id")})).await.ok();
    assert_eq!(app.rows(Keyspace::EndedClients).await, 0);
    for handle in [handle(&up), handle(&again)] {
        assert_eq!(known(&app, &handle).await, (json!(null), json!(null)), "but why it ended");
    }
}

#[tokio::test]
async fn they_are_kept_as_long_as_the_timeline() {
    let app = TestApp::new().await;
    let up = sign_up(&app).await;
    app.post("/recipe/session/remove", json!({"sessionHandles": [handle(&up)]})).await.ok();
    app.clock.advance(31 * 86_400_000 - 1);
    sweep(&app.context, app.context.now()).await.expect("a sweep");
    assert_eq!(known(&app, &handle(&up)).await.0["address"], "192.0.2.1");
    app.clock.advance(1);
    assert_eq!(sweep(&app.context, app.context.now()).await.expect("a sweep").timelines, 1);
    assert_eq!(app.rows(Keyspace::EndedClients).await, 0);
}

#[tokio::test]
async fn without_timelines_they_go_with_the_session() {
    let app = TestApp::builder().setting("session_timeline_retention_days", "0").build().await;
    let up = sign_up(&app).await;
    assert_eq!(known(&app, &handle(&up)).await.0["address"], "192.0.2.1");
    app.post("/recipe/session/remove", json!({"sessionHandles": [handle(&up)]})).await.ok();
    assert_eq!(app.rows(Keyspace::EndedClients).await, 0);
}

#[tokio::test]
async fn once_they_may_not_be_kept_a_refresh_forgets_them() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let before = TestApp::builder().store(Arc::clone(&store)).build().await;
    let up = sign_up(&before).await;
    let app = TestApp::builder().store(store).setting("session_client_details", "false").build().await;
    refresh(&app, &up, "192.0.2.1", FIREFOX).await;
    assert_eq!(known(&app, &handle(&up)).await, (json!(null), json!(null)));
    let second = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", PASSWORD)).await.ok();
    assert_eq!(known(&app, &handle(&second)).await, (json!(null), json!(null)));
}
