//! Passwords, one-time tokens and codes.

use super::{Moved, moved, path};
use serde_json::{Value, json};
use sessiond::domain::totp::TotpSecret;

async fn every_password(moved: &Moved) -> usize {
    for sign_in in moved.list("signIns") {
        let route = path(&sign_in["app"], &sign_in["tenant"], "/recipe/signin");
        let body = json!({"email": sign_in["email"], "password": sign_in["password"]});
        let answer = moved.app.post(&route, body).cdi("5.1").await.json();
        assert_eq!(answer["status"], sign_in["expected"], "{}: {answer}", sign_in["email"]);
        if sign_in["expected"] == "OK" {
            assert_eq!(answer["user"]["id"], sign_in["userId"], "{}", sign_in["email"]);
            assert_eq!(answer["recipeUserId"], sign_in["recipeUserId"], "{}", sign_in["email"]);
        }
    }
    moved.list("signIns").len()
}

#[tokio::test]
async fn every_password_opens_what_it_opened() {
    for (version, count) in [("9.2.6", 9), ("11.4.7", 168), ("12.0.7", 180)] {
        assert_eq!(every_password(&moved(version).await).await, count, "{version}");
    }
}

#[tokio::test]
async fn every_one_time_token_works_once() {
    for (version, count) in [("9.2.6", 1), ("11.4.7", 22)] {
        let moved = moved(version).await;
        let mut used = 0;
        for token in moved.list("oneTimeTokens") {
            let expected = &token["expectedAtDump"];
            let (route, body) = match token["kind"].as_str() {
                Some("email verification") => {
                    let body = json!({"method": "token", "token": token["token"]});
                    (path(&token["app"], &token["tenant"], "/recipe/user/email/verify"), body)
                }
                Some("password reset") => {
                    let body = json!({"method": "token", "token": token["token"]});
                    (path(&token["app"], &token["tenant"], "/recipe/user/password/reset/token/consume"), body)
                }
                _ => continue,
            };
            let answer = moved.app.post(&route, body.clone()).cdi("5.1").await.json();
            for member in ["status", "userId", "email"] {
                assert_eq!(answer[member], expected[member], "{token}: {answer}");
            }
            assert_ne!(moved.app.post(&route, body).cdi("5.1").await.json()["status"], "OK", "a second time");
            used += 1;
        }
        assert_eq!(used, count, "{version}");
    }
}

#[tokio::test]
async fn every_authenticator_app_goes_on() {
    let moved = moved("11.4.7").await;
    let mut accepted = 0;
    for device in moved.list("totpDevices") {
        let secret = TotpSecret::from_base32(device["secret"].as_str().expect("a secret")).expect("a secret");
        let period = device["period"].as_u64().expect("a period");
        let code = secret.code(moved.expected["dumpedAt"].as_u64().expect("a time") / 1000 / period);
        let body = json!({"userId": device["userId"], "totp": format!("{code:06}")});
        let route = path(&device["app"], &Value::Null, "/recipe/totp/verify");
        let answer = moved.app.post(&route, body).cdi("5.1").await.json();
        assert_eq!(answer["status"], device["expectedVerify"], "{device}: {answer}");
        accepted += usize::from(answer["status"] == "OK");
    }
    assert!(accepted > 10, "{accepted}");
    for list in moved.list("totpLists") {
        let user = form_urlencoded::byte_serialize(list["userId"].as_str().expect("an id").as_bytes());
        let route = format!("/recipe/totp/device/list?userId={}", user.collect::<String>());
        let answer = moved.app.get(&path(&list["app"], &Value::Null, &route)).cdi("5.1").await.json();
        assert_eq!(super::sorted(&answer["devices"]), super::sorted(&list["devices"]), "{list}");
    }
}

#[tokio::test]
async fn dashboard_users_and_their_sessions_go_on() {
    let moved = moved("11.4.7").await;
    for (app, users) in moved.expected["dashboard"].as_object().expect("apps") {
        for user in users.as_array().expect("users") {
            let route = |route: &str| path(&json!(app), &Value::Null, route);
            let body = json!({"email": user["email"], "password": user["password"]});
            let answer = moved.app.post(&route("/recipe/dashboard/signin"), body).await.json();
            assert_eq!(answer["status"], user["signIn"], "{user}");
            let body = json!({"sessionId": user["sessionId"]});
            let answer = moved.app.post(&route("/recipe/dashboard/session/verify"), body).await.json();
            assert_eq!(answer["status"], user["sessionVerify"], "{user}");
        }
    }
}
