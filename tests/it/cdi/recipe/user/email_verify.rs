//! `/recipe/user/email/verify` and below.

use crate::app::{START, TestApp, TestReply};
use crate::people::{by_password, by_phone, mapped, method, with_cheap_passwords};
use crate::refused::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sessiond::domain::user::Login;

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

/// A version of each generation, and the path prefix for it.
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
async fn unverifying_and_revoking_leave_each_others_alone() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.post("/recipe/user/email/verify/remove", of("nobody", "a@b.c")).await.ok();
    // In each of the two tenants an address is marked verified while another tenant's token is valid.
    for (number, (first, second)) in [("", "/t1"), ("/t1", "")].into_iter().enumerate() {
        let user = format!("u{number}");
        let tokens = [token(&app, first, &user, "a@b.c").await, token(&app, second, &user, "a@b.c").await];
        app.post(&format!("{first}{VERIFY}"), used(&tokens[0])).await.ok();
        app.post("/recipe/user/email/verify/remove", of(&user, "a@b.c")).await.ok();
        assert!(!is_verified(&app, &user, "a@b.c").await);
        // The mark is deleted, and a new one is made while another token is valid.
        let again = token(&app, first, &user, "a@b.c").await;
        app.post(&format!("{second}{VERIFY}"), used(&tokens[1])).await.ok();
        assert!(is_verified(&app, &user, "a@b.c").await);
        app.post(&format!("{first}/recipe/user/email/verify/token/remove"), of(&user, "a@b.c")).await.ok();
        assert!(is_verified(&app, &user, "a@b.c").await, "the mark remains");
        is_invalid(&app.post(&format!("{first}{VERIFY}"), used(&again)).await);
    }
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
    // Something that could be lost.
    let mark = token(&app, "", "u", "a@b.c").await;
    app.post(VERIFY, used(&mark)).await.ok();
    let living = token(&app, "", "u", "other@b.c").await;
    for version in ["2.7", "3.1", "5.6"] {
        for path in [TOKEN, "/recipe/user/email/verify/token/remove", "/recipe/user/email/verify/remove"] {
            let good = post(path, version, of("u", "a@b.c"));
            app.wants_texts(&good, &["userId", "email"]).await;
            let long = format!("{}@b.c", "a".repeat(509));
            let sentence = "Field name 'email' cannot be longer than 512 bytes";
            app.refuses_each(&good, &[(json!({"email": long}), sentence)]).await;
            app.refuses_each(
                &good,
                &[(json!({"userId": 1, "email": 1}), "Field name 'userId' is invalid in JSON input")],
            )
            .await;
            app.post(path, of("v", &format!(" {}", &long[1..]))).await.ok();
        }
        let good = post(VERIFY, version, used(&living));
        app.wants_texts(&good, &["method", "token"]).await;
        let unsupported = "Unsupported method for email verification";
        app.refuses_each(
            &good,
            &[
                (json!({"method": "x", "token": null}), "Field name 'token' is invalid in JSON input"),
                (json!({"method": "link"}), unsupported),
                (json!({"method": "TOKEN"}), unsupported),
                (json!({"method": ""}), unsupported),
            ],
        )
        .await;
    }
    app.post(VERIFY, used(&living)).await.ok();
    app.get(VERIFY).await.is_text(400, "Field name 'userId' is missing in GET request");
    app.get(&format!("{VERIFY}?userId=")).await.is_text(400, "Field name 'email' is missing in GET request");
    let long = format!("{VERIFY}?userId=u&email={}", "a".repeat(513));
    app.get(&long).await.is_text(400, "Field name 'email' cannot be longer than 512 bytes");
    assert!(!is_verified(&app, "", "").await);
    let before = app.stored().await;
    for wrong in ["", " ", &living, &format!("{mark} "), &"t".repeat(100_000), "\u{0}"] {
        is_invalid(&app.post(VERIFY, used(wrong)).await);
    }
    assert!(app.stored().await == before);
}

#[tokio::test]
async fn routes_of_a_tenant_want_one_that_is_there() {
    let app = TestApp::new().await;
    for path in [TOKEN, "/recipe/user/email/verify/token/remove"] {
        app.is_of_a_tenant(&post(path, "", of("u", "a@b.c"))).await;
    }
    app.is_of_a_tenant(&post(VERIFY, "", used("t"))).await;
}

#[tokio::test]
async fn tokens_and_marks_are_of_one_app() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    let here = token(&app, "", "u", "a@b.c").await;
    is_invalid(&app.post(&format!("/appid-a1{VERIFY}"), used(&here)).await);
    app.post(VERIFY, used(&here)).await.ok();
    let there = app.get(&format!("/appid-a1{VERIFY}?userId=u&email=a@b.c")).await;
    assert_eq!(there.json(), json!({"status": "OK", "isVerified": false}));
    let there = token(&app, "/appid-a1", "u", "a@b.c").await;
    app.post(&format!("/appid-a1{VERIFY}/remove"), of("u", "a@b.c")).await.ok();
    app.post(&format!("/appid-a1{TOKEN}/remove"), of("u", "a@b.c")).await.ok();
    is_invalid(&app.post(&format!("/appid-a1{VERIFY}"), used(&there)).await);
    assert!(is_verified(&app, "u", "a@b.c").await);
}

