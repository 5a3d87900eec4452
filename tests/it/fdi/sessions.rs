//! Sessions over time, and on both planes.

use super::{PASSWORD, claims, cookies, form, sign_up};
use crate::app::TestApp;
use http::Method;
use serde_json::json;

async fn refresh(app: &TestApp, cookies: &str) -> crate::app::TestReply {
    app.front(Method::POST, "/auth/session/refresh").header("cookie", cookies).await
}

#[tokio::test]
async fn a_session_begun_here_is_verified_and_refreshed_by_a_backend_sdk_and_the_other_way_round() {
    let app = TestApp::new().await;
    let up = app.front(Method::POST, "/auth/signup").json(&form("a@b.cd", PASSWORD)).await.ok();
    let access = up.header("st-access-token").concat();
    let verify = json!({
        "accessToken": access, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": true,
    });
    let verified = app.post("/recipe/session/verify", verify).cdi("5.4").await.ok();
    let user = up.text_at("/user/id");
    assert_eq!(verified.text_at("/session/userId"), user);
    assert_eq!(verified.json()["session"]["userDataInJWT"]["st-ev"]["v"], false);

    let exchange = json!({
        "refreshToken": up.header("st-refresh-token").concat(), "enableAntiCsrf": false, "useDynamicSigningKey": true,
    });
    let by_sdk = app.post("/recipe/session/refresh", exchange).cdi("5.4").await.ok();
    let bearer = format!("Bearer {}", by_sdk.refresh_token());
    let here = app.front(Method::POST, "/auth/session/refresh").header("authorization", &bearer).await;
    assert_eq!(here.code(), 200, "{}", here.body());
    assert_eq!(claims(&here)["iss"], claims(&up)["iss"]);
}

