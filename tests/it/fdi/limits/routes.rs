//! Every route that guesses, sends or hashes has limits.

use super::{HOME, OFFICE, SHOP, noted, shop};
use crate::app::{TestApp, TestReply};
use crate::fdi::second_factors::code;
use crate::fdi::{PASSWORD, cookies, form};
use http::Method;
use serde_json::{Value, json};
use sessiond::config::front::FrontRecipe;
use sessiond::domain::http_request::{HttpReply, HttpRequest, Reach};
use sessiond::http::fdi::RECIPES;
use sessiond::outbound::http::{HttpClient, SendError};
use sessiond::store::Keyspace;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Routes that neither guess, nor send, nor hash.
const WITHOUT: [&str; 16] = [
    // Need a session, or end one; their tokens cannot be guessed.
    "front POST /session/refresh",
    "front GET /session/refresh",
    "front HEAD /session/refresh",
    "front GET /gate",
    "front POST /signout",
    "front GET /user/email/verify",
    "front PUT /mfa/info",
    // Need a session, and a user has few devices.
    "front POST /totp/device",
    "front GET /totp/device/list",
    "front POST /totp/device/remove",
    // Read settings and keys, or send the browser on.
    "front GET /loginmethods",
    "front GET /jwt/jwks.json",
    "front GET /.well-known/openid-configuration",
    "front POST /callback/apple",
    // For this machine's own programs.
    "front GET /dev/mail",
    "front GET /dev/mail.json",
];

/// A request that may be asked for, of somebody who is called by a number.
struct Case {
    label: &'static str,
    /// The query, or the body.
    asks: fn(&World, usize) -> Value,
}

/// What requests need: a session with a device, and a sign-in that has begun.
struct World {
    app: TestApp,
    jar: String,
    begun: Value,
}

fn nobody(_: &World, number: usize) -> Value {
    form(&format!("n{number}@x.io"), PASSWORD)
}

fn address(_: &World, number: usize) -> Value {
    json!({"formFields": [{"id": "email", "value": format!("n{number}@x.io")}]})
}

fn token(_: &World, _: usize) -> Value {
    json!({"method": "token", "token": "x", "formFields": [{"id": "password", "value": PASSWORD}]})
}

fn query(_: &World, number: usize) -> Value {
    json!(format!(
        "email=n{number}@x.io&phoneNumber=%2B4915112345678&thirdPartyId=github&redirectURIOnProviderDashboard=https://a.io"
    ))
}

const CASES: [Case; 20] = [
    Case { label: "front POST /signin", asks: nobody },
    Case { label: "front POST /signup", asks: nobody },
    Case { label: "front POST /user/password/reset/token", asks: address },
    Case { label: "front POST /user/password/reset", asks: token },
    Case { label: "front POST /user/email/verify", asks: token },
    Case { label: "front POST /user/email/verify/token", asks: |_, _| json!({}) },
    Case { label: "front POST /signinup/code", asks: |_, number| json!({"email": format!("n{number}@x.io")}) },
    Case { label: "front POST /signinup/code/resend", asks: |world, _| world.begun.clone() },
    Case {
        label: "front POST /signinup/code/consume",
        asks: |_, _| json!({"preAuthSessionId": "AAAA", "linkCode": "AAAA"}),
    },
    Case { label: "front POST /totp/device/verify", asks: |_, _| json!({"deviceName": "phone", "totp": "000000"}) },
    Case { label: "front POST /totp/verify", asks: |_, _| json!({"totp": "000000"}) },
    Case {
        label: "front POST /signinup",
        asks: |_, _| json!({"thirdPartyId": "github", "oAuthTokens": {"access_token": "x"}}),
    },
    Case { label: "front GET /authorisationurl", asks: query },
    Case { label: "front GET /emailpassword/email/exists", asks: query },
    Case { label: "front GET /signup/email/exists", asks: query },
    Case { label: "front GET /passwordless/email/exists", asks: query },
    Case { label: "front GET /passwordless/phonenumber/exists", asks: query },
    Case { label: "front GET /passwordless/phoneNumber/exists", asks: query },
    Case { label: "front GET /signup/phonenumber/exists", asks: query },
    Case { label: "front GET /signup/phoneNumber/exists", asks: query },
];

/// A provider that is down.
struct Down;

#[async_trait::async_trait]
impl HttpClient for Down {
    async fn send(&self, _: &HttpRequest, _: &Reach) -> Result<HttpReply, SendError> {
        Ok(HttpReply::new(503, Vec::new()))
    }
}

