//! How often something may be asked for: by whom it is counted, what a refusal says and leaves alone, and who is not
//! affected by it.

mod accounts;
mod addresses;
mod bounds;
mod messages;
mod routes;
mod rules;

use super::form;
use crate::app::{TestApp, TestAppBuilder, TestReply};
use http::Method;
use serde_json::{Value, json};

const SHOP: &str = "https://www.shop.example";
/// Addresses of people's devices.
const HOME: &str = "93.184.216.34";
const OFFICE: &str = "93.184.216.35";

/// A shop behind a proxy on the same machine.
fn shop() -> TestAppBuilder {
    TestApp::builder()
        .setting("api_domain", "https://api.shop.example")
        .setting("website_domain", SHOP)
        .setting("trusted_proxies", "127.0.0.1")
        .setting("bcrypt_log_rounds", "4")
}

async fn post(app: &TestApp, from: &str, path: &str, body: Value) -> TestReply {
    let request = app.front(Method::POST, &format!("/auth{path}")).header("x-forwarded-for", from);
    request.header("origin", SHOP).json(&body).await
}

/// A sign-in with a wrong password; the status code.
async fn guess(app: &TestApp, from: &str, email: &str) -> u16 {
    post(app, from, "/signin", form(email, "wrong horse 1")).await.code()
}

/// How many of these replies, until the first that is not, are no refusals.
async fn passed(replies: impl AsyncFn(usize) -> u16) -> usize {
    for number in 0..1_000 {
        if replies(number).await == 429 {
            return number;
        }
    }
    panic!("no limit")
}

/// A figure of `/metrics`.
async fn figure(app: &TestApp, name: &str) -> Option<u64> {
    let text = app.get("/metrics").await.body();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.and_then(|value| value.parse().ok())
}

/// The events about limits: login, detail and client of each, newest first.
async fn noted(app: &TestApp) -> Vec<Value> {
    let events = app.get("/audit?kind=limit-reached&limit=500").await.ok().json();
    let told = |event: &Value| json!([event["login"], event["detail"], event["client"]]);
    events["events"].as_array().unwrap().iter().map(told).collect()
}
