//! What hooks are told of, and when not.

use super::receiver::Receiver;
use super::{run, told, waiting, watched, with_hooks};
use crate::app::{START, TestApp};
use crate::store::assert_holds_none_of;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const ALL: &[&str] = &["*"];

/// What the receiver was told since the last time.
async fn heard(app: &TestApp, receiver: &Receiver) -> Vec<String> {
    while run(app).await.told > 0 {}
    let mut types = receiver.take_types();
    // Of several at once, any may arrive first.
    types.sort_unstable();
    types
}

#[tokio::test]
async fn a_sign_up_is_told_with_its_circumstances() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, ALL)])).await;
    let reply = app.post("/recipe/signup", json!({"email": "Anna@x.io", "password": "right"})).await.ok();
    let id = reply.text_at("/user/id");
    assert_eq!(run(&app).await, told(1));
    let received = receiver.received().remove(0);
    assert_eq!(received.path, "/hook?key=hush");
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("webhook-timestamp"), (START.0 / 1000).to_string());
    assert!(received.header("webhook-id").starts_with("evt_018bcfe56800"), "{received:?}");
    let expected = json!({
        "type": "user.signed_up",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "data": {
            "connectionUriDomain": "", "appId": "public", "tenantId": "public",
            "userId": id, "recipeUserId": id, "recipeId": "emailpassword", "login": "anna@x.io",
            "call": "POST /recipe/signup", "requestId": "test",
        },
    });
    assert_eq!(received.body(), expected);
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn events_of_sessions_tell_which_browsers_used_them() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, &["session.*"])])).await;
    let form =
        json!({"formFields": [{"id": "email", "value": "anna@x.io"}, {"id": "password", "value": "right horse 1"}]});
    let up = app.front(Method::POST, "/auth/signup").from("192.0.2.1").header("user-agent", "Mozilla/5.0");
    let up = up.header("st-auth-mode", "header").json(&form).await.ok();
    app.clock.advance(2_000);
    let refresh = app.front(Method::POST, "/auth/session/refresh").from("192.0.2.2").header("user-agent", "phone");
    let bearer = format!("Bearer {}", up.header("st-refresh-token").concat());
    let refreshed = refresh.header("authorization", &bearer).await;
    let bearer = format!("Bearer {}", refreshed.header("st-access-token").concat());
    app.front(Method::POST, "/auth/signout").header("authorization", &bearer).await.ok();
    while run(&app).await.told > 0 {}
    let (first, at) = (json!({"address": "192.0.2.1", "userAgent": "Mozilla/5.0"}), START.0 + 2_000);
    let last = json!({"address": "192.0.2.2", "userAgent": "phone", "time": at});
    for event in receiver.received() {
        let data = &event.body()["data"];
        assert_eq!(data["createdFrom"], first, "{event:?}");
        let expected = if event.body()["type"] == "session.ended" { &last } else { &json!(null) };
        assert_eq!(&data["refreshedFrom"], expected, "{event:?}");
    }
    let events = receiver.take_types();
    assert!(events.contains(&"session.ended".to_owned()) && events.len() >= 2, "{events:?}");

    // Of a session that a backend SDK began, no browser is known.
    let anna = app.sign_up("bert@x.io", "right horse 1").await;
    app.session(&anna).await;
    while run(&app).await.told > 0 {}
    let begun = receiver.received().pop().unwrap().body();
    assert_eq!((&begun["type"], begun["data"].get("createdFrom")), (&json!("session.created"), None));
}

#[tokio::test]
async fn what_happens_to_accounts_and_sessions_is_told() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, ALL)])).await;
    let heard = async || heard(&app, &receiver).await;
    let anna = app.sign_up("anna@x.io", "right").await;
    assert_eq!(heard().await, ["user.signed_up"]);
    app.post("/recipe/signin", json!({"email": "anna@x.io", "password": "right"})).await.ok();
    app.post("/recipe/signin", json!({"email": "anna@x.io", "password": "wrong"})).await;
    assert_eq!(heard().await, ["user.sign_in_refused", "user.signed_in"]);
    app.put("/recipe/user", json!({"recipeUserId": anna, "email": "anna@y.io", "password": "new"})).await.ok();
    assert_eq!(heard().await, ["user.email_changed", "user.password_changed"]);
    let token = app.post("/recipe/user/email/verify/token", json!({"userId": anna, "email": "anna@y.io"})).await;
    let token = token.text_at("/token");
    app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    assert_eq!(heard().await, ["user.email_verified"]);
    app.put("/recipe/role", json!({"role": "admin"})).await.ok();
    app.put("/recipe/user/role", json!({"userId": anna, "role": "admin"})).await.ok();
    assert_eq!(heard().await, ["role.changed", "user.role_assigned"]);
    app.clock.advance(1);
    let bert = app.sign_up("bert@x.io", "right").await;
    app.group(&[&anna, &bert]).await;
    assert_eq!(heard().await, ["user.account_linked", "user.made_primary", "user.signed_up"]);
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": bert})).await.ok();
    assert_eq!(heard().await, ["user.account_unlinked"]);
    let device = json!({"userId": anna, "deviceName": "phone", "skew": 1, "period": 30});
    app.post("/recipe/totp/device", device).await.ok();
    assert_eq!(heard().await, [""; 0], "not before the device is verified");
    let session = app.session(&anna).await.handle();
    assert_eq!(heard().await, ["session.created"]);
    app.post("/recipe/session/remove", json!({"sessionHandles": [session]})).await.ok();
    assert_eq!(heard().await, ["session.ended"]);
    app.session(&anna).await;
    app.post("/user/remove", json!({"userId": anna})).await.ok();
    assert_eq!(heard().await, ["session.created", "session.ended", "user.deleted"]);
}