#[tokio::test]
async fn a_replaced_token_is_theft_and_ends_the_session() {
    let app = TestApp::new().await;
    let first = cookies(&sign_up(&app, "a@b.cd").await);
    app.clock.advance(3_000);
    let second = refresh(&app, &first).await;
    assert_eq!(second.code(), 200);
    let third = refresh(&app, &cookies(&second)).await;
    assert_eq!(third.code(), 200);
    app.clock.advance(60_000);
    let stolen = refresh(&app, &first).await;
    assert_eq!((stolen.code(), stolen.body().as_str()), (401, r#"{"message":"token theft detected"}"#));
    assert_eq!(stolen.header("front-token"), ["remove"]);
    let owner = refresh(&app, &cookies(&third)).await;
    assert_eq!(owner.body(), r#"{"message":"unauthorised"}"#);
}

#[tokio::test]
async fn the_first_use_after_a_refresh_hands_out_a_token_that_needs_no_look_up() {
    let app = TestApp::new().await;
    let up = sign_up(&app, "a@b.cd").await;
    let refreshed = refresh(&app, &cookies(&up)).await;
    assert!(claims(&refreshed)["parentRefreshTokenHash1"].is_string());
    // Old clients leave out the flag: their sign-ins look at the session.
    let again = app.front(Method::POST, "/auth/signin").header("fdi-version", "3.0");
    let again = again.header("st-auth-mode", "cookie").header("cookie", &cookies(&refreshed));
    let again = again.json(&form("a@b.cd", "a wrong one 1")).await;
    assert_eq!(again.json()["status"], "WRONG_CREDENTIALS_ERROR");
    assert!(claims(&again)["parentRefreshTokenHash1"].is_null());
    assert_eq!(again.header("set-cookie").len(), 1, "only the access token is renewed");
}

#[tokio::test]
async fn what_an_application_has_changed_in_a_session_stays() {
    let app = TestApp::new().await;
    let up = app.front(Method::POST, "/auth/signup").json(&form("a@b.cd", PASSWORD)).await.ok();
    let claims_of_token = claims(&up);
    assert!(claims_of_token["st-role"].is_object());
    let payload = json!({"iss": claims_of_token["iss"], "plan": "gold", "st-ev": claims_of_token["st-ev"]});
    let data = json!({"sessionHandle": claims_of_token["sessionHandle"], "userDataInJWT": payload});
    app.put("/recipe/jwt/data", data).await.ok();
    let bearer = format!("Bearer {}", up.header("st-access-token").concat());
    let asked = app.front(Method::GET, "/auth/user/email/verify").header("authorization", &bearer).await.ok();
    let renewed = claims(&asked);
    assert_eq!((&renewed["plan"], &renewed["st-ev"]["v"]), (&json!("gold"), &json!(false)));
    assert_eq!((&renewed["st-role"], &renewed["st-perm"]), (&json!(null), &json!(null)), "they were removed");
    let path = format!("/recipe/session?sessionHandle={}", claims_of_token["sessionHandle"].as_str().unwrap());
    let stored = app.get(&path).await.ok().json()["userDataInJWT"].clone();
    assert_eq!((&stored["plan"], &stored["st-role"]), (&json!("gold"), &json!(null)));
}

#[tokio::test]
async fn an_expired_session_is_over_and_its_cookies_are_cleared() {
    let app = TestApp::new().await;
    let up = sign_up(&app, "a@b.cd").await;
    app.clock.advance(2 * 3_600_000);
    let out = app.front(Method::POST, "/auth/signout").header("cookie", &cookies(&up)).await;
    assert_eq!((out.code(), out.body().as_str()), (401, r#"{"message":"try refresh token"}"#));
    assert!(out.header("set-cookie").is_empty(), "the refresh token is still good");
    app.clock.advance(101 * 24 * 3_600_000);
    let over = refresh(&app, &cookies(&up)).await;
    assert_eq!((over.code(), over.body().as_str()), (401, r#"{"message":"unauthorised"}"#));
    let cleared = over.header("set-cookie");
    assert!(cleared.len() == 2 && cleared.iter().all(|line| line.contains("Expires=Thu, 01 Jan 1970")), "{cleared:?}");
}

#[tokio::test]
async fn answers_of_the_sign_up_form_are_kept_as_metadata() {
    let fields = r#"[{"id":"name"},{"id":"newsletter","optional":true}]"#;
    let app = TestApp::builder().setting("sign_up_form_fields", fields).build().await;
    let mut body = form("a@b.cd", PASSWORD);
    body["formFields"].as_array_mut().unwrap().push(json!({"id": "name", "value": "Ada"}));
    body["formFields"].as_array_mut().unwrap().push(json!({"id": "unknown", "value": "x"}));
    let up = app.front(Method::POST, "/auth/signup").json(&body).await.ok();
    let path = format!("/recipe/user/metadata?userId={}", up.text_at("/user/id"));
    assert_eq!(app.get(&path).await.ok().json()["metadata"], json!({"signUpFormFields": {"name": "Ada"}}));
}

#[tokio::test]
async fn roles_and_permissions_are_in_the_token_of_the_next_session() {
    let app = TestApp::new().await;
    let user = sign_up(&app, "a@b.cd").await.text_at("/user/id");
    app.put("/recipe/role", json!({"role": "editor", "permissions": ["write", "read"]})).await.ok();
    app.put("/recipe/user/role", json!({"userId": user, "role": "editor"})).await.ok();
    let signed_in = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", PASSWORD)).await.ok();
    let claims = claims(&signed_in);
    assert_eq!(claims["st-role"]["v"], json!(["editor"]));
    assert_eq!(claims["st-perm"]["v"], json!(["read", "write"]));
}

#[tokio::test]
async fn pages_that_cannot_lock_one_another_out_refresh_at_once_and_stay_signed_in() {
    let app = TestApp::new().await;
    let jar = cookies(&sign_up(&app, "a@b.cd").await);
    let one = refresh(&app, &jar).await;
    // One page uses what it got; the other's request, with the cookies of before, arrives only now.
    let used = app.front(Method::GET, "/auth/user/email/verify").header("cookie", &cookies(&one)).await;
    assert_eq!(used.code(), 200);
    let other = refresh(&app, &jar).await;
    assert_eq!(other.code(), 200, "{}", other.body());
    // The cookie jar has kept the second reply, which nobody uses for an hour.
    app.clock.advance(3_600_000);
    let next = refresh(&app, &cookies(&other)).await;
    assert_eq!(next.code(), 200, "{}", next.body());
    let stolen = refresh(&app, &cookies(&one)).await;
    assert_eq!(stolen.body(), r#"{"message":"token theft detected"}"#);
}

#[tokio::test]
async fn a_replaced_token_is_theft_once_the_grace_period_is_over() {
    let app = TestApp::new().await;
    let jar = cookies(&sign_up(&app, "a@b.cd").await);
    let one = refresh(&app, &jar).await;
    app.front(Method::GET, "/auth/user/email/verify").header("cookie", &cookies(&one)).await.ok();
    app.clock.advance(30_001);
    assert_eq!(refresh(&app, &jar).await.body(), r#"{"message":"token theft detected"}"#);
}
