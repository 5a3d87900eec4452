//! The address of the person's device, where the application passes it on, in the events of every recipe.

use crate::app::{TestApp, TestReply};
use crate::passwordless::Sent;
use crate::people::{by_provider, with_cheap_passwords};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An app whose callers pass on addresses.
async fn told_of_people() -> TestApp {
    let app = with_cheap_passwords().setting("trusted_proxies", "127.0.0.1");
    app.setting("brute_force_address_header", "x-person").build().await
}

/// A call with these values of the header.
async fn call(app: &TestApp, addresses: &[&str], path: &str, body: Value) -> TestReply {
    let request = app.post(path, body);
    addresses.iter().fold(request, |request, address| request.header("x-person", address)).await
}

fn google(account: &str, email: &str) -> Value {
    json!({"thirdPartyId": "google", "thirdPartyUserId": account, "email": {"id": email, "isVerified": true}})
}

/// Signs up, signs in and is refused, once with each recipe.
async fn a_day(app: &TestApp, from: &[&str]) {
    let post = async |path: &str, body: Value| call(app, from, path, body).await;
    let status = async |path: &str, body: Value| post(path, body).await.text_at("/status");
    let account = json!({"email": "jane@x.io", "password": "a secret"});
    post("/recipe/signup", account.clone()).await.ok();
    post("/recipe/signin", account).await.ok();
    let wrong = json!({"email": "jane@x.io", "password": "another"});
    assert_eq!(status("/recipe/signin", wrong).await, "WRONG_CREDENTIALS_ERROR");

    for email in ["one@x.io", "two@x.io"] {
        post("/recipe/signinup", google("g-1", email)).await.ok();
    }
    app.people([by_provider("a", 1, "a@x.io"), by_provider("b", 2, "b@x.io")]).await;
    app.group(&["a"]).await;
    app.group(&["b"]).await;
    assert_eq!(status("/recipe/signinup", google("g-a", "b@x.io")).await, "EMAIL_CHANGE_NOT_ALLOWED_ERROR");

    for _ in 0..2 {
        let sent = Sent(app.post("/recipe/signinup/code", json!({"email": "joe@x.io"})).await.ok().json());
        for path in ["/recipe/signinup/code/check", "/recipe/signinup/code/consume"] {
            assert_eq!(status(path, sent.typed("wrong")).await, "INCORRECT_USER_INPUT_CODE_ERROR");
        }
        post("/recipe/signinup/code/consume", sent.input()).await.ok();
    }

    let device = json!({"userId": "u", "deviceName": "d", "skew": 0, "period": 30, "secretKey": "MZXW6YTB"});
    post("/recipe/totp/device/import", device).await.ok();
    for _ in 0..5 {
        assert_eq!(status("/recipe/totp/verify", json!({"userId": "u", "totp": ""})).await, "INVALID_TOTP_ERROR");
    }
    let operator = json!({"email": "ops@x.io", "password": "correct horse 1"});
    post("/recipe/dashboard/user", operator.clone()).await.ok();
    post("/recipe/dashboard/signin", operator).await.ok();
    let unknown = json!({"email": "nobody@x.io", "password": "correct horse 1"});
    assert_eq!(status("/recipe/dashboard/signin", unknown).await, "INVALID_CREDENTIALS_ERROR");
}

/// Every event except those from the test's own preparations.
async fn told(app: &TestApp) -> Vec<Value> {
    let told = app.get("/audit?limit=500").await.ok().json();
    let events = told["events"].as_array().unwrap().iter();
    events.filter(|event| event["kind"] != "made-primary").cloned().collect()
}

#[tokio::test]
async fn every_recipe_tells_it() {
    let app = told_of_people().await;
    a_day(&app, &["::ffff:192.0.2.7"]).await;
    let events = told(&app).await;
    let kinds: BTreeSet<_> = events
        .iter()
        .map(|event| [&event["recipeId"], &event["kind"]].map(|text| text.as_str().unwrap_or("-")).join(" "))
        .collect();
    let expected = [
        "- dashboard-sign-in-refused",
        "- dashboard-signed-in",
        "- dashboard-user-created",
        "- totp-device-added",
        "- totp-limit-reached",
        "emailpassword sign-in-refused",
        "emailpassword signed-in",
        "emailpassword signed-up",
        "passwordless email-verified",
        "passwordless sign-in-refused",
        "passwordless signed-in",
        "passwordless signed-up",
        "thirdparty email-changed",
        "thirdparty email-verified",
        "thirdparty sign-in-refused",
        "thirdparty signed-in",
        "thirdparty signed-up",
    ];
    assert_eq!(kinds, expected.map(str::to_owned).into());
    for event in events {
        assert_eq!((&event["client"], &event["caller"]), (&json!("192.0.2.7"), &json!("127.0.0.1")), "{event}");
    }
}

#[tokio::test]
async fn what_is_not_exactly_one_address_is_none() {
    for from in [&[][..], &["192.0.2.7", "192.0.2.8"], &["192.0.2.7, 192.0.2.8"], &["unknown"], &["127.0.0.1"]] {
        let app = told_of_people().await;
        a_day(&app, from).await;
        for event in told(&app).await {
            assert_eq!(event.get("client"), None, "{from:?}: {event}");
        }
    }
}

/// The client addresses in two events after a call with these headers.
async fn clients(settings: &[(&str, &str)], headers: &[(&str, &str)]) -> Vec<Value> {
    let app = settings.iter().fold(TestApp::builder(), |app, (key, value)| app.setting(key, value)).build().await;
    let request = app.post("/recipe/signinup", google("g-1", "one@x.io"));
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).await.ok();
    let events = told(&app).await;
    assert_eq!(events.len(), 2);
    events.iter().map(|event| event["client"].clone()).collect()
}

#[tokio::test]
async fn no_header_is_believed_unless_its_sender_and_its_name_are_set() {
    const FORWARDED: [(&str, &str); 2] = [("x-forwarded-for", "192.0.2.7"), ("x-real-ip", " 2001:db8::8 ")];
    let (named, trusted) = (("brute_force_address_header", "X-Real-IP"), ("trusted_proxies", "127.0.0.0/8,::1"));
    let nobody = [Value::Null, Value::Null];
    assert_eq!(clients(&[], &FORWARDED).await, nobody);
    assert_eq!(clients(&[named], &FORWARDED).await, nobody);
    assert_eq!(clients(&[trusted], &FORWARDED).await, nobody);
    assert_eq!(clients(&[named, ("trusted_proxies", "10.0.0.0/8")], &FORWARDED).await, nobody);
    assert_eq!(clients(&[named, trusted], &FORWARDED).await, ["2001:db8::8", "2001:db8::8"]);
}

#[tokio::test]
async fn the_header_of_proxies_tells_the_first_address_that_is_not_theirs() {
    let named = ("brute_force_address_header", "x-forwarded-for");
    let trusted = ("trusted_proxies", "127.0.0.1,10.0.0.0/8");
    for (header, client) in [
        ("192.0.2.7", json!("192.0.2.7")),
        ("203.0.113.9, 192.0.2.7, 10.0.0.5", json!("192.0.2.7")),
        ("10.0.0.6, 10.0.0.5", Value::Null),
        ("192.0.2.7, unknown", Value::Null),
    ] {
        assert_eq!(
            clients(&[named, trusted], &[("x-forwarded-for", header)]).await,
            [client.clone(), client],
            "{header}"
        );
    }
}
