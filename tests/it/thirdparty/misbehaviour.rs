//! Providers that misbehave.

use super::provider::{Answer, CLIENT, Signer, TestProvider, b64};
use super::{app_for, by_code, by_tokens, url_for};
use serde_json::{Value, json};
use sessiond::command::thirdparty::refusal::{Failure, ProviderRefusal, Step};
use sessiond::crypto::signed_token::TokenFlaw;
use sessiond::domain::thirdparty::id_token::ClaimFlaw;
use sessiond::domain::thirdparty::profile::ProfileFlaw;
use sessiond::outbound::http::SendError;
use sessiond::outbound::provider::{FetchError, VerifyError};

#[tokio::test]
async fn wrong_claims_are_refused() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    let app = app_for(&provider).await;
    for (claim, value, flaw) in [
        ("aud", json!("you"), ClaimFlaw::Audience),
        ("aud", json!(["you"]), ClaimFlaw::Audience),
        ("iss", json!("https://evil.test"), ClaimFlaw::Issuer),
        ("iss", Value::Null, ClaimFlaw::Issuer),
        ("exp", json!(1_699_999_900), ClaimFlaw::Expired),
        ("exp", Value::Null, ClaimFlaw::Expired),
        ("nbf", json!(1_700_000_600), ClaimFlaw::Early),
    ] {
        let mut claims = provider.claims();
        claims[claim] = value.clone();
        let refused = by_tokens(&app, "own", &json!({"id_token": signer.token(&claims)})).await;
        assert_eq!(refused.unwrap_err(), ProviderRefusal::Claims(flaw), "{claim}: {value}");
    }
}

#[tokio::test]
async fn wrong_signatures_are_refused() {
    let (provider, signer, other) = (TestProvider::start().await, Signer::new("a"), Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    let app = app_for(&provider).await;
    let claims = provider.claims();
    let none = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(claims.to_string()));
    // The public key as the secret of HS256: whoever takes the algorithm from the header accepts it.
    let by_public_key = signer.token_with(&json!({"alg": "HS256", "kid": "a"}), &claims);
    let good = signer.token(&claims);
    let (head, signature) = good.rsplit_once('.').unwrap();
    for (token, flaw) in [
        (none, TokenFlaw::Algorithm),
        (by_public_key, TokenFlaw::Algorithm),
        (signer.token_with(&json!({"alg": "EdDSA", "kid": "a"}), &claims), TokenFlaw::Algorithm),
        (signer.token_with(&json!({"alg": "RS256", "kid": "a"}), &claims), TokenFlaw::Algorithm),
        (signer.token_with(&json!({"alg": "ES256", "kid": "b"}), &claims), TokenFlaw::UnknownKey),
        (other.token(&claims), TokenFlaw::Signature),
        (format!("{head}.{}", &signature[..40]), TokenFlaw::Signature),
        (format!("{head}."), TokenFlaw::Signature),
        ("a.b".to_owned(), TokenFlaw::Unparsable),
    ] {
        let refused = by_tokens(&app, "own", &json!({"id_token": token})).await.unwrap_err();
        assert_eq!(refused, ProviderRefusal::Signature(VerifyError::Token(flaw)), "{token}");
    }
    assert!(by_tokens(&app, "own", &json!({"id_token": good})).await.is_ok());
}

