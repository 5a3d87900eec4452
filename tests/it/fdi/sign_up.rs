//! Who may sign up. Whoever has an account signs in whatever the rules, and nobody learns from them who has one.

use super::second_factors::Page;
use super::{PASSWORD, form, sign_up, sign_up_by_header};
use crate::app::{TestApp, TestAppBuilder, TestReply};
use http::Method;
use serde_json::{Value, json};
use sessiond::jobs::outbox::round;

const CLOSED: &str = "Signing up is not possible here. If you have an account, please sign in.";
const FOREIGN: &str = "Signing up is not possible with this email address. Please use a different one.";

fn cheap() -> TestAppBuilder {
    TestApp::builder().setting("bcrypt_log_rounds", "4")
}

async fn post(app: &TestApp, path: &str, body: Value) -> TestReply {
    app.front(Method::POST, &format!("/auth{path}")).json(&body).await
}

/// Signs somebody up through the core, which has no such rules.
async fn known(app: &TestApp, email: &str) {
    app.post("/recipe/signup", json!({"email": email, "password": PASSWORD})).await.ok();
}

async fn count(app: &TestApp) -> Value {
    app.get("/users/count").await.ok().json()["count"].clone()
}

#[tokio::test]
async fn closed_sign_up_says_the_same_about_everybody_and_lets_people_sign_in() {
    let app = cheap().setting("sign_up", "off").build().await;
    known(&app, "a@b.cd").await;
    let refused = json!({"status": "SIGN_UP_NOT_ALLOWED", "reason": CLOSED});
    for email in ["a@b.cd", "new@b.cd"] {
        assert_eq!(post(&app, "/signup", form(email, PASSWORD)).await.json(), refused, "{email}");
    }
    assert_eq!(post(&app, "/signin", form("a@b.cd", PASSWORD)).await.json()["status"], "OK");
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn tenants_have_rules_of_their_own() {
    let app = cheap().build().await;
    for (id, rule) in
        [("closed", json!({"sign_up": "off"})), ("staff", json!({"sign_up_allowed_domains": "shop.example"}))]
    {
        let body = json!({"tenantId": id, "firstFactors": ["emailpassword"], "coreConfig": rule});
        app.put("/recipe/multitenancy/tenant/v2", body).await.ok();
    }
    let status = async |path: &str| post(&app, path, form("a@b.cd", PASSWORD)).await.json()["status"].clone();
    assert_eq!(status("/closed/signup").await, "SIGN_UP_NOT_ALLOWED");
    assert_eq!(status("/staff/signup").await, "FIELD_ERROR");
    assert_eq!(status("/signup").await, "OK");
}

#[tokio::test]
async fn addresses_of_other_domains_are_refused_at_their_field_whether_they_are_known_or_not() {
    let app = cheap()
        .setting("sign_up_allowed_domains", "shop.example, bücher.example")
        .setting("sign_up_blocked_domains", "old.shop.example")
        .build()
        .await;
    known(&app, "known@b.cd").await;
    let refused = json!({"status": "FIELD_ERROR", "formFields": [{"id": "email", "error": FOREIGN}]});
    for email in ["known@b.cd", "new@b.cd", "a@old.shop.example", "a@shop.example.b.cd"] {
        assert_eq!(post(&app, "/signup", form(email, PASSWORD)).await.json(), refused, "{email}");
    }
    for email in ["a+b@Shop.Example", "a@mail.shop.example", "a@xn--bcher-kva.example"] {
        assert_eq!(post(&app, "/signup", form(email, PASSWORD)).await.json()["status"], "OK", "{email}");
    }
    assert_eq!(post(&app, "/signin", form("known@b.cd", PASSWORD)).await.json()["status"], "OK");
}

/// Asks for a code and returns what is needed to use it, with the code that was sent.
async fn code(app: &TestApp, contact: Value, to: &str) -> (Value, String) {
    let begun = post(app, "/signinup/code", contact).await.ok().json();
    round(&app.context).await.unwrap();
    let sent = app.context.mailer.caught.list().into_iter().find(|mail| mail.to == to).expect("a message");
    app.context.mailer.caught.clear();
    (begun, sent.code.unwrap())
}

async fn enter(app: &TestApp, begun: &Value, code: &str) -> Value {
    let (device, session) = (&begun["deviceId"], &begun["preAuthSessionId"]);
    let body = json!({"deviceId": device, "preAuthSessionId": session, "userInputCode": code});
    post(app, "/signinup/code/consume", body).await.json()
}

#[tokio::test]
async fn only_who_reads_the_code_learns_that_there_is_no_account() {
    for rule in [("sign_up", "off"), ("sign_up_allowed_domains", "shop.example")] {
        let app = cheap()
            .setting("recipe_list", "passwordless")
            .setting("passwordless_contact_method", "EMAIL_OR_PHONE")
            .setting(rule.0, rule.1)
            .build()
            .await;
        let made = app.post("/recipe/signinup/code", json!({"email": "known@b.cd"})).await.ok().json();
        let (device, input) = (&made["deviceId"], &made["userInputCode"]);
        let body = json!({"preAuthSessionId": made["preAuthSessionId"], "deviceId": device, "userInputCode": input});
        app.post("/recipe/signinup/code/consume", body).await.ok();

        let contacts = [
            (json!({"email": "known@b.cd"}), "known@b.cd"),
            (json!({"email": "new@b.cd"}), "new@b.cd"),
            (json!({"phoneNumber": "+4915112345678"}), "+4915112345678"),
        ];
        for (contact, to) in contacts {
            let (begun, code) = code(&app, contact, to).await;
            assert_eq!(begun["status"], "OK");
            let wrong = enter(&app, &begun, "wrong").await;
            assert_eq!(
                (&wrong["status"], &wrong["failedCodeInputAttemptCount"]),
                (&json!("INCORRECT_USER_INPUT_CODE_ERROR"), &json!(1))
            );
            let right = enter(&app, &begun, &code).await;
            let expected = if to == "known@b.cd" { "OK" } else { "SIGN_IN_UP_NOT_ALLOWED" };
            assert_eq!(right["status"], expected, "{rule:?} {to}: {right}");
        }
        assert_eq!(count(&app).await, 1, "{rule:?}");
    }
}

#[tokio::test]
async fn people_add_login_methods_where_sign_up_is_closed_but_no_accounts() {
    let app = cheap()
        .setting("recipe_list", "emailverification,emailpassword,passwordless")
        .setting("account_linking", "verified")
        .setting("sign_up", "off")
        .build()
        .await;
    known(&app, "a@b.cd").await;
    let signed_in = post(&app, "/signin", form("a@b.cd", PASSWORD)).await.ok();
    let id = signed_in.text_at("/user/id");
    let token = super::linking::verification_token(&app, &id, "a@b.cd").await.unwrap();
    app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    let mut page = Page::of(&app, &signed_in);

    // An address that nobody has verified is not linked, and stays nobody's.
    let mut other = form("other@b.cd", PASSWORD);
    other["shouldTryLinkingWithSessionUser"] = json!(true);
    let refused = page.send(Method::POST, "/auth/signup", other.clone()).await;
    assert_eq!(refused.json()["status"], "SIGN_UP_NOT_ALLOWED", "{}", refused.body());
    assert!(refused.text_at("/reason").ends_with("(ERR_CODE_013)"), "{}", refused.body());
    assert_eq!(count(&app).await, 1);
    assert_eq!(post(&app, "/signin", form("other@b.cd", PASSWORD)).await.json()["status"], "WRONG_CREDENTIALS_ERROR");

    // A code shows that the address is theirs.
    let contact = json!({"email": "other@b.cd", "shouldTryLinkingWithSessionUser": true});
    let begun = page.send(Method::POST, "/auth/signinup/code", contact).await.ok().json();
    round(&app.context).await.unwrap();
    let sent = app.context.mailer.caught.list().into_iter().find(|mail| mail.to == "other@b.cd").expect("a message");
    let body = json!({
        "deviceId": begun["deviceId"], "preAuthSessionId": begun["preAuthSessionId"],
        "userInputCode": sent.code.unwrap(), "shouldTryLinkingWithSessionUser": true,
    });
    let linked = page.send(Method::POST, "/auth/signinup/code/consume", body).await;
    assert_eq!(linked.json()["status"], "OK", "{}", linked.body());
    assert_eq!(linked.json()["user"]["loginMethods"].as_array().unwrap().len(), 2);
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn a_login_method_that_cannot_be_linked_stays_where_sign_up_is_open() {
    let app = cheap().setting("account_linking", "verified").build().await;
    let up = sign_up_by_header(&app, "a@b.cd").await;
    let token = super::linking::verification_token(&app, &up.text_at("/user/id"), "a@b.cd").await.unwrap();
    app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    let mut other = form("other@b.cd", PASSWORD);
    other["shouldTryLinkingWithSessionUser"] = json!(true);
    let refused = Page::of(&app, &up).send(Method::POST, "/auth/signup", other).await;
    assert_eq!(refused.json()["status"], "SIGN_UP_NOT_ALLOWED");
    assert_eq!(count(&app).await, 2);
}

#[tokio::test]
async fn who_has_an_account_is_not_told_where_that_is_closed() {
    for (setting, told) in [("true", true), ("false", false)] {
        let app = cheap()
            .setting("recipe_list", "emailpassword,passwordless")
            .setting("passwordless_contact_method", "EMAIL_OR_PHONE")
            .setting("account_exists_api", setting)
            .build()
            .await;
        sign_up(&app, "a@b.cd").await;
        for contact in [json!({"email": "c@b.cd"}), json!({"phoneNumber": "+4915112345678"})] {
            let made = app.post("/recipe/signinup/code", contact).await.ok().json();
            let (device, input) = (&made["deviceId"], &made["userInputCode"]);
            let body =
                json!({"preAuthSessionId": made["preAuthSessionId"], "deviceId": device, "userInputCode": input});
            app.post("/recipe/signinup/code/consume", body).await.ok();
        }
        for path in [
            "/emailpassword/email/exists?email=a@b.cd",
            "/signup/email/exists?email=a@b.cd",
            "/passwordless/email/exists?email=c@b.cd",
            "/passwordless/phonenumber/exists?phoneNumber=%2B4915112345678",
        ] {
            let reply = app.front(Method::GET, &format!("/auth{path}")).await.ok();
            assert_eq!(reply.json(), json!({"status": "OK", "exists": told}), "{path}");
        }
        let bad = app.front(Method::GET, "/auth/emailpassword/email/exists").await;
        assert_eq!(bad.code(), 400, "{}", bad.body());
    }
}
