//! Mails of the front door, and who may read those that were caught.

use super::second_factors::Page;
use super::{PASSWORD, form, sign_up, sign_up_by_header};
use crate::app::{TestApp, TestReply};
use http::Method;
use serde_json::{Value, json};
use sessiond::command::outbox::operate::ListMail;
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::ids::AppId;
use sessiond::domain::mail::MailKind;
use sessiond::jobs::outbox::round;

async fn ask_for_reset(app: &TestApp, email: &str) -> TestReply {
    let form = json!({"formFields": [{"id": "email", "value": email}]});
    app.front(Method::POST, "/auth/user/password/reset/token").json(&form).await.ok()
}

#[tokio::test]
async fn a_link_sets_a_new_password_and_verifies_the_address() {
    let app = TestApp::new().await;
    sign_up(&app, "a@b.cd").await;
    assert_eq!(ask_for_reset(&app, "nobody@b.cd").await.body(), ask_for_reset(&app, "a@b.cd").await.body());
    round(&app.context).await.unwrap();
    let mails = app.front(Method::GET, "/auth/dev/mail.json").await.json();
    assert_eq!(mails.as_array().unwrap().len(), 1, "nobody gets no mail: {mails}");
    let link = mails[0]["link"].as_str().unwrap();
    let (page, query) = link.split_once('?').unwrap();
    assert_eq!(page, "http://localhost:3568/auth/reset-password");
    let token = query.strip_prefix("token=").and_then(|rest| rest.strip_suffix("&tenantId=public")).unwrap();

    let reset = json!({"token": token, "formFields": [{"id": "password", "value": "another horse 2"}]});
    app.front(Method::POST, "/auth/user/password/reset").json(&reset).await.ok();
    let again = app.front(Method::POST, "/auth/user/password/reset").json(&reset).await;
    assert_eq!(again.json()["status"], "RESET_PASSWORD_INVALID_TOKEN_ERROR");
    let old = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", PASSWORD)).await;
    assert_eq!(old.json()["status"], "WRONG_CREDENTIALS_ERROR");
    let new = app.front(Method::POST, "/auth/signin").json(&form("a@b.cd", "another horse 2")).await.ok();
    assert_eq!(new.json()["user"]["loginMethods"][0]["verified"], true);
}

#[tokio::test]
async fn the_owner_of_an_address_ends_the_sessions_of_whoever_signed_up_with_it() {
    let app = TestApp::new().await;
    let mut thief = Page::of(&app, &sign_up_by_header(&app, "a@b.cd").await);
    reset(&app, "a@b.cd", "another horse 2").await;
    let refused = thief.send(Method::GET, "/auth/user/email/verify", Value::Null).await;
    assert_eq!(refused.code(), 401, "{}", refused.body());

    let owner = app.front(Method::POST, "/auth/signin").header("st-auth-mode", "header");
    let mut owner = Page::of(&app, &owner.json(&form("a@b.cd", "another horse 2")).await.ok());
    reset(&app, "a@b.cd", "another horse 3").await;
    owner.send(Method::GET, "/auth/user/email/verify", Value::Null).await.ok();
}

/// Uses a link for a new password.
async fn reset(app: &TestApp, email: &str, password: &str) {
    ask_for_reset(app, email).await;
    round(&app.context).await.unwrap();
    let mails = app.front(Method::GET, "/auth/dev/mail.json").await.json();
    let newest = mails.as_array().unwrap().last().unwrap();
    let token = newest["link"].as_str().unwrap().split(['=', '&']).nth(1).unwrap();
    let body = json!({"token": token, "formFields": [{"id": "password", "value": password}]});
    let done = app.front(Method::POST, "/auth/user/password/reset").json(&body).await.ok();
    assert_eq!(done.json()["status"], "OK", "{mails}");
}