#[tokio::test]
async fn answers_that_are_no_answers_are_refused() {
    let provider = TestProvider::start().await;
    let app = app_for(&provider).await;
    let host = || "127.0.0.1".to_owned();
    let status = |status, error: Option<&str>| Failure::Status { status, error: error.map(str::to_owned) };
    for (answer, failure) in [
        (Answer::Reply(500, "<html>".to_owned()), status(500, None)),
        (Answer::Reply(400, r#"{"error": "invalid_grant"}"#.to_owned()), status(400, Some("invalid_grant"))),
        (Answer::Reply(400, r#"{"error": "<script>"}"#.to_owned()), status(400, None)),
        (Answer::Reply(200, "<html>".to_owned()), Failure::Unreadable),
        (Answer::Reply(200, "[]".to_owned()), Failure::Unreadable),
        (Answer::Reply(200, " ".repeat(1024 * 1024 + 1)), Failure::Send(SendError::TooLarge(host()))),
        (Answer::Endless, Failure::Send(SendError::TooLarge(host()))),
        (Answer::To(provider.url("/other")), Failure::Send(SendError::Redirect(host()))),
        (Answer::Silence, Failure::Send(SendError::Timeout(host()))),
    ] {
        provider.answers("/token", answer);
        let refused = by_code(&app, "own").await.unwrap_err();
        assert_eq!(refused, ProviderRefusal::Failed { step: Step::Exchange, failure });
    }
    provider.says("/token", &json!({"error": "bad_verification_code"}));
    assert_eq!(by_code(&app, "own").await.unwrap_err(), ProviderRefusal::NoToken);
    assert!(provider.seen("/other").is_empty());
}

#[tokio::test]
async fn redirects_of_documents_stay_at_their_host() {
    let provider = TestProvider::start().await;
    let document = "/.well-known/openid-configuration";
    provider.says("/moved", &provider.discovery());
    provider.answers(document, Answer::To("/moved".to_owned()));
    assert!(url_for(&app_for(&provider).await, "own", None).await.is_ok());
    let other = TestProvider::start().await;
    for location in [other.url("/moved"), provider.url(document), "https://127.0.0.1/".to_owned(), "//x".to_owned()] {
        provider.answers(document, Answer::To(location.clone()));
        let refused = url_for(&app_for(&provider).await, "own", None).await.unwrap_err();
        let redirect = FetchError::Send(SendError::Redirect("127.0.0.1".to_owned()));
        assert_eq!(refused, ProviderRefusal::failed(Step::Discovery, redirect), "{location}");
    }
    assert!(other.seen("/moved").is_empty());
}

#[tokio::test]
async fn a_discovery_document_cannot_lead_us_elsewhere() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    let lie = async |member: &str, url: &str| {
        let mut document = provider.discovery();
        document[member] = json!(url);
        provider.says("/.well-known/openid-configuration", &document);
        provider.says("/token", &json!({"access_token": "at"}));
        app_for(&provider).await
    };
    for url in ["http://169.254.169.254/latest/", "https://10.0.0.1/", "http://[::ffff:169.254.169.254]/"] {
        for (member, step) in [("token_endpoint", Step::Exchange), ("userinfo_endpoint", Step::UserInfo)] {
            let app = lie(member, url).await;
            let refused = by_code(&app, "own").await.unwrap_err();
            let is_private = matches!(
                &refused,
                ProviderRefusal::Failed { step: at, failure: Failure::Send(SendError::Private { .. }) } if *at == step
            );
            assert!(is_private, "{member} {url}: {refused:?}");
        }
        let app = lie("jwks_uri", url).await;
        let refused = by_tokens(&app, "own", &json!({"id_token": signer.token(&provider.claims())})).await.unwrap_err();
        let is_private = matches!(
            &refused,
            ProviderRefusal::Signature(VerifyError::Keys(FetchError::Send(SendError::Private { .. })))
        );
        assert!(is_private, "{url}: {refused:?}");
    }
    let app = lie("authorization_endpoint", "javascript:alert(1)").await;
    let refused = url_for(&app, "own", None).await.unwrap_err();
    assert_eq!(refused, ProviderRefusal::NoEndpoint("authorization endpoint"));
    provider.answers("/.well-known/openid-configuration", Answer::Reply(200, "<html>".to_owned()));
    let refused = url_for(&app_for(&provider).await, "own", None).await.unwrap_err();
    assert_eq!(refused, ProviderRefusal::failed(Step::Discovery, FetchError::Unreadable));
}

#[tokio::test]
async fn a_profile_must_be_about_one_person() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    let app = app_for(&provider).await;
    provider.says("/token", &json!({"access_token": "at"}));
    for info in [json!({"email": "p@x.io"}), json!({"sub": ""}), json!({"sub": {"id": 1}})] {
        provider.says("/me", &info);
        let refused = by_code(&app, "own").await.unwrap_err();
        assert_eq!(refused, ProviderRefusal::Profile(ProfileFlaw::NoUserId), "{info}");
    }
    let mut claims = provider.claims();
    claims["aud"] = json!(CLIENT);
    provider.says("/token", &json!({"access_token": "at", "id_token": signer.token(&claims)}));
    provider.says("/me", &json!({"sub": "8"}));
    assert_eq!(by_code(&app, "own").await.unwrap_err(), ProviderRefusal::Profile(ProfileFlaw::TwoPeople));
}
