//! The front door, as browsers see it. What it answers to single requests is compared with the official SDK in
//! `tests/sdk/front`; here is what that cannot show: settings by app, the clock, and what strangers' pages may do.

mod address;
mod clients;
mod doctor;
mod documents;
mod gate;
mod limits;
mod linking;
mod mail;
mod model;
mod one_transaction;
mod pages;
mod passwordless;
mod passwords;
mod protections;
mod second_factors;
mod sessions;
mod settings;
mod sign_up;
mod tenant_hosts;
mod tls;
mod token_size;

use crate::app::{TestApp, TestReply};
use http::Method;
use serde_json::{Value, json};

/// A password that the rules accept.
const PASSWORD: &str = "correct horse 1";

/// The body of a form with an address and a password.
fn form(email: &str, password: &str) -> Value {
    json!({"formFields": [{"id": "email", "value": email}, {"id": "password", "value": password}]})
}

/// Signs somebody up, with tokens in cookies.
async fn sign_up(app: &TestApp, email: &str) -> TestReply {
    let request = app.front(Method::POST, "/auth/signup").header("st-auth-mode", "cookie");
    request.json(&form(email, PASSWORD)).await.ok()
}

/// Signs somebody up, with tokens in the page.
async fn sign_up_by_header(app: &TestApp, email: &str) -> TestReply {
    app.front(Method::POST, "/auth/signup").json(&form(email, PASSWORD)).await.ok()
}

/// What a browser sends back after this reply: every cookie that was set, whatever its path.
fn cookies(reply: &TestReply) -> String {
    let lines = reply.header("set-cookie").into_iter();
    lines.map(|line| line.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("; ")
}

/// The claims of the access token that a reply hands out.
fn claims(reply: &TestReply) -> Value {
    use base64::Engine;
    let token = reply.header("front-token").concat();
    let text = base64::engine::general_purpose::STANDARD.decode(token).expect("base64");
    let front: Value = serde_json::from_slice(&text).expect("JSON");
    front["up"].clone()
}
