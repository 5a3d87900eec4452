//! Signing in without a password: what is sent, to whom and when, and what comes back.

use super::second_factors::Page;
use super::{PASSWORD, claims, cookies, form, sign_up_by_header};
use crate::app::{TestApp, TestAppBuilder, TestReply};
use http::Method;
use serde_json::{Value, json};
use sessiond::jobs::outbox::round;
use sessiond::outbound::mail::CaughtMailView;
use sessiond::store::Keyspace;

const MAIL: &str = "jane@example.org";
const PHONE: &str = "+4915112345678";

fn shop() -> TestAppBuilder {
    TestApp::builder()
        .setting("recipe_list", "emailverification,emailpassword,passwordless")
        .setting("passwordless_contact_method", "EMAIL_OR_PHONE")
        .setting("website_domain", "https://www.shop.example")
        .setting("api_domain", "https://api.shop.example")
        .setting("app_name", "Shop")
}

async fn post(app: &TestApp, path: &str, body: Value) -> TestReply {
    app.front(Method::POST, &format!("/auth{path}")).header("st-auth-mode", "cookie").json(&body).await
}

/// Asks for a code; returns the reply.
async fn start(app: &TestApp, contact: Value) -> Value {
    post(app, "/signinup/code", contact).await.ok().json()
}

/// What is sent next, to this address or number.
pub(super) async fn message(app: &TestApp, to: &str) -> CaughtMailView {
    round(&app.context).await.unwrap();
    let found = app.context.mailer.caught.list().into_iter().find(|mail| mail.to == to).expect("a message");
    app.context.mailer.caught.clear();
    found
}

/// The link code in a message.
pub(super) fn link_code(message: &CaughtMailView) -> String {
    message.link.as_ref().and_then(|link| link.split_once('#')).expect("a link").1.to_owned()
}

async fn enter(app: &TestApp, begun: &Value, code: &str) -> TestReply {
    let (device, session) = (&begun["deviceId"], &begun["preAuthSessionId"]);
    let body = json!({"deviceId": device, "preAuthSessionId": session, "userInputCode": code});
    post(app, "/signinup/code/consume", body).await
}

async fn follow(app: &TestApp, begun: &Value, code: &str) -> TestReply {
    post(app, "/signinup/code/consume", json!({"preAuthSessionId": begun["preAuthSessionId"], "linkCode": code})).await
}

#[tokio::test]
async fn a_code_and_a_link_by_mail_sign_the_same_person_in() {
    let app = shop().build().await;
    let begun = start(&app, json!({"email": " Jane@Example.org "})).await;
    assert_eq!(begun["flowType"], "USER_INPUT_CODE_AND_MAGIC_LINK");
    let mail = message(&app, MAIL).await;
    let code = mail.code.clone().unwrap();
    assert!(mail.subject.contains("Shop") && mail.text.contains(&code), "{}", mail.text);
    let session = begun["preAuthSessionId"].as_str().unwrap();
    let link = format!("https://www.shop.example/auth/verify?preAuthSessionId={session}&tenantId=public#");
    assert!(mail.link.as_ref().unwrap().starts_with(&link), "{:?}", mail.link);
    let entered = enter(&app, &begun, &code).await.ok();
    assert_eq!(entered.json()["createdNewRecipeUser"], true);
    assert_eq!(claims(&entered)["st-ev"]["v"], true, "whoever reads the code has the mailbox");
    assert_eq!(enter(&app, &begun, &code).await.json()["status"], "RESTART_FLOW_ERROR");

    let begun = start(&app, json!({"email": MAIL})).await;
    let code = link_code(&message(&app, MAIL).await);
    let followed = follow(&app, &begun, &code).await.ok();
    assert_eq!(followed.json()["createdNewRecipeUser"], false);
    assert_eq!(followed.json()["user"]["id"], entered.json()["user"]["id"]);
}

#[tokio::test]
async fn a_code_by_text_message_is_short_and_in_the_language_of_the_browser() {
    let app = shop().build().await;
    let request = app.front(Method::POST, "/auth/signinup/code").header("accept-language", "tlh, de-AT;q=0.8, en");
    let begun = request.json(&json!({"phoneNumber": "+49 1511 2345678"})).await.ok().json();
    let text = message(&app, PHONE).await;
    let (code, link) = (text.code.clone().unwrap(), text.link.clone().unwrap());
    let expected =
        format!("Ihr Code für Shop: {code}\nBei Shop anmelden: {link}\nGültig für 15 Minuten und nur einmal.");
    assert_eq!(text.text, expected);
    assert_eq!((serde_json::to_value(text.kind).unwrap(), text.html.as_str()), (json!("passwordless-text"), ""));
    let entered = enter(&app, &begun, &code).await.ok().json();
    assert_eq!(entered["user"]["phoneNumbers"], json!([PHONE]));
}

