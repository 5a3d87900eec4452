//! `/recipe/user/email/verify` and below.

use crate::app::{START, TestApp, TestReply};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const TOKEN: &str = "/recipe/user/email/verify/token";
const VERIFY: &str = "/recipe/user/email/verify";
const DAY: u64 = 86_400_000;

fn of(user: &str, email: &str) -> Value {
    json!({"userId": user, "email": email})
}

fn used(token: &str) -> Value {
    json!({"method": "token", "token": token})
}

async fn token(app: &TestApp, prefix: &str, user: &str, email: &str) -> String {
    app.post(&format!("{prefix}{TOKEN}"), of(user, email)).await.ok().text_at("/token")
}

async fn is_verified(app: &TestApp, user: &str, email: &str) -> bool {
    let email: String = form_urlencoded::byte_serialize(email.as_bytes()).collect();
    let reply = app.get(&format!("{VERIFY}?userId={user}&email={email}")).await.ok().json();
    reply["isVerified"].as_bool().expect("a truth value")
}

#[track_caller]
fn is_invalid(reply: &TestReply) {
    assert_eq!(reply.json(), json!({"status": "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}));
}

/// A version of each generation, and what stands before the path in it.
const VERSIONS: [(&str, &str); 6] =
    [("2.7", ""), ("2.21", ""), ("3.0", "/public"), ("4.0", "/public"), ("5.0", "/public"), ("5.6", "/public")];

#[tokio::test]
async fn an_address_is_verified_once_in_every_version() {
    for (version, prefix) in VERSIONS {
        let app = TestApp::new().await;
        let created = app.post(&format!("{prefix}{TOKEN}"), of("u", " A@Example.COM ")).cdi(version).await.ok();
        let token = created.text_at("/token");
        assert_eq!(created.json(), json!({"status": "OK", "token": token}), "{version}");
        assert!(!is_verified(&app, "u", "a@example.com").await, "{version}");
        let verified = app.post(&format!("{prefix}{VERIFY}"), used(&token)).cdi(version).await;
        assert_eq!(verified.json(), json!({"status": "OK", "userId": "u", "email": "a@example.com"}), "{version}");
        is_invalid(&app.post(&format!("{prefix}{VERIFY}"), used(&token)).cdi(version).await);

        let status = app.get(&format!("{VERIFY}?userId=u&email=a%40example.com")).cdi(version).await;
        assert_eq!(status.json(), json!({"status": "OK", "isVerified": true}), "{version}");
        let again = app.post(&format!("{prefix}{TOKEN}"), of("u", "A@example.com")).cdi(version).await;
        assert_eq!(again.json(), json!({"status": "EMAIL_ALREADY_VERIFIED_ERROR"}), "{version}");
        let removed = app.post("/recipe/user/email/verify/remove", of("u", " A@example.com")).cdi(version).await;
        assert_eq!(removed.json(), json!({"status": "OK"}), "{version}");
        assert!(!is_verified(&app, "u", "a@example.com").await, "{version}");
    }
}

#[tokio::test]
async fn a_token_is_the_base64_of_96_hex_digits() {
    let app = TestApp::new().await;
    let (first, second) = (token(&app, "", "u", "a@b.c").await, token(&app, "", "u", "a@b.c").await);
    assert_ne!(first, second);
    for token in [first, second] {
        assert_eq!(token.len(), 128);
        let inside = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
        assert!(inside.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)), "{token}");
    }
}

#[tokio::test]
async fn several_tokens_live_until_one_is_used() {
    let app = TestApp::new().await;
    let tokens = [token(&app, "", "u", "a@b.c").await, token(&app, "", "u", "a@b.c").await];
    let other = token(&app, "", "u", "other@b.c").await;
    app.post(VERIFY, used(&tokens[1])).await.ok();
    is_invalid(&app.post(VERIFY, used(&tokens[0])).await);
    assert!(is_verified(&app, "u", "a@b.c").await);
    assert!(!is_verified(&app, "u", "other@b.c").await);
    assert!(!is_verified(&app, "v", "a@b.c").await);
    app.post(VERIFY, used(&other)).await.ok();
    assert!(is_verified(&app, "u", "other@b.c").await);
}

#[tokio::test]
async fn a_token_is_good_until_its_last_millisecond() {
    let app = TestApp::new().await;
    let (first, second) = (token(&app, "", "u", "a@b.c").await, token(&app, "", "v", "a@b.c").await);
    app.clock.set(START.plus(DAY));
    app.post(VERIFY, used(&first)).await.ok();
    app.clock.set(START.plus(DAY + 1));
    is_invalid(&app.post(VERIFY, used(&second)).await);
    assert!(!is_verified(&app, "v", "a@b.c").await);
}

#[tokio::test]
async fn a_token_that_comes_too_late_uses_up_the_others() {
    let app = TestApp::new().await;
    let late = token(&app, "", "u", "a@b.c").await;
    app.clock.advance(DAY / 2);
    let young = token(&app, "", "u", "a@b.c").await;
    let elsewhere = token(&app, "", "u", "other@b.c").await;
    app.clock.advance(DAY / 2 + 1);
    is_invalid(&app.post(VERIFY, used(&late)).await);
    is_invalid(&app.post(VERIFY, used(&young)).await);
    app.post(VERIFY, used(&elsewhere)).await.ok();
}

#[tokio::test]
async fn the_lifetime_is_a_setting_of_the_tenant() {
    let app = TestApp::builder().setting("email_verification_token_lifetime", "5000").build().await;
    let body = json!({"tenantId": "t1", "coreConfig": {"email_verification_token_lifetime": 1000}});
    app.put("/recipe/multitenancy/tenant/v2", body).await.ok();
    let (public, own) = (token(&app, "", "u", "a@b.c").await, token(&app, "/t1", "u", "a@b.c").await);
    app.clock.advance(1001);
    is_invalid(&app.post("/t1/recipe/user/email/verify", used(&own)).await);
    app.clock.advance(3999);
    app.post(VERIFY, used(&public)).await.ok();
}

#[tokio::test]
async fn a_token_is_of_its_tenant_and_the_mark_of_the_whole_app() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let (public, own) = (token(&app, "", "u", "a@b.c").await, token(&app, "/t1", "u", "a@b.c").await);
    is_invalid(&app.post(VERIFY, used(&own)).await);
    is_invalid(&app.post("/t1/recipe/user/email/verify", used(&public)).await);
    app.post("/t1/recipe/user/email/verify", used(&own)).await.ok();
    assert!(is_verified(&app, "u", "a@b.c").await);
    // The public tenant's token was not used up.
    app.post(VERIFY, used(&public)).await.ok();
    let again = app.post(&format!("/t1{TOKEN}"), of("u", "a@b.c")).await;
    assert_eq!(again.json()["status"], "EMAIL_ALREADY_VERIFIED_ERROR");
}

