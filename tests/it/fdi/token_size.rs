//! Tokens that browsers would not keep are not handed out, and nothing is left half-done.

use super::second_factors::Page;
use super::{PASSWORD, form, sign_up};
use crate::app::{TestApp, TestReply, new_session};
use http::Method;
use serde_json::{Value, json};

const TOO_LARGE: &str = "but browsers keep no more than";

/// The largest line of a cookie that every browser keeps (RFC 6265, 6.1).
const MAX_COOKIE: usize = 4096;

/// A server where `a@b.cd` has a role with so many permissions that their token fits into no cookie.
async fn with_large_claims() -> (TestApp, TestReply) {
    let app = TestApp::new().await;
    let up = sign_up(&app, "a@b.cd").await;
    let permissions: Vec<_> = (0..300).map(|number| format!("permission-{number}")).collect();
    app.put("/recipe/role", json!({"role": "all", "permissions": permissions})).await.ok();
    app.put("/recipe/user/role", json!({"userId": up.text_at("/user/id"), "role": "all"})).await.ok();
    (app, up)
}

async fn sign_in(app: &TestApp, mode: &str) -> TestReply {
    app.front(Method::POST, "/auth/signin").header("st-auth-mode", mode).json(&form("a@b.cd", PASSWORD)).await
}

async fn sessions(app: &TestApp, user: &str) -> usize {
    let list = app.get(&format!("/recipe/session/user?userId={user}")).await.ok().json();
    list["sessionHandles"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_session_whose_cookie_would_be_lost_does_not_begin() {
    let (app, up) = with_large_claims().await;
    let user = up.text_at("/user/id");
    let refused = sign_in(&app, "cookie").await;
    assert_eq!(refused.code(), 500);
    let message = refused.text_at("/message");
    assert!(message.contains(TOO_LARGE) && message.contains("Its largest claims: st-perm ("), "{message}");
    assert_eq!(refused.header("set-cookie"), [""; 0]);
    assert_eq!(sessions(&app, &user).await, 1, "the one from before");
    // Clients that keep tokens elsewhere have no such limit.
    assert_eq!(sign_in(&app, "header").await.ok().json()["status"], "OK");
    assert_eq!(sessions(&app, &user).await, 2);
}

/// A session made by an application, with a payload of about this size; the tokens as cookies.
async fn session_with(app: &TestApp, bytes: usize) -> (String, TestReply) {
    let mut body = new_session("u");
    body["userDataInJWT"] = json!({"filler": "x".repeat(bytes), "small": 1});
    let made = app.post("/recipe/session", body).cdi("5.4").await.ok();
    let jar = format!("sAccessToken={}; sRefreshToken={}", made.text_at("/accessToken/token"), made.refresh_token());
    (jar, made)
}

async fn refresh(app: &TestApp, header: (&str, &str)) -> TestReply {
    app.front(Method::POST, "/auth/session/refresh").header(header.0, header.1).await
}

#[tokio::test]
async fn a_refresh_whose_cookie_would_be_lost_leaves_the_old_token_valid() {
    let app = TestApp::new().await;
    let (jar, made) = session_with(&app, 4000).await;
    let refused = refresh(&app, ("cookie", &jar)).await;
    assert_eq!(refused.code(), 500);
    assert!(refused.body().contains(TOO_LARGE) && refused.body().contains("filler (4002 bytes)"), "{}", refused.body());
    assert_eq!(refused.header("set-cookie"), [""; 0]);
    assert_eq!(refused.header("front-token"), [""; 0]);
    // Long after the grace period, the token has still not been replaced.
    app.clock.advance(120_000);
    let bearer = format!("Bearer {}", made.refresh_token());
    assert_eq!(refresh(&app, ("authorization", &bearer)).await.code(), 200);
}

#[tokio::test]
async fn the_largest_cookie_that_fits_is_handed_out() {
    let app = TestApp::new().await;
    let (jar, _) = session_with(&app, 2000).await;
    let line = |reply: &TestReply| reply.header("set-cookie")[0].len();
    // Three bytes of a payload are four of the token.
    let room = MAX_COOKIE - line(&refresh(&app, ("cookie", &jar)).await);
    let (fits, _) = session_with(&app, 2000 + room / 4 * 3).await;
    let largest = refresh(&app, ("cookie", &fits)).await;
    assert_eq!(largest.code(), 200, "{}", largest.body());
    assert!((MAX_COOKIE - 4..=MAX_COOKIE).contains(&line(&largest)), "{}", line(&largest));
    let (larger, _) = session_with(&app, 2000 + room / 4 * 3 + 6).await;
    assert_eq!(refresh(&app, ("cookie", &larger)).await.code(), 500);
}

#[tokio::test]
async fn a_claim_for_which_there_is_no_room_is_not_stored() {
    let app = TestApp::new().await;
    let up = sign_up(&app, "a@b.cd").await;
    let mut body = new_session(&up.text_at("/user/id"));
    let make = async |bytes: usize, body: &mut Value| {
        body["userDataInJWT"] = json!({"filler": "x".repeat(bytes)});
        app.post("/recipe/session", body.clone()).cdi("5.4").await.ok()
    };
    let trial = make(2000, &mut body).await.text_at("/accessToken/token").len();
    let made = make(2000 + (MAX_COOKIE - 110 - trial) / 4 * 3, &mut body).await;
    let access = made.text_at("/accessToken/token");
    let verify = app.front(Method::GET, "/auth/user/email/verify");
    let refused = verify.header("cookie", &format!("sAccessToken={access}")).await;
    assert_eq!(refused.code(), 500, "{}", refused.body());
    assert!(refused.body().contains(TOO_LARGE), "{}", refused.body());
    let handle = made.text_at("/session/handle");
    let kept = app.get(&format!("/recipe/session?sessionHandle={handle}")).await.ok().json();
    assert_eq!(kept["userDataInJWT"]["st-ev"], Value::Null, "nothing was stored");

    // In a page's own hands there is room.
    let mut page = Page { app: &app, token: access };
    page.send(Method::GET, "/auth/user/email/verify", Value::Null).await.ok();
}
