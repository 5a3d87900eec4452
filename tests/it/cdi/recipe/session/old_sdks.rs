//! The tokens that SDKs from before CDI 3.0 get: signed with RSA, whatever the app's algorithm.

use super::{is_status, refresh, verify, verify_in_database};
use crate::app::{TestApp, new_session};
use crate::cdi::golden::{claims, header};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// SDKs below CDI 2.21 recognise a token of version 2 by this constant, and newer ones a token that is left over.
const HEADER_2: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0=";

async fn app(algorithm: &str) -> TestApp {
    TestApp::builder().setting("access_token_signing_algorithm", algorithm).build().await
}

/// Verifies like such an SDK: the header is the constant, and one of the keys it received has signed.
#[track_caller]
fn verifies_as_version_2(token: &str, told: &Value) -> bool {
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    assert_eq!(signed.split('.').next(), Some(HEADER_2));
    let signature = STANDARD.decode(signature).expect("padded base64");
    let list = told["jwtSigningPublicKeyList"].as_array().cloned().unwrap_or_default();
    let listed = list.iter().map(|key| &key["publicKey"]);
    [&told["jwtSigningPublicKey"]].into_iter().chain(listed).any(|key| {
        let der = STANDARD.decode(key.as_str().expect("a key")).expect("base64");
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).expect("an RSA key");
        key.verify_sig(signed.as_bytes(), &signature).is_ok()
    })
}

/// Verifies like SDKs of CDI 2.21 and later: with the key in the document that has the token's `kid`.
#[track_caller]
fn verifies_with_rs256(token: &str, document: &Value) -> bool {
    let header = header(token);
    let keys = document["keys"].as_array().expect("keys");
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("a key of this name");
    assert_eq!((&header["alg"], &key["kty"], &key["alg"]), (&json!("RS256"), &json!("RSA"), &json!("RS256")));
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().expect("text")).expect("base64url");
    let key = aws_lc_rs::rsa::PublicKeyComponents { n: number("n"), e: number("e") };
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok()
}