/// The `data` of the events of a type.
async fn data(app: &TestApp, receiver: &Receiver, kind: &str) -> Vec<Value> {
    while run(app).await.told > 0 {}
    let bodies = receiver.received().into_iter().map(|one| one.body());
    bodies.filter(|body| body["type"] == kind).map(|mut body| body["data"].take()).collect()
}

#[tokio::test]
async fn a_session_that_ends_says_why_and_whose_it_was() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, &["session.ended"])]).test_mode()).await;
    let [anna, bert] = [app.sign_up("anna@x.io", "right").await, app.sign_up("bert@x.io", "right").await];
    app.group(&[&anna, &bert]).await;
    let session = app.session(&bert).await.handle();
    app.post("/recipe/session/remove", json!({"sessionHandles": [session]})).await.ok();
    let revoked = data(&app, &receiver, "session.ended").await.remove(0);
    let (user, recipe_user) = (revoked["userId"].as_str().unwrap(), revoked["recipeUserId"].as_str().unwrap());
    assert_eq!((user, recipe_user), (anna.as_str(), bert.as_str()));
    assert_eq!((&revoked["sessionHandle"], &revoked["reason"]), (&json!(session), &json!("revoked")));
    app.session(&bert).await;
    app.post("/user/remove", json!({"userId": bert, "removeAllLinkedAccounts": false})).await.ok();
    assert_eq!(data(&app, &receiver, "session.ended").await[1]["reason"], "user_deleted");
    app.session(&anna).await;
    app.clock.advance(app.context.directory.base().app.refresh_token_validity_ms);
    sessiond::jobs::sweep::sweep(&app.context, app.context.now()).await.unwrap();
    let expired = data(&app, &receiver, "session.ended").await.remove(2);
    assert_eq!((&expired["reason"], &expired["call"]), (&json!("expired"), &json!("expiry")));
}

#[tokio::test]
async fn a_stolen_token_is_told_once_per_detection() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, &["session.*"])])).await;
    let stolen = app.session("anna").await.refresh_token();
    let refresh = async |token: &str| {
        app.post(
            "/recipe/session/refresh",
            json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true}),
        )
        .cdi("5.4")
        .await
    };
    let second = refresh(&stolen).await.ok().refresh_token();
    refresh(&second).await.ok();
    heard(&app, &receiver).await;
    app.clock.advance(3_600_000);
    for _ in 0..3 {
        assert_eq!(refresh(&stolen).await.json()["status"], "TOKEN_THEFT_DETECTED");
    }
    assert_eq!(heard(&app, &receiver).await, ["session.theft_detected"], "a thief cannot flood a hook");
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, ALL)])).await;
    app.sign_up("anna@x.io", "right").await;
    heard(&app, &receiver).await;
    let taken = app.post("/recipe/signup", json!({"email": "anna@x.io", "password": "right"})).await;
    assert_eq!(taken.json()["status"], "EMAIL_ALREADY_EXISTS_ERROR");
    app.post("/recipe/session/remove", json!({"sessionHandles": ["x"]})).await.ok();
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn each_hook_is_told_what_it_wants() {
    let [users, sessions] = [Receiver::start(), Receiver::start()];
    let app = watched(with_hooks(&[(&users, &["user.*"]), (&sessions, &["session.created", "user.signed_up"])])).await;
    let anna = app.sign_up("anna@x.io", "right").await;
    let session = app.session(&anna).await.handle();
    app.post("/recipe/session/remove", json!({"sessionHandles": [session]})).await.ok();
    app.put("/recipe/role", json!({"role": "admin"})).await.ok();
    assert_eq!(run(&app).await, told(3));
    let ids = |receiver: &Receiver| {
        let received = receiver.received().into_iter().find(|one| one.body()["type"] == "user.signed_up");
        received.unwrap().header("webhook-id").to_owned()
    };
    assert_eq!(ids(&users), ids(&sessions), "one event has one id");
    assert_eq!(users.take_types(), ["user.signed_up"]);
    let mut types = sessions.take_types();
    types.sort_unstable();
    assert_eq!(types, ["session.created", "user.signed_up"]);
}

#[tokio::test]
async fn an_event_wakes_the_job_and_without_hooks_there_is_none() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, &["user.signed_up"])])).await;
    let is_woken = async |app: &TestApp| {
        tokio::time::timeout(Duration::from_millis(50), app.context.events.notified()).await.is_ok()
    };
    app.session("anna").await;
    assert!(!is_woken(&app).await, "nobody wants to know of it");
    app.sign_up("anna@x.io", "right").await;
    assert!(is_woken(&app).await);
    let plain = TestApp::builder().setting("bcrypt_log_rounds", "4").build().await;
    plain.sign_up("anna@x.io", "right").await;
    assert!(!is_woken(&plain).await);
    assert_eq!(waiting(&plain).await, 0);
}

#[tokio::test]
async fn what_is_stored_of_an_event_names_nobody() {
    let receiver = Receiver::start();
    let app = watched(with_hooks(&[(&receiver, &["user.signed_up"])])).await;
    app.post(
        "/recipe/signinup",
        json!({
            "thirdPartyId": "google", "thirdPartyUserId": "g", "email": {"id": "anna@x.io", "isVerified": true}
        }),
    )
    .await
    .ok();
    assert_eq!(waiting(&app).await, 1);
    let rows = crate::store::rows_of(&*app.context.store, sessiond::store::Keyspace::HookEvent).await;
    assert!(rows.iter().all(|(_, bytes)| !bytes.windows(9).any(|part| part == b"anna@x.io")));
    assert_holds_none_of(&*app.context.store, &[b"key=hush"]).await;
}