#[tokio::test]
async fn a_tenant_says_how_long_its_links_last() {
    let app = TestApp::builder().setting("recipe_list", "emailverification,emailpassword,passwordless").build().await;
    let settings = json!({
        "password_reset_token_lifetime": 60_000, "email_verification_token_lifetime": 120_000,
        "passwordless_code_lifetime": 180_000,
    });
    let factors = json!(["emailpassword", "otp-email"]);
    let tenant = json!({"tenantId": "t1", "firstFactors": factors, "coreConfig": settings});
    app.put("/recipe/multitenancy/tenant/v2", tenant).await.ok();
    let up = app.front(Method::POST, "/auth/t1/signup").json(&form("a@b.cd", PASSWORD)).await.ok();
    let bearer = format!("Bearer {}", up.header("st-access-token").concat());
    let asked = json!({"formFields": [{"id": "email", "value": "a@b.cd"}]});
    app.front(Method::POST, "/auth/t1/user/password/reset/token").json(&asked).await.ok();
    let verify = app.front(Method::POST, "/auth/user/email/verify/token").header("authorization", &bearer);
    verify.json(&json!({})).await.ok();
    app.front(Method::POST, "/auth/t1/signinup/code").json(&json!({"email": "c@b.cd"})).await.ok();
    let scope =
        Scope { app: app.context.directory.app(&AppId::base()).unwrap(), cause: Cause::without_request("test") };
    let waiting = ListMail { scope, limit: 10 }.run(&app.context).await.unwrap();
    let lasts = |kind: MailKind| {
        let mail = waiting.iter().find(|mail| mail.record.kind == kind).expect("a mail");
        mail.record.expires.0 - mail.record.created.0
    };
    assert_eq!(lasts(MailKind::PasswordReset), 60_000);
    assert_eq!(lasts(MailKind::EmailVerification), 120_000);
    assert_eq!(lasts(MailKind::PasswordlessLogin), 180_000);
}

#[tokio::test]
async fn asking_for_somebody_and_for_nobody_is_the_same_work() {
    let app = TestApp::new().await;
    sign_up(&app, "a@b.cd").await;
    let commits = async |email: &str| {
        let before = app.context.store.stats().commits;
        ask_for_reset(&app, email).await;
        app.context.store.stats().commits - before
    };
    let (somebody, nobody) = (commits("a@b.cd").await, commits("nobody@b.cd").await);
    assert_eq!(somebody, nobody);
}

#[tokio::test]
async fn mails_are_written_in_the_language_of_the_browser() {
    let app = TestApp::builder().setting("app_name", "Laden").build().await;
    sign_up(&app, "a@b.cd").await;
    let form = json!({"formFields": [{"id": "email", "value": "a@b.cd"}]});
    let request = app.front(Method::POST, "/auth/user/password/reset/token");
    request.header("accept-language", "tlh, de-AT;q=0.9, en;q=0.5").json(&form).await.ok();
    round(&app.context).await.unwrap();
    let mail = &app.front(Method::GET, "/auth/dev/mail.json").await.json()[0];
    assert_eq!(mail["language"], "de");
    assert!(mail["subject"].as_str().unwrap().contains("Laden"), "{mail}");
}

#[tokio::test]
async fn caught_mails_are_for_this_machines_own_programs_and_address_bars() {
    let app = TestApp::new().await;
    for path in ["/auth/dev/mail", "/auth/dev/mail.json"] {
        let open = app.front(Method::GET, path);
        assert_eq!(open.await.code(), 200, "{path}");
        for (name, value) in [
            ("origin", "http://localhost:3000"),
            ("origin", "null"),
            ("referer", "http://localhost:3000/page"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "cross-site"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "auth.example.com"),
            ("x-real-ip", "192.0.2.1"),
            ("via", "1.1 proxy"),
            ("forwarded", "for=192.0.2.1"),
        ] {
            let refused = app.front(Method::GET, path).header(name, value).await;
            assert_eq!(refused.code(), 404, "{path} {name}: {value}");
        }
        assert_eq!(app.front(Method::GET, path).from("192.0.2.1").await.code(), 404, "{path} from afar");
        let own = app.front(Method::GET, path).header("referer", "http://localhost:3568/auth/dev/mail").await;
        assert_eq!(own.code(), 200, "{path} from the front door itself");
    }
    let public = TestApp::builder().setting("api_domain", "https://auth.example.com").build().await;
    assert_eq!(public.front(Method::GET, "/auth/dev/mail.json").await.code(), 404);
}