#[tokio::test]
async fn revoking_takes_the_tokens_of_one_tenant_and_leaves_the_mark() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let gone = [token(&app, "", "u", "a@b.c").await, token(&app, "", "u", "a@b.c").await];
    let kept = [token(&app, "/t1", "u", "a@b.c").await, token(&app, "", "u", "other@b.c").await];
    let revoke = || app.post("/recipe/user/email/verify/token/remove", of("u", " A@b.c"));
    assert_eq!(revoke().await.json(), json!({"status": "OK"}));
    assert_eq!(revoke().await.json(), json!({"status": "OK"}));
    for token in &gone {
        is_invalid(&app.post(VERIFY, used(token)).await);
    }
    // A token made after a revocation is a new one.
    let new = token(&app, "", "u", "a@b.c").await;
    is_invalid(&app.post(VERIFY, used(&gone[0])).await);
    app.post(VERIFY, used(&new)).await.ok();
    app.post("/t1/recipe/user/email/verify", used(&kept[0])).await.ok();
    app.post(VERIFY, used(&kept[1])).await.ok();
    assert_eq!(revoke().await.json(), json!({"status": "OK"}));
    assert!(is_verified(&app, "u", "a@b.c").await);
}

#[tokio::test]
async fn unverifying_leaves_the_tokens() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let (first, second) = (token(&app, "", "u", "a@b.c").await, token(&app, "/t1", "u", "a@b.c").await);
    app.post(VERIFY, used(&first)).await.ok();
    app.post("/recipe/user/email/verify/remove", of("u", "a@b.c")).await.ok();
    app.post("/recipe/user/email/verify/remove", of("nobody", "a@b.c")).await.ok();
    assert!(!is_verified(&app, "u", "a@b.c").await);
    app.post("/t1/recipe/user/email/verify", used(&second)).await.ok();
    assert!(is_verified(&app, "u", "a@b.c").await);
}

