//! Golden replies: the reply of each session endpoint at the versions where something changes.
//!
//! Tokens, keys and handles are replaced by their kind, after a check that they are of that kind; access tokens are
//! shown with their header and claims.

use crate::app::{TestApp, TestReply, new_session};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Versions on both sides of every change.
const BOUNDARIES: [&str; 9] = ["2.8", "2.9", "2.20", "2.21", "3.1", "4.0", "5.0", "5.5", "5.6"];

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a JWT has three parts");
    let bytes = URL_SAFE_NO_PAD.decode(part).or_else(|_| STANDARD.decode(part)).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON in a JWT")
}

/// A JWT's header.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

/// A JWT's claims.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_uuid(text: &str) -> bool {
    is_uuid_of(4, text)
}

/// A UUID of a version (RFC 9562): 4 is random, 7 begins with its time.
fn is_uuid_of(version: usize, text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|uuid| uuid.get_version_num() == version && uuid.to_string() == text)
}

fn is_key(text: &str) -> bool {
    STANDARD.decode(text).is_ok_and(|der| der.len() == 294 && der.starts_with(&[0x30, 0x82, 0x01, 0x22]))
}

/// Replaces what differs from run to run by its kind.
fn redact(name: &str, value: &mut Value) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| redact(name, value)),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(name, item)),
        Value::String(text) => match name {
            "token" | "jwt" if text.contains('.') => {
                let mut token = json!({"header": header(text), "claims": claims(text)});
                redact("", &mut token);
                *value = token;
            }
            "token" if is_uuid(text) => *text = "[uuid]".to_owned(),
            "token" => {
                let sealed = URL_SAFE_NO_PAD.decode(&*text).expect("a refresh token is base64url without padding");
                assert!(sealed.len() > 60, "{text}");
                *text = "[refresh token]".to_owned();
            }
            "handle" | "sessionHandle" => {
                assert!(is_uuid_of(7, text), "{text}");
                *text = "[handle]".to_owned();
            }
            "refreshTokenHash1" | "parentRefreshTokenHash1" => {
                assert!(is_hex(text), "{text}");
                *text = "[hash]".to_owned();
            }
            "jwtSigningPublicKey" | "publicKey" => {
                assert!(is_key(text), "{text}");
                *text = "[public key]".to_owned();
            }
            "kid" if text.starts_with("s-") => {
                assert!(is_uuid(&text[2..]), "{text}");
                *text = "s-[uuid]".to_owned();
            }
            "antiCsrfToken" => {
                assert!(is_uuid(text), "{text}");
                *text = "[anti-csrf token]".to_owned();
            }
            _ => {}
        },
        _ => {}
    }
}

fn golden(endpoint: &str, version: &str, reply: &TestReply) {
    let mut json = reply.json();
    redact("", &mut json);
    insta::with_settings!({snapshot_path => ".", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_json_snapshot!(format!("{endpoint}@{version}"), json);
    });
}

async fn app() -> TestApp {
    TestApp::builder().setting("access_token_validity_jitter", "0").build().await
}

async fn created(app: &TestApp, version: &str) -> TestReply {
    let mut body = new_session("user");
    body["enableAntiCsrf"] = true.into();
    body["userDataInJWT"] = json!({"role": "admin", "none": null});
    body["userDataInDatabase"] = json!({"cart": [1, 2]});
    app.post("/recipe/session", body).cdi(version).await.ok()
}

#[tokio::test]
async fn create() {
    for version in BOUNDARIES {
        golden("create", version, &created(&app().await, version).await);
    }
}

#[tokio::test]
async fn verify() {
    for version in BOUNDARIES {
        let app = app().await;
        let created = created(&app, version).await;
        let body = json!({
            "accessToken": created.access_token(), "antiCsrfToken": created.text_at("/antiCsrfToken"),
            "doAntiCsrfCheck": true, "enableAntiCsrf": true, "checkDatabase": true
        });
        golden("verify", version, &app.post("/recipe/session/verify", body.clone()).cdi(version).await.ok());
        app.clock.advance(4_000_000);
        golden("verify-expired", version, &app.post("/recipe/session/verify", body).cdi(version).await);
    }
}

#[tokio::test]
async fn refresh() {
    for version in BOUNDARIES {
        let app = app().await;
        let created = created(&app, version).await;
        let body = json!({
            "refreshToken": created.refresh_token(), "antiCsrfToken": created.text_at("/antiCsrfToken"),
            "enableAntiCsrf": true, "useDynamicSigningKey": false
        });
        app.clock.advance(60_000);
        golden("refresh", version, &app.post("/recipe/session/refresh", body).cdi(version).await.ok());
    }
}

#[tokio::test]
async fn theft() {
    for version in ["2.8", "5.5", "5.6"] {
        let app = app().await;
        let created = created(&app, version).await;
        let mut token = created.refresh_token();
        let body = |token: &str| json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
        for _ in 0..2 {
            token = app.post("/recipe/session/refresh", body(&token)).cdi(version).await.ok().refresh_token();
        }
        let reply = app.post("/recipe/session/refresh", body(&created.refresh_token())).cdi(version).await;
        golden("theft", version, &reply);
    }
}

#[tokio::test]
async fn show_and_regenerate() {
    for version in ["2.8", "2.21", "3.1", "4.0", "5.6"] {
        let app = app().await;
        let created = created(&app, version).await;
        let path = format!("/recipe/session?sessionHandle={}", created.handle());
        golden("show", version, &app.get(&path).cdi(version).await.ok());
        let body = json!({"accessToken": created.access_token(), "userDataInJWT": {"role": "user"}});
        golden("regenerate", version, &app.post("/recipe/session/regenerate", body).cdi(version).await.ok());
    }
}

#[tokio::test]
async fn handshake_and_jwt() {
    for version in ["2.8", "2.20"] {
        golden("handshake", version, &app().await.post("/recipe/handshake", json!({})).cdi(version).await.ok());
    }
    let body = json!({"algorithm": "RS256", "jwksDomain": "https://issuer", "payload": {"a": 1}, "validity": 60});
    for version in ["2.20", "5.6"] {
        golden("jwt", version, &app().await.post("/recipe/jwt", body.clone()).cdi(version).await.ok());
    }
}