#[tokio::test]
async fn version_2_tokens_are_signed_by_the_rsa_key_that_their_callers_are_told_of() {
    for algorithm in ["EdDSA", "RS256"] {
        let app = app(algorithm).await;
        for version in ["2.7", "2.18", "2.20"] {
            let told = app.post("/recipe/handshake", json!({})).cdi(version).await.ok().json();
            let created = app.post("/recipe/session", new_session("u")).cdi(version).await.ok();
            assert!(verifies_as_version_2(&created.access_token(), &told), "{algorithm} {version}");
            assert!(verifies_as_version_2(&created.access_token(), &created.json()));
            let seen = verify(&app, version, &created.access_token()).await.ok();
            assert!(verifies_as_version_2(&created.access_token(), &seen.json()));
            let expired = verify(&app, version, "x").await.json();
            assert_eq!(expired["status"], "TRY_REFRESH_TOKEN");
            for name in ["jwtSigningPublicKey", "jwtSigningPublicKeyExpiryTime", "jwtSigningPublicKeyList"] {
                for reply in [&created.json(), &seen.json(), &expired] {
                    assert_eq!(reply[name], told[name], "{algorithm} {version} {name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn version_2_lives_on_through_refresh_promotion_and_regeneration() {
    for algorithm in ["EdDSA", "RS256"] {
        let app = app(algorithm).await;
        let created = app.post("/recipe/session", new_session("u")).cdi("2.18").await.ok();
        let told = created.json();
        let refreshed = refresh(&app, "2.18", &created.refresh_token()).await.ok();
        assert!(verifies_as_version_2(&refreshed.access_token(), &told));
        assert!(claims(&refreshed.access_token())["parentRefreshTokenHash1"].is_string());
        // promoted by the first caller that verifies it, in its own layout
        for version in ["2.18", "3.1", "5.4"] {
            let promoted = verify(&app, version, &refreshed.access_token()).await.ok();
            assert!(verifies_as_version_2(&promoted.access_token(), &told), "{algorithm} {version}");
        }
        let body = json!({"accessToken": refreshed.access_token(), "userDataInJWT": {"role": "admin"}});
        let regenerated = app.post("/recipe/session/regenerate", body).cdi("2.18").await.ok();
        assert!(verifies_as_version_2(&regenerated.access_token(), &told));
        is_status(&verify_in_database(&app, "2.18", &regenerated.access_token()).await, "OK", None);
        // a newer SDK takes the session over
        let upgraded = refresh(&app, "5.4", &refreshed.refresh_token()).await.ok();
        assert_eq!(header(&upgraded.access_token())["alg"], algorithm);
        assert_eq!(header(&upgraded.access_token())["version"], "5");
    }
}

#[tokio::test]
async fn version_3_tokens_are_rs256_and_their_key_is_in_the_document() {
    for algorithm in ["EdDSA", "RS256"] {
        let app = app(algorithm).await;
        let created = app.post("/recipe/session", new_session("u")).cdi("2.21").await.ok();
        let document = app.get("/.well-known/jwks.json").await.json();
        assert!(verifies_with_rs256(&created.access_token(), &document));
        let token = created.access_token();
        let kid = header(&token)["kid"].as_str().expect("a kid").to_owned();
        let text = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{kid}","version":"3"}}"#);
        assert_eq!(token.split('.').next(), Some(URL_SAFE_NO_PAD.encode(text).as_str()));

        let refreshed = refresh(&app, "2.21", &created.refresh_token()).await.ok();
        assert!(verifies_with_rs256(&refreshed.access_token(), &document));
        for version in ["2.21", "5.4"] {
            let promoted = verify(&app, version, &refreshed.access_token()).await.ok();
            assert!(verifies_with_rs256(&promoted.access_token(), &document), "{algorithm} {version}");
        }
        let body = json!({"accessToken": token, "userDataInJWT": {"role": "admin"}});
        let regenerated = app.post("/recipe/session/regenerate", body).cdi("2.21").await.ok();
        assert!(verifies_with_rs256(&regenerated.access_token(), &document));
    }
}

#[tokio::test]
async fn from_3_0_on_the_apps_algorithm_signs() {
    for algorithm in ["EdDSA", "RS256"] {
        let app = app(algorithm).await;
        // even alongside an old caller
        app.post("/recipe/session", new_session("u")).cdi("2.21").await.ok();
        for version in ["3.0", "3.1", "4.0", "5.4", "5.6"] {
            let created = app.post("/recipe/session", new_session("u")).cdi(version).await.ok();
            assert_eq!(header(&created.access_token())["alg"], algorithm, "{version}");
        }
    }
}

#[tokio::test]
async fn apps_without_old_callers_have_no_rsa_key() {
    let app = TestApp::new().await;
    for version in ["3.0", "5.4", "5.6"] {
        let created = app.post("/recipe/session", new_session("u")).cdi(version).await.ok();
        refresh(&app, version, &created.refresh_token()).await.ok();
        verify(&app, version, &created.access_token()).await.ok();
    }
    let kinds = async || {
        let document = app.get("/.well-known/jwks.json").await.json();
        let keys = document["keys"].as_array().expect("keys").iter();
        keys.map(|key| key["kty"].as_str().expect("a type").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds().await, ["OKP", "OKP"]);
    app.post("/recipe/handshake", json!({})).cdi("2.20").await.ok();
    // RSA first: a verifier that tries keys in turn may fail on one of another kind
    assert_eq!(kinds().await, ["RSA", "RSA", "OKP", "OKP"]);
}

#[tokio::test]
async fn the_static_key_signs_for_them_where_the_app_wants_it() {
    let app = TestApp::builder().setting("access_token_signing_key_dynamic", "false").build().await;
    let created = app.post("/recipe/session", new_session("u")).cdi("2.20").await.ok();
    let told = created.json();
    assert!(verifies_as_version_2(&created.access_token(), &told));
    assert_eq!(told["jwtSigningPublicKeyExpiryTime"], 315_360_000_000_u64);
    assert_eq!(told["jwtSigningPublicKeyList"].as_array().map(Vec::len), Some(1));
    let mut body = new_session("u");
    body["useDynamicSigningKey"] = false.into();
    let created = app.post("/recipe/session", body).cdi("2.21").await.ok();
    let kid = header(&created.access_token())["kid"].clone();
    assert!(kid.as_str().is_some_and(|kid| kid.starts_with("s-")), "{kid}");
    assert!(verifies_with_rs256(&created.access_token(), &app.get("/.well-known/jwks.json").await.json()));
}

#[tokio::test]
async fn a_week_later_the_new_key_is_told_of_before_it_signs() {
    let app = TestApp::new().await;
    let handshake = async || app.post("/recipe/handshake", json!({})).cdi("2.20").await.ok().json();
    let mut told = handshake().await;
    // an SDK that fetches the keys once a minute can always verify what was minted in between
    app.clock.advance(168 * 3_600_000 - 120_000);
    let mut keys = std::collections::HashSet::new();
    for _ in 0..300 {
        app.clock.advance(1_000);
        let created = app.post("/recipe/session", new_session("u")).cdi("2.20").await.ok();
        assert!(verifies_as_version_2(&created.access_token(), &told), "by what was said up to 50 s before");
        keys.insert(created.text_at("/jwtSigningPublicKey"));
        if app.context.now().seconds().is_multiple_of(50) {
            told = handshake().await;
        }
    }
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn their_tokens_end_with_a_key_that_is_revoked() {
    let app = TestApp::new().await;
    let created = app.post("/recipe/session", new_session("u")).cdi("2.21").await.ok();
    let kid = header(&created.access_token())["kid"].as_str().expect("a kid").to_owned();
    let nested = app.post("/recipe/session", new_session("u")).cdi("2.20").await.ok();
    for token in [created.access_token(), nested.access_token()] {
        is_status(&verify(&app, "2.21", &token).await, "OK", None);
    }
    let entry = app.context.directory.app(&sessiond::domain::ids::AppId::base()).expect("the app");
    let kid = sessiond::domain::key::Kid::new(kid);
    let revoke = sessiond::command::key::RevokeKey { app: entry, kid: &kid, reason: "stolen" };
    revoke.run(&app.context).await.expect("revoked");
    for token in [created.access_token(), nested.access_token()] {
        is_status(&verify(&app, "2.21", &token).await, "TRY_REFRESH_TOKEN", None);
    }
    // and they are still signed in
    let refreshed = refresh(&app, "2.20", &nested.refresh_token()).await.ok();
    let told = app.post("/recipe/handshake", json!({})).cdi("2.20").await.ok().json();
    assert!(verifies_as_version_2(&refreshed.access_token(), &told));
}
