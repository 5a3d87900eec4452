//! `/recipe/dashboard/…`.

mod core_config;
mod session;
mod signin;
mod user;

use crate::app::{TestApp, TestAppBuilder, TestReply};
use serde_json::json;

const PASSWORD: &str = "dash-board-1";

/// An app with cheap hashes.
fn cheap() -> TestAppBuilder {
    TestApp::builder().setting("bcrypt_log_rounds", "4")
}

/// Creates a user and returns the id; the next one is younger.
async fn user(app: &TestApp, email: &str) -> String {
    let made = app.post("/recipe/dashboard/user", json!({"email": email, "password": PASSWORD})).await.ok();
    app.clock.advance(1);
    made.text_at("/user/userId")
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> TestReply {
    // So that its time in the audit log is unique.
    app.clock.advance(1);
    app.post("/recipe/dashboard/signin", json!({"email": email, "password": password})).await
}

/// Signs in and returns the session's id.
async fn session(app: &TestApp, email: &str) -> String {
    sign_in(app, email, PASSWORD).await.ok().text_at("/sessionId")
}

/// The user whose session it is, or the status.
async fn whose(app: &TestApp, session: &str) -> String {
    let reply = app.post("/recipe/dashboard/session/verify", json!({"sessionId": session})).await.json();
    reply.get("email").unwrap_or(&reply["status"]).as_str().unwrap().to_owned()
}
