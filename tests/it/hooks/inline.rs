//! What the front door asks hooks, and what their answers do.

use super::receiver::{Hasty, Manners, Receiver, SECRET};
use super::watched;
use crate::app::{TestApp, TestAppBuilder, TestReply};
use crate::people::with_cheap_passwords;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use sessiond::domain::audit::AuditKind;
use sessiond::store::Keyspace;
use std::time::Duration;

const PASSWORD: &str = "correct horse 1";
const TRY_LATER: &str = "This is not possible at the moment. Please try again later.";

/// An app that asks this receiver.
fn asking(receiver: &Receiver, before: &[&str], fail: &str) -> TestAppBuilder {
    let hook = json!({"url": receiver.url(), "secret": SECRET, "before": before, "fail": fail, "timeoutMs": 1_000});
    let builder = with_cheap_passwords().setting("inline_hooks", &json!([hook]).to_string());
    builder.setting("hook_private_networks", "127.0.0.1").setting("sign_up_form_fields", r#"[{"id": "invitation"}]"#)
}

/// A receiver that answers this.
fn answering(answer: &Value) -> Manners {
    Manners::Says(200, answer.to_string())
}

fn allowing() -> Manners {
    Manners::Says(204, String::new())
}

fn form(password: &str, fields: &[(&str, &str)]) -> Value {
    let own = [("email", "anna@x.io"), ("password", password)];
    let fields = own.iter().chain(fields).map(|(id, value)| json!({"id": id, "value": value}));
    json!({"formFields": fields.collect::<Vec<_>>()})
}

async fn sign_up(app: &TestApp) -> TestReply {
    let request = app.front(Method::POST, "/auth/signup").header("user-agent", "Browser/1");
    request.json(&form(PASSWORD, &[("invitation", "i-7")])).await
}

async fn sign_in(app: &TestApp, password: &str) -> TestReply {
    app.front(Method::POST, "/auth/signin").json(&form(password, &[])).await
}

async fn refresh(app: &TestApp, signed_in: &TestReply) -> TestReply {
    let bearer = format!("Bearer {}", signed_in.header("st-refresh-token").concat());
    app.front(Method::POST, "/auth/session/refresh").header("authorization", &bearer).await
}

/// The payload of the access token that a reply hands out.
fn claims(reply: &TestReply) -> Value {
    let token = reply.header("front-token").concat();
    let front: Value = serde_json::from_slice(&STANDARD.decode(token).expect("base64")).expect("JSON");
    front["up"].clone()
}

/// The questions that a receiver got since the last time.
fn questions(receiver: &Receiver) -> Vec<Value> {
    receiver.take().iter().map(super::receiver::Received::body).collect()
}

/// The refusals in the audit log.
async fn refusals(app: &TestApp) -> Vec<String> {
    let kind = AuditKind::SignInRefused.name();
    let log = app.get(&format!("/audit?kind={kind}")).await.json();
    let detail = |event: &Value| event["detail"].as_str().unwrap().to_owned();
    log["events"].as_array().unwrap().iter().map(detail).collect()
}

#[track_caller]
fn is_refused(reply: &TestReply, sentence: &str) {
    assert_eq!((reply.code(), reply.json()), (200, json!({"status": "GENERAL_ERROR", "message": sentence})));
    assert!(reply.header("st-access-token").is_empty(), "a refused person gets no token");
}

#[tokio::test]
async fn a_hook_that_allows_a_sign_up_knows_who_it_is_and_may_add_metadata() {
    let receiver = Receiver::with(answering(&json!({"decision": "allow", "metadata": {"invitedBy": "bert"}})));
    let app = watched(asking(&receiver, &["sign_up"], "closed")).await;
    let id = sign_up(&app).await.ok().text_at("/user/id");
    let asked = questions(&receiver);
    let expected = json!({
        "type": "before.sign_up",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "data": {
            "connectionUriDomain": "", "appId": "public", "tenantId": "public", "recipeId": "emailpassword",
            "email": "anna@x.io", "formFields": {"invitation": "i-7"}, "beginsSession": true,
            "userAgent": "Browser/1", "clientAddress": "127.0.0.1", "requestId": "test",
        },
    });
    assert_eq!(asked, [expected], "asked once, and not again before the sign-in that follows");
    let metadata = app.get(&format!("/recipe/user/metadata?userId={id}")).await.json();
    let expected = json!({"signUpFormFields": {"invitation": "i-7"}, "invitedBy": "bert"});
    assert_eq!(metadata["metadata"], expected);
}

#[tokio::test]
async fn nothing_is_left_of_a_sign_up_that_is_refused() {
    let receiver = Receiver::with(answering(&json!({"decision": "refuse", "message": "By invitation only."})));
    let app = watched(asking(&receiver, &["sign_up"], "open")).await;
    is_refused(&sign_up(&app).await, "By invitation only.");
    for keyspace in [Keyspace::User, Keyspace::LoginIdentity, Keyspace::UserMetadata, Keyspace::Session] {
        assert_eq!(app.rows(keyspace).await, 0, "{keyspace:?}");
    }
    assert_eq!(refusals(&app).await, ["refused by a hook before sign_up"]);
    receiver.behave(answering(&json!({"decision": "refuse"})));
    is_refused(&sign_up(&app).await, "You cannot sign up here.");
    receiver.behave(allowing());
    sign_up(&app).await.ok();
}

#[tokio::test]
async fn a_sign_in_is_asked_about_once_the_password_is_right() {
    let receiver = Receiver::with(answering(&json!({"decision": "refuse", "message": "Banned."})));
    let app = watched(asking(&receiver, &["sign_in"], "closed")).await;
    let id = sign_up(&app).await.ok().text_at("/user/id");
    assert!(questions(&receiver).is_empty(), "signing up is another question");
    assert_eq!(sign_in(&app, "wrong horse 1").await.json()["status"], "WRONG_CREDENTIALS_ERROR");
    assert!(questions(&receiver).is_empty(), "strangers cannot have a hook asked");
    let sessions = app.rows(Keyspace::Session).await;
    is_refused(&sign_in(&app, PASSWORD).await, "Banned.");
    assert_eq!(app.rows(Keyspace::Session).await, sessions);
    let asked = questions(&receiver).remove(0);
    assert_eq!((&asked["type"], &asked["data"]["userId"]), (&json!("before.sign_in"), &json!(id)));
    receiver.behave(answering(&json!({"decision": "allow", "metadata": {"seen": 1}})));
    sign_in(&app, PASSWORD).await.ok();
    let metadata = app.get(&format!("/recipe/user/metadata?userId={id}")).await.json();
    assert_eq!(metadata["metadata"]["seen"], 1);
}

#[tokio::test]
async fn claims_are_in_the_token_from_its_beginning_and_follow_each_refresh() {
    let receiver = Receiver::with(answering(&json!({"decision": "allow", "claims": {"plan": "gold", "old": 1}})));
    let app = watched(asking(&receiver, &["token"], "closed")).await;
    let first = sign_up(&app).await.ok();
    assert_eq!((&claims(&first)["plan"], &claims(&first)["old"]), (&json!("gold"), &json!(1)));
    let asked = questions(&receiver).remove(0);
    assert_eq!((&asked["type"], &asked["data"]["beginsSession"]), (&json!("before.token"), &json!(true)));
    assert_eq!(asked["data"]["userId"], claims(&first)["sub"]);
    receiver.behave(answering(&json!({"decision": "allow", "claims": {"plan": "silver", "old": null}})));
    let second = refresh(&app, &first).await;
    assert_eq!(second.code(), 200, "{}", second.body());
    assert_eq!((&claims(&second)["plan"], &claims(&second)["old"]), (&json!("silver"), &Value::Null));
    assert_eq!(claims(&second)["sub"], claims(&first)["sub"]);
    let asked = questions(&receiver).remove(0);
    let handle = &claims(&second)["sessionHandle"];
    assert_eq!((&asked["data"]["beginsSession"], &asked["data"]["sessionHandle"]), (&json!(false), handle));
    // A backend sees the same.
    let token = second.header("st-access-token").concat();
    let verify =
        json!({"accessToken": token, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": true});
    let seen = app.post("/recipe/session/verify", verify).await.ok().json();
    assert_eq!(seen["session"]["userDataInJWT"]["plan"], "silver");
}

#[tokio::test]
async fn a_session_that_may_not_go_on_ends_and_an_outage_ends_none() {
    let receiver = Receiver::with(allowing());
    let app = watched(asking(&receiver, &["token"], "closed")).await;
    let signed_up = sign_up(&app).await.ok();
    receiver.behave(Manners::HangsUp);
    let outage = refresh(&app, &signed_up).await;
    assert_eq!((outage.code(), outage.json()), (503, json!({"message": TRY_LATER})));
    assert!(outage.header("front-token").is_empty(), "the browser keeps its tokens");
    assert_eq!(app.rows(Keyspace::Session).await, 1);
    receiver.behave(allowing());
    let refreshed = refresh(&app, &signed_up).await;
    assert_eq!(refreshed.code(), 200, "{}", refreshed.body());
    receiver.behave(answering(&json!({"decision": "refuse"})));
    let refused = refresh(&app, &refreshed).await;
    assert_eq!((refused.code(), refused.header("front-token")), (401, vec!["remove"]));
    assert_eq!(app.rows(Keyspace::Session).await, 0);
    receiver.take();
    for nothing in ["", "nonsense", &refreshed.header("st-refresh-token").concat()] {
        let bearer = format!("Bearer {nothing}");
        let reply = app.front(Method::POST, "/auth/session/refresh").header("authorization", &bearer).await;
        assert_eq!(reply.code(), 401);
    }
    assert!(questions(&receiver).is_empty(), "what cannot be refreshed is nothing to ask about");
}

#[tokio::test]
async fn what_is_no_answer_is_refused_or_allowed_as_configured() {
    let bad = |text: &str| Manners::Says(200, text.to_owned());
    for manners in [
        Manners::HangsUp,
        Manners::Silent,
        Manners::Garbage,
        Manners::Redirects,
        Manners::Floods(200),
        Manners::Says(500, r#"{"decision": "allow"}"#.to_owned()),
        bad("<html>"),
        bad("{}"),
        bad(r#"{"decison": "refuse"}"#),
        bad(r#"{"decision": "allow", "claims": {}}"#),
    ] {
        let receiver = Receiver::with(manners.clone());
        let closed = watched(asking(&receiver, &["sign_up"], "closed").http_client(Hasty::new())).await;
        is_refused(&sign_up(&closed).await, TRY_LATER);
        assert_eq!(closed.rows(Keyspace::User).await, 0, "{manners:?}");
        assert_eq!(refusals(&closed).await, ["no answer of a hook before sign_up"]);
        let open = watched(asking(&receiver, &["sign_up"], "open").http_client(Hasty::new())).await;
        sign_up(&open).await.ok();
        assert_eq!(receiver.received().len(), 2, "{manners:?}");
    }
}

#[tokio::test]
async fn claims_cannot_override_what_tokens_say_of_themselves() {
    let large = "x".repeat(2_048);
    for (name, value) in [
        ("sub", "bert"),
        ("exp", "9"),
        ("iat", "9"),
        ("sessionHandle", "h"),
        ("tId", "t1"),
        ("rsub", "bert"),
        ("refreshTokenHash1", "h"),
        ("antiCsrfToken", "t"),
        ("iss", "https://elsewhere.example"),
        ("aud", "a"),
        ("nbf", "9"),
        ("jti", "j"),
        ("st-ev", "true"),
        ("st-role", "admin"),
        ("plan", &large),
    ] {
        let receiver = Receiver::with(answering(&json!({"decision": "allow", "claims": {name: value}})));
        let app = watched(asking(&receiver, &["token"], "closed")).await;
        is_refused(&sign_up(&app).await, TRY_LATER);
        assert_eq!(app.rows(Keyspace::Session).await, 0, "{name}");
        let app = watched(asking(&receiver, &["token"], "open")).await;
        let claims = claims(&sign_up(&app).await.ok());
        assert_ne!(claims[name], value, "none of such an answer is used");
    }
}

#[tokio::test]
async fn a_slow_hook_keeps_few_connections_and_nobody_waits_longer_than_configured() {
    let receiver = Receiver::with(Manners::Silent);
    let app = watched(asking(&receiver, &["sign_up"], "closed").setting("front_rate_limiting", "false")).await;
    let began = tokio::time::Instant::now();
    let at_half_time = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        receiver.received().len()
    };
    let (replies, asked) = tokio::join!(join_all((0..80).map(|_| sign_up(&app))), at_half_time);
    assert_eq!(asked, 32, "the others wait for a turn");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    replies.iter().for_each(|reply| is_refused(reply, TRY_LATER));
}

#[tokio::test]
async fn a_new_code_is_no_sign_up_before_it_comes_back() {
    let receiver = Receiver::with(answering(&json!({"decision": "refuse", "message": "No."})));
    let builder = asking(&receiver, &["sign_up"], "closed").setting("recipe_list", "passwordless");
    let app = watched(builder).await;
    let code = app.post("/recipe/signinup/code", json!({"email": "anna@x.io"})).await.ok().json();
    let consume = async |input: &Value| {
        let body = json!({
            "preAuthSessionId": code["preAuthSessionId"], "deviceId": code["deviceId"], "userInputCode": input,
        });
        app.front(Method::POST, "/auth/signinup/code/consume").json(&body).await
    };
    let wrong = consume(&json!("000000x")).await.json();
    assert_eq!(
        (&wrong["status"], &wrong["failedCodeInputAttemptCount"]),
        (&json!("INCORRECT_USER_INPUT_CODE_ERROR"), &json!(1))
    );
    assert!(questions(&receiver).is_empty());
    is_refused(&consume(&code["userInputCode"]).await, "No.");
    assert_eq!(app.rows(Keyspace::User).await, 0);
    receiver.behave(allowing());
    let signed_up = consume(&code["userInputCode"]).await.ok().json();
    assert_eq!(signed_up["createdNewRecipeUser"], true, "the code was not used up by the refusal");
    let asked = questions(&receiver);
    assert_eq!(
        (&asked[1]["data"]["recipeId"], &asked[1]["data"]["email"]),
        (&json!("passwordless"), &json!("anna@x.io"))
    );
}

#[tokio::test]
async fn the_core_asks_nobody() {
    let receiver = Receiver::with(answering(&json!({"decision": "refuse"})));
    let app = watched(asking(&receiver, &["sign_up", "sign_in", "token"], "closed")).await;
    let id = app.sign_up("anna@x.io", "right").await;
    app.post("/recipe/signin", json!({"email": "anna@x.io", "password": "right"})).await.ok();
    app.session(&id).await;
    assert!(questions(&receiver).is_empty());
}
