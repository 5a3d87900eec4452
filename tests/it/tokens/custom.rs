//! `POST /recipe/jwt` below HTTP: claims and keys.

use crate::app::{START, TestApp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::session::jwt::CreateJwt;
use sessiond::domain::ids::AppId;
use sessiond::domain::json::JsonObject;

async fn signed(app: &TestApp, payload: Value, use_static_signing_key: bool) -> (String, String) {
    let entry = app.context.directory.app(&AppId::base()).unwrap();
    let command = CreateJwt {
        scope: Scope { app: entry, cause: Cause::without_request("test") },
        jwks_domain: "https://api.\"example\".com".to_owned(),
        payload: JsonObject::from_map(payload.as_object().unwrap()),
        validity_s: 100,
        use_static_signing_key,
    };
    let token = command.run(&app.context).await.unwrap().expose().clone();
    let part =
        |index| String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap();
    (part(0), part(1))
}

#[tokio::test]
async fn missing_claims_are_added_after_the_payload() {
    let app = TestApp::new().await;
    let now = START.seconds();
    let (_, claims) = signed(&app, json!({"b": 1, "a": 2}), true).await;
    let expected = format!(r#"{{"b":1,"a":2,"iss":"https://api.\"example\".com","exp":{},"iat":{now}}}"#, now + 100);
    assert_eq!(claims, expected);
    let (_, claims) = signed(&app, json!({}), true).await;
    assert_eq!(claims, format!(r#"{{"iss":"https://api.\"example\".com","exp":{},"iat":{now}}}"#, now + 100));
}

#[tokio::test]
async fn the_payloads_own_issuer_and_moments_win() {
    let app = TestApp::new().await;
    let payload = json!({"iss": null, "exp": "never", "iat": 5});
    let (_, claims) = signed(&app, payload.clone(), true).await;
    assert_eq!(claims, payload.to_string());
}

#[tokio::test]
async fn the_header_names_a_static_or_the_dynamic_key_and_no_version() {
    let app = TestApp::new().await;
    let (header, _) = signed(&app, json!({}), true).await;
    assert!(header.starts_with(r#"{"alg":"EdDSA","typ":"JWT","kid":"s-"#), "{header}");
    let (header, _) = signed(&app, json!({}), false).await;
    assert_eq!(header, format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"d-{}"}}"#, START.0));
}

#[tokio::test]
async fn an_app_of_rs256_signs_with_rs256() {
    let app = TestApp::builder().setting("access_token_signing_algorithm", "RS256").build().await;
    let (header, _) = signed(&app, json!({}), true).await;
    assert!(header.starts_with(r#"{"alg":"RS256","typ":"JWT","kid":"s-"#), "{header}");
}