async fn world() -> World {
    let by_address = json!({"address": "2/h", "account": "off"});
    let all =
        ["sign_in", "sign_up", "mail", "text", "code", "lookup"].map(|action| (action.to_owned(), by_address.clone()));
    let limits = Value::Object(all.into_iter().collect());
    let github = json!([{"thirdPartyId": "github", "clients": [{"clientId": "c", "clientSecret": "s"}]}]);
    let app = shop()
        .setting("recipe_list", &FrontRecipe::ALL.map(FrontRecipe::name).join(","))
        .setting("passwordless_contact_method", "EMAIL_OR_PHONE")
        .setting("third_party_providers", &github.to_string())
        .setting("front_rate_limits", &limits.to_string())
        .http_client(Arc::new(Down))
        .build()
        .await;
    let elsewhere = async |path: &str, jar: &str, body: Value| {
        let request = app.front(Method::POST, path).header("x-forwarded-for", "93.184.216.99");
        request.header("st-auth-mode", "cookie").header("cookie", jar).json(&body).await.ok()
    };
    let jar = cookies(&elsewhere("/auth/signup", "", form("jane@x.io", PASSWORD)).await);
    let added = elsewhere("/auth/totp/device", &jar, json!({"deviceName": "phone"})).await;
    let shown = json!({"deviceName": "phone", "totp": code(&app, &added.text_at("/secret"))});
    elsewhere("/auth/totp/device/verify", &jar, shown).await;
    let begun = elsewhere("/auth/signinup/code", "", json!({"email": "joe@x.io"})).await.json();
    World { app, jar, begun }
}

impl World {
    async fn ask(&self, case: &Case, from: &str, number: usize) -> TestReply {
        let (method, path) = case.label.strip_prefix("front ").and_then(|rest| rest.split_once(' ')).unwrap();
        let asked = (case.asks)(self, number);
        let (path, body) = match &asked {
            Value::String(query) => (format!("/auth{path}?{query}"), Value::Null),
            body => (format!("/auth{path}"), body.clone()),
        };
        let request = self.app.front(method.parse().unwrap(), &path).header("x-forwarded-for", from);
        let request = request.header("origin", SHOP).header("st-auth-mode", "cookie").header("cookie", &self.jar);
        request.json(&body).await
    }

    /// Everything that is stored, besides the audit log, and the passwords that were hashed.
    async fn everything(&self) -> (Vec<usize>, u64) {
        let mut rows = Vec::new();
        for keyspace in Keyspace::ALL.into_iter().filter(|keyspace| *keyspace != Keyspace::AuditEvent) {
            rows.push(self.app.rows(keyspace).await);
        }
        (rows, self.app.context.hashing.stats().iter().map(|stats| stats.done).sum())
    }
}

#[test]
fn no_route_is_forgotten() {
    let known: BTreeSet<_> = CASES.iter().map(|case| case.label).chain(WITHOUT).collect();
    assert_eq!(RECIPES.iter().copied().flatten().map(|route| route.label).collect::<BTreeSet<_>>(), known);
}

#[tokio::test]
async fn one_request_too_many_is_refused_and_changes_nothing() {
    for case in &CASES {
        let world = world().await;
        for number in 0..2 {
            let reply = world.ask(case, HOME, number).await;
            assert!(![429, 404].contains(&reply.code()), "{}: {}", case.label, reply.body());
        }
        let before = world.everything().await;
        for number in 2..5 {
            let refused = world.ask(case, HOME, number).await;
            assert_eq!(refused.code(), 429, "{}: {}", case.label, refused.body());
            let message = "Too many requests from this address. Try again in 1800 seconds";
            assert_eq!(refused.json(), json!({ "message": message }), "{}", case.label);
            assert_eq!(refused.0.retry_after_s, Some(1_800), "{}", case.label);
            assert_eq!(refused.header("access-control-allow-origin"), [SHOP], "{}", case.label);
            assert!(refused.header("access-control-expose-headers").contains(&"retry-after"), "{}", case.label);
            assert!(refused.header("set-cookie").is_empty(), "{}", case.label);
        }
        assert_eq!(world.everything().await, before, "{}", case.label);
        assert_eq!(noted(&world.app).await.len(), 1, "{}", case.label);
        let elsewhere = world.ask(case, OFFICE, 5).await;
        assert_ne!(elsewhere.code(), 429, "{}: another address", case.label);
        world.app.clock.advance(1_800_000);
        // The session's token has not expired, and neither has the sign-in that was begun: they last longer.
        assert_ne!(world.ask(case, HOME, 6).await.code(), 429, "{}: after the pause", case.label);
    }
}