#[tokio::test]
async fn only_what_the_settings_allow_is_sent() {
    for (flow, has_code, has_link) in [("USER_INPUT_CODE", true, false), ("MAGIC_LINK", false, true)] {
        let app = shop().setting("passwordless_flow_type", flow).build().await;
        let begun = start(&app, json!({"email": MAIL})).await;
        assert_eq!(begun["flowType"], flow);
        let mail = message(&app, MAIL).await;
        assert_eq!((mail.code.is_some(), mail.link.is_some()), (has_code, has_link));
        post(&app, "/signinup/code/resend", begun).await.ok();
        let mail = message(&app, MAIL).await;
        assert_eq!((mail.code.is_some(), mail.link.is_some()), (has_code, has_link), "resent");
    }
}

#[tokio::test]
async fn a_factor_that_is_not_first_here_is_refused_before_the_code_is_looked_at() {
    let app = shop().build().await;
    let tenant = json!({"tenantId": "t1", "firstFactors": ["otp-email"]});
    app.put("/recipe/multitenancy/tenant/v2", tenant).await.ok();
    let begun = post(&app, "/t1/signinup/code", json!({"email": MAIL})).await.ok().json();
    assert_eq!(begun["flowType"], "USER_INPUT_CODE");
    let mail = message(&app, MAIL).await;
    assert_eq!(mail.link, None);
    let phone = post(&app, "/t1/signinup/code", json!({ "phoneNumber": PHONE })).await;
    assert_eq!((phone.code(), phone.header("front-token")), (401, vec!["remove"]));
    let link = json!({"preAuthSessionId": begun["preAuthSessionId"], "linkCode": "x"});
    assert_eq!(post(&app, "/t1/signinup/code/consume", link).await.code(), 401);
    let code = json!({
        "preAuthSessionId": begun["preAuthSessionId"], "deviceId": begun["deviceId"], "userInputCode": mail.code,
    });
    assert_eq!(post(&app, "/signinup/code/consume", code.clone()).await.json()["status"], "RESTART_FLOW_ERROR");
    let entered = post(&app, "/t1/signinup/code/consume", code).await.ok();
    assert_eq!(claims(&entered)["tId"], "t1");
}

#[tokio::test]
async fn wrong_and_late_codes_are_counted_and_the_last_one_ends_the_sign_in() {
    let app = shop().build().await;
    let begun = start(&app, json!({"email": MAIL})).await;
    let code = message(&app, MAIL).await.code.unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = enter(&app, &begun, wrong).await.json();
    let expected = json!({
        "status": "INCORRECT_USER_INPUT_CODE_ERROR", "failedCodeInputAttemptCount": 1, "maximumCodeInputAttempts": 5,
    });
    assert_eq!(refused, expected);
    app.clock.advance(900_001);
    let late = enter(&app, &begun, &code).await.json();
    assert_eq!(
        (&late["status"], &late["failedCodeInputAttemptCount"]),
        (&json!("EXPIRED_USER_INPUT_CODE_ERROR"), &json!(2))
    );
    post(&app, "/signinup/code/resend", begun.clone()).await.ok();
    let code = message(&app, MAIL).await.code.unwrap();
    for _ in 3..5 {
        enter(&app, &begun, wrong).await;
    }
    assert_eq!(enter(&app, &begun, wrong).await.json()["status"], "RESTART_FLOW_ERROR");
    assert_eq!(enter(&app, &begun, &code).await.json()["status"], "RESTART_FLOW_ERROR");
}

#[tokio::test]
async fn a_message_is_kept_with_its_code_until_it_is_sent_and_dropped_when_the_code_expires() {
    // Nothing listens there: the answer does not wait for it.
    let app = shop()
        .setting("smtp_host", "127.0.0.1")
        .setting("smtp_port", "1")
        .setting("smtp_from_email", "shop@example.org")
        .test_mode()
        .build()
        .await;
    let begun = start(&app, json!({"email": MAIL})).await;
    start(&app, json!({ "phoneNumber": PHONE })).await;
    assert_eq!(app.rows(Keyspace::Outbox).await, 2);
    let tried = round(&app.context).await.unwrap();
    assert_eq!((tried.failed, tried.caught), (1, 1), "a mail server that is down holds up no text messages");
    assert_eq!(app.rows(Keyspace::Outbox).await, 1);
    // Nothing is sent for what does not exist, or for a sign-in that is over.
    let unknown = json!({"deviceId": "AAAA", "preAuthSessionId": begun["preAuthSessionId"]});
    assert_eq!(post(&app, "/signinup/code/resend", unknown).await.json()["status"], "RESTART_FLOW_ERROR");
    assert_eq!(app.rows(Keyspace::Outbox).await, 1);
    app.clock.advance(900_001);
    assert_eq!(round(&app.context).await.unwrap().dropped, 1);
}

#[tokio::test]
async fn a_code_of_one_device_is_worth_nothing_on_another() {
    let app = shop().build().await;
    let owner = start(&app, json!({"email": MAIL})).await;
    let mail = message(&app, MAIL).await;
    let thief = start(&app, json!({"email": "eve@example.org"})).await;
    message(&app, "eve@example.org").await;
    let code = mail.code.clone().unwrap();
    for (device, session) in [("deviceId", thief.clone()), ("preAuthSessionId", owner.clone())] {
        let body = json!({
            "deviceId": thief["deviceId"], "preAuthSessionId": session["preAuthSessionId"], "userInputCode": code,
        });
        let reply = post(&app, "/signinup/code/consume", body).await;
        assert_ne!(reply.json()["status"], "OK", "{device}");
        assert!(reply.header("st-access-token").is_empty() && reply.header("set-cookie").is_empty());
    }
    let reply = follow(&app, &thief, &link_code(&mail)).await;
    assert_eq!(
        (reply.code(), reply.json()["message"].as_str()),
        (400, Some("preAuthSessionId and deviceId doesn't match"))
    );
    enter(&app, &owner, &code).await.ok();
}

