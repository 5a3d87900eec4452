//! The gate, as proxies ask it, and the bounce, as browsers follow it. Real proxies are in `tests/sdk/gate`.

mod bounce;
mod check;
mod misuse;

use super::{PASSWORD, cookies, form};
use crate::app::{TestApp, TestAppBuilder, TestReply, TestRequest};
use http::Method;
use serde_json::Value;

/// The guarded site.
const SITE: &str = "https://app.shop.example";

/// The visitor's address.
const EMAIL: &str = "a@b.cd";

/// A site and its front door on one host, behind a proxy on this machine.
fn shop() -> TestAppBuilder {
    TestApp::builder()
        .setting("api_domain", SITE)
        .setting("trusted_proxies", "127.0.0.1")
        .setting("bcrypt_log_rounds", "4")
}

/// Somebody who has signed in, as the browser's cookies.
struct Visitor {
    jar: String,
    id: String,
}

impl Visitor {
    async fn new(app: &TestApp) -> Self {
        Self::new_at(app, SITE).await
    }

    /// Somebody new who signs up on a page of this origin.
    async fn new_at(app: &TestApp, origin: &str) -> Self {
        let up = app.front(Method::POST, "/auth/signup").header("st-auth-mode", "cookie").header("origin", origin);
        let up = up.json(&form(EMAIL, PASSWORD)).await.ok();
        Self { jar: cookies(&up), id: up.text_at("/user/id") }
    }

    /// Signs in again: claims are those of now.
    async fn again(&mut self, app: &TestApp) {
        let again = app.front(Method::POST, "/auth/signin").header("st-auth-mode", "cookie").header("origin", SITE);
        self.jar = cookies(&again.json(&form(EMAIL, PASSWORD)).await.ok());
    }

    /// What is sent to every path.
    fn access(&self) -> String {
        only(&self.jar, "sAccessToken")
    }
}

/// One cookie of those that a browser would send.
fn only(jar: &str, name: &str) -> String {
    jar.split("; ").find(|cookie| cookie.starts_with(name)).unwrap().to_owned()
}

/// What Caddy asks about a request with this method and URI; `query` is that of the gate's address.
fn ask<'a>(app: &'a TestApp, query: &str, method: &str, uri: &str) -> TestRequest<'a> {
    app.front_at(Method::GET, "app.shop.example", &format!("/auth/gate?{query}"))
        .header("x-forwarded-method", method)
        .header("x-forwarded-uri", uri)
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "app.shop.example")
        .header("x-forwarded-for", "203.0.113.7")
}

/// A browser that loads a page.
fn page_load(request: TestRequest<'_>) -> TestRequest<'_> {
    request.header("sec-fetch-mode", "navigate").header("sec-fetch-site", "none").header("sec-fetch-dest", "document")
}

/// Where a reply leads.
fn location(reply: &TestReply) -> String {
    assert_eq!(reply.code(), 302, "{}", reply.body());
    reply.header("location").concat()
}

fn header(reply: &TestReply, name: &str) -> String {
    let values = reply.header(name);
    assert_eq!(values.len(), 1, "{name} is there once: {values:?}");
    values.concat()
}

/// The claims of the identity token.
fn identity(reply: &TestReply) -> Value {
    use base64::Engine;
    let header = header(reply, "authorization");
    let token = header.strip_prefix("Bearer ").unwrap();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A figure of `/metrics`.
async fn figure(app: &TestApp, name: &str) -> u64 {
    let text = app.get("/metrics").await.body();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
}