#[tokio::test]
async fn asking_for_the_state_takes_the_address_as_it_is() {
    let app = TestApp::new().await;
    let token = token(&app, "", "u", "A@b.c").await;
    app.post(VERIFY, used(&token)).await.ok();
    assert!(is_verified(&app, "u", "a@b.c").await);
    assert!(!is_verified(&app, "u", "A@b.c").await);
}

#[tokio::test]
async fn bad_input_is_named() {
    let app = TestApp::new().await;
    for path in [TOKEN, "/recipe/user/email/verify/token/remove", "/recipe/user/email/verify/remove"] {
        app.post(path, json!({"email": 1})).await.is_text(400, "Field name 'userId' is invalid in JSON input");
        app.post(path, json!({"userId": "u"})).await.is_text(400, "Field name 'email' is invalid in JSON input");
        let long = format!("{}@b.c", "a".repeat(509));
        let sentence = "Field name 'email' cannot be longer than 512 bytes";
        app.post(path, of("u", &long)).await.is_text(400, sentence);
        app.post(path, of("u", &format!(" {}", &long[1..]))).await.ok();
        app.post(path, json!([])).await.is_text(400, "Invalid Json Input");
    }
    app.post(VERIFY, json!({"token": "t"})).await.is_text(400, "Field name 'method' is invalid in JSON input");
    app.post(VERIFY, json!({"method": "x"})).await.is_text(400, "Field name 'token' is invalid in JSON input");
    let reply = app.post(VERIFY, json!({"method": "link", "token": "t"})).await;
    reply.is_text(400, "Unsupported method for email verification");
    app.get(VERIFY).await.is_text(400, "Field name 'userId' is missing in GET request");
    app.get(&format!("{VERIFY}?userId=")).await.is_text(400, "Field name 'email' is missing in GET request");
    assert!(!is_verified(&app, "", "").await);
    is_invalid(&app.post(VERIFY, used("")).await);
}

#[tokio::test]
async fn tenants_in_the_path_mean_what_the_protocol_says() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let refused = "Only public tenantId can call this app specific API";
    let unknown = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId \
                   combination not found: (, public, t2)";
    app.get(&format!("/t1{VERIFY}?userId=u&email=e")).cdi("5.0").await.is_text(403, refused);
    app.post(&format!("/t1{VERIFY}/remove"), of("u", "e")).cdi("5.0").await.is_text(403, refused);
    app.get(&format!("/t1{VERIFY}?userId=u&email=e")).cdi("4.0").await.ok();
    app.post(&format!("/t1{VERIFY}/remove"), of("u", "e")).cdi("4.0").await.ok();
    app.post(&format!("/t2{TOKEN}"), of("u", "e")).await.is_text(400, unknown);
    app.post(&format!("/t2{TOKEN}/remove"), of("u", "e")).await.is_text(400, unknown);
    app.post(&format!("/t2{VERIFY}"), used("t")).await.is_text(400, unknown);
    app.post(&format!("/t1{TOKEN}"), of("u", "e")).cdi("2.21").await.is_text(404, "Not found");
}

#[tokio::test]
async fn long_user_ids_are_as_good_as_short_ones() {
    let app = TestApp::new().await;
    let users = ["u".repeat(10_000), format!("{}v", "u".repeat(9_999)), "\u{0}".repeat(256)];
    let token = token(&app, "", &users[0], "a@b.c").await;
    let verified = app.post(VERIFY, used(&token)).await.ok();
    assert_eq!(verified.text_at("/userId"), users[0]);
    assert!(is_verified(&app, &users[0], "a@b.c").await);
    assert!(!is_verified(&app, &users[1], "a@b.c").await);
    app.post(TOKEN, of(&users[2], &"\u{0}é".repeat(170))).await.ok();
}