#[tokio::test]
async fn a_code_verifies_the_address_of_the_session_that_asks_for_it() {
    let app = shop().build().await;
    let up = post(&app, "/signup", form(MAIL, PASSWORD)).await.ok();
    let jar = cookies(&up);
    // Clients before FDI 3.1 do not say whether the sign-in belongs to the session.
    let old = async |path: &str, body: Value| {
        let request = app.front(Method::POST, &format!("/auth{path}")).header("fdi-version", "3.0");
        request.header("st-auth-mode", "cookie").header("cookie", &jar).header("rid", "passwordless").json(&body).await
    };
    let begun = old("/signinup/code", json!({"email": MAIL})).await.ok().json();
    assert_eq!(begun["flowType"], "USER_INPUT_CODE", "with a session, codes only");
    let code = message(&app, MAIL).await.code.unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let body = |code: &str| {
        json!({
            "deviceId": begun["deviceId"], "preAuthSessionId": begun["preAuthSessionId"], "userInputCode": code,
        })
    };
    let refused = old("/signinup/code/consume", body(wrong)).await.json();
    assert_eq!(refused["failedCodeInputAttemptCount"], 1, "counted once: {refused}");
    let entered = old("/signinup/code/consume", body(&code)).await.ok();
    assert_eq!(entered.json()["createdNewRecipeUser"], true);
    let verified = app.front(Method::GET, "/auth/user/email/verify").header("cookie", &jar).await.ok();
    assert_eq!(verified.json()["isVerified"], true, "the session's own login method");
}

#[tokio::test]
async fn the_recipe_that_the_caller_means_says_who_exists() {
    let app = shop().build().await;
    post(&app, "/signup", form("password@example.org", PASSWORD)).await.ok();
    let begun = start(&app, json!({"email": MAIL})).await;
    let code = message(&app, MAIL).await.code.unwrap();
    enter(&app, &begun, &code).await.ok();
    let exists = async |email: &str, rid: &str| {
        let request = app.front(Method::GET, &format!("/auth/signup/email/exists?email={email}"));
        request.header("rid", rid).await.ok().json()["exists"].as_bool().unwrap()
    };
    for (rid, has_password, has_codes) in [
        ("emailpassword", true, false),
        ("passwordless", false, true),
        ("thirdpartypasswordless", false, true),
        ("thirdpartyemailpassword", true, false),
        ("anti-csrf", true, false),
    ] {
        assert_eq!(exists("password@example.org", rid).await, has_password, "{rid}");
        assert_eq!(exists(MAIL, rid).await, has_codes, "{rid}");
    }
}

#[tokio::test]
async fn a_code_by_text_message_is_a_second_factor_of_the_session() {
    let app = shop()
        .setting("recipe_list", "emailverification,emailpassword,passwordless,multifactorauth")
        .setting("account_linking", "always")
        .setting("bcrypt_log_rounds", "4")
        .build()
        .await;
    let tenant = json!({"tenantId": "public", "requiredSecondaryFactors": ["otp-phone"]});
    app.put("/recipe/multitenancy/tenant/v2", tenant).await.ok();
    let up = sign_up_by_header(&app, MAIL).await;
    let mut page = Page::of(&app, &up);
    assert_eq!(page.info().await.json()["factors"]["next"], json!(["otp-phone"]));
    let flagged = |mut body: Value| {
        body["shouldTryLinkingWithSessionUser"] = json!(true);
        body
    };
    let contact = flagged(json!({ "phoneNumber": PHONE }));
    let begun = page.send(Method::POST, "/auth/signinup/code", contact).await.ok().json();
    assert_eq!(begun["flowType"], "USER_INPUT_CODE", "a link would begin another session");
    let code = message(&app, PHONE).await.code.unwrap();
    let body = json!({
        "deviceId": begun["deviceId"], "preAuthSessionId": begun["preAuthSessionId"], "userInputCode": code,
    });
    let entered = page.send(Method::POST, "/auth/signinup/code/consume", flagged(body)).await.ok();
    assert_eq!(entered.json()["user"]["loginMethods"].as_array().unwrap().len(), 2);
    assert!(entered.header("st-refresh-token").is_empty(), "the session goes on");
    assert_eq!(claims(&entered)["sessionHandle"], claims(&up)["sessionHandle"]);
    assert_eq!(claims(&entered)["st-mfa"]["v"], true);
    let info = page.info().await.json();
    assert_eq!((&info["factors"]["next"], &info["phoneNumbers"]["otp-phone"]), (&json!([]), &json!([PHONE])));
}