#[tokio::test]
async fn users_are_called_by_the_id_with_which_the_token_was_asked_for() {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
    for id in ["mine", "a", "nobody", " a ", "A", ""] {
        let token = token(&app, "", id, "a@x.io").await;
        let verified = app.post(VERIFY, used(&token)).await.json();
        assert_eq!(verified, json!({"status": "OK", "userId": id, "email": "a@x.io"}));
    }
    app.post("/recipe/user/email/verify/remove", of("mine", "a@x.io")).await.ok();
    assert!(!is_verified(&app, "mine", "a@x.io").await);
    assert!(is_verified(&app, "a", "a@x.io").await, "each id has a mark of its own");
}

/// `verified` of the login methods of the user with this id, wherever users are shown.
async fn shown(app: &TestApp, id: &str, email: &str) -> Vec<Value> {
    let by_id = app.get(&format!("/user/id?userId={id}")).await.ok().json()["user"].clone();
    let listed = app.get("/users").await.ok().json()["users"].clone();
    let listed = listed.as_array().unwrap().iter().find(|user| user["id"] == by_id["id"]).cloned();
    let path = format!("/users/by-accountinfo?doUnionOfAccountInfo=true&email={email}");
    let found = app.get(&path).await.ok().json()["users"][0].clone();
    assert_eq!(listed.as_ref(), Some(&by_id), "the list shows the same as the look-up");
    assert_eq!(found, by_id, "and so does the look-up by address");
    by_id["loginMethods"].as_array().unwrap().iter().map(|method| method["verified"].clone()).collect()
}

#[tokio::test]
async fn login_methods_are_verified_by_the_mark_of_their_address_under_the_id_that_callers_see() {
    let app = with_cheap_passwords().build().await;
    let both = Login::Passwordless { email: Some("c@x.io".to_owned()), phone_number: Some("+493012345".to_owned()) };
    app.people([mapped("mine", by_password("a", 1, "a@x.io")), by_phone("b", 2, "+493054321"), method("c", 3, both)])
        .await;
    app.group(&["a", "b", "c"]).await;
    let mark = async |id: &str, email: &str| {
        let token = token(&app, "", id, email).await;
        app.post(VERIFY, used(&token)).await.ok();
    };
    let (no, yes) = (json!(false), json!(true));
    // A phone number is verified by its first use, unless the user also has an address.
    assert_eq!(shown(&app, "a", "a@x.io").await, [no.clone(), yes.clone(), no.clone()]);
    for (id, email) in [("a", "a@x.io"), ("mine", "c@x.io"), ("mine", "other@x.io"), ("c", "a@x.io")] {
        mark(id, email).await;
        assert_eq!(shown(&app, "a", "a@x.io").await, [no.clone(), yes.clone(), no.clone()], "{id} {email}");
    }
    mark("mine", "a@x.io").await;
    assert_eq!(shown(&app, "a", "a@x.io").await, [yes.clone(), yes.clone(), no.clone()]);
    mark("c", "c@x.io").await;
    assert_eq!(shown(&app, "a", "c@x.io").await, [yes.clone(), yes.clone(), yes.clone()]);
    app.post("/recipe/user/email/verify/remove", of("mine", "a@x.io")).await.ok();
    assert_eq!(shown(&app, "a", "a@x.io").await, [no, yes.clone(), yes]);
}

#[tokio::test]
async fn who_signs_in_is_shown_with_the_marks_that_are_there() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "a password").await;
    let signed_in = async || {
        let body = json!({"email": "jane@x.io", "password": "a password"});
        app.post("/recipe/signin", body).await.ok().json()["user"]["loginMethods"][0]["verified"].clone()
    };
    assert_eq!(signed_in().await, false);
    let token = token(&app, "", &id, "jane@x.io").await;
    app.post(VERIFY, used(&token)).await.ok();
    assert_eq!(signed_in().await, true);
    app.post("/recipe/user/email/verify/remove", of(&id, "jane@x.io")).await.ok();
    assert_eq!(signed_in().await, false);
}

#[tokio::test]
async fn tenants_in_the_path_mean_what_the_protocol_says() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let refused = "Only public tenantId can call this app specific API";
    let token = token(&app, "", "u", "e").await;
    app.post(VERIFY, used(&token)).await.ok();
    for version in ["5.0", "5.6"] {
        app.get(&format!("/t1{VERIFY}?userId=u&email=e")).cdi(version).await.is_text(403, refused);
        let good = post("/recipe/user/email/verify/remove", version, of("u", "e"));
        app.refuses(&good, "/t1", &good.body.to_string(), (403, refused)).await;
    }
    for (version, verified) in [("3.0", true), ("4.0", false)] {
        let shown = app.get(&format!("/t1{VERIFY}?userId=u&email=e")).cdi(version).await.ok().json();
        assert_eq!(shown["isVerified"], verified, "the mark is of the app: {version}");
        app.post(&format!("/t1{VERIFY}/remove"), of("u", "e")).cdi(version).await.ok();
    }
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
