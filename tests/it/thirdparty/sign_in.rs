//! Providers that behave.

use super::provider::{CLIENT, Signer, TestProvider};
use super::{app_for, app_with, by_code, by_tokens, command, own, redirect, url_for};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sessiond::command::thirdparty::refusal::ProviderRefusal;
use sessiond::domain::thirdparty::id_token::ClaimFlaw;

#[tokio::test]
async fn a_code_leads_to_a_person() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    let id_token = signer.token(&provider.claims());
    provider.says("/token", &json!({"access_token": "at", "id_token": id_token, "refresh_token": "rt"}));
    provider.says("/me", &json!({"sub": "7", "name": "P"}));
    let app = app_for(&provider).await;
    let url = url_for(&app, "own", None).await.unwrap().url;
    let expected = "/auth?client_id=me&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&response_type=code";
    assert_eq!(url, provider.url(expected));

    let person = by_code(&app, "own").await.unwrap();
    assert_eq!((person.third_party_id.as_str(), person.user_id.as_str()), ("own", "7"));
    assert_eq!((person.email.as_str(), person.is_verified), ("p@x.io", true));
    assert_eq!(person.profile.user_info.get("name").and_then(|name| name.as_str()), Some("P"));
    assert_eq!(person.tokens.all.get("refresh_token").and_then(|token| token.as_str()), Some("rt"));

    let asked = provider.seen("/token");
    let form = "client_id=me&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&code=c0de&grant_type=authorization_code\
                &client_secret=s3cret&code_verifier=v3rifier";
    assert_eq!((asked.len(), asked[0].body.as_str()), (1, form));
    assert!(provider.seen("/me")[0].head.contains("authorization: Bearer at\r\n"));

    by_code(&app, "own").await.unwrap();
    assert_eq!(provider.seen("/.well-known/openid-configuration").len(), 1);
    assert_eq!(provider.seen("/keys").len(), 1);
}

#[tokio::test]
async fn a_rotated_key_is_fetched_but_not_on_every_token() {
    let (provider, old, new) = (TestProvider::start().await, Signer::new("old"), Signer::new("new"));
    provider.says("/keys", &json!({"keys": [old.jwk()]}));
    let app = app_for(&provider).await;
    let tokens = |signer: &Signer| json!({"id_token": signer.token(&provider.claims())});
    by_tokens(&app, "own", &tokens(&old)).await.unwrap();
    provider.says("/keys", &json!({"keys": [new.jwk()]}));
    assert!(by_tokens(&app, "own", &tokens(&new)).await.is_err());
    app.clock.advance(30_000);
    by_tokens(&app, "own", &tokens(&new)).await.unwrap();
    assert!(by_tokens(&app, "own", &tokens(&old)).await.is_err());
    assert_eq!(provider.seen("/keys").len(), 2);
}

#[tokio::test]
async fn a_provider_without_id_tokens_is_asked_for_the_person() {
    let provider = TestProvider::start().await;
    provider.says("/token", &json!({"access_token": "at"}));
    provider.says("/me", &json!({"data": {"id": 12, "mail": "p@x.io", "ok": "true"}}));
    let config = json!({
        "thirdPartyId": "own", "clients": [{"clientId": CLIENT}], "authorizationEndpoint": provider.url("/auth"),
        "tokenEndpoint": provider.url("/token"), "userInfoEndpoint": provider.url("/me?v=1"),
        "userInfoEndpointQueryParams": {"x": "y"}, "userInfoEndpointHeaders": {"x-key": "k", "accept": null},
        "userInfoMap": {"fromUserInfoAPI": {"userId": "data.id", "email": "data.mail", "emailVerified": "data.ok"}},
    });
    let person = by_code(&app_with(json!([config])).await, "own").await.unwrap();
    assert_eq!((person.user_id.as_str(), person.email.as_str(), person.is_verified), ("12", "p@x.io", true));
    let head = &provider.seen("/me")[0].head;
    assert!(head.starts_with("GET /me?v=1&x=y HTTP/1.1\r\n") && head.contains("x-key: k\r\n"), "{head}");
    assert!(!head.contains("accept:"), "{head}");
}

#[tokio::test]
async fn a_missing_address_is_made_up_only_where_none_is_required() {
    let provider = TestProvider::start().await;
    provider.says("/token", &json!({"access_token": "at"}));
    provider.says("/me", &json!({"sub": "7"}));
    let mut lenient = own(&provider);
    lenient["thirdPartyId"] = json!("lenient");
    lenient["requireEmail"] = json!(false);
    let app = app_with(json!([own(&provider), lenient])).await;
    assert_eq!(by_code(&app, "own").await.unwrap_err(), ProviderRefusal::NoEmail);
    let person = by_code(&app, "lenient").await.unwrap();
    assert_eq!((person.email.as_str(), person.is_verified), ("7.lenient@stfakeemail.supertokens.com", true));
}

#[tokio::test]
async fn a_nonce_that_was_sent_must_come_back() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    let app = app_for(&provider).await;
    let sign_in = async |nonce: &str| {
        let mut command = command(&app, "own", redirect(&json!({"code": "c"})));
        command.nonce = Some(nonce.to_owned());
        command.run(&app.context).await.unwrap()
    };
    let mut claims = provider.claims();
    claims["nonce"] = json!("n");
    provider.says("/token", &json!({"id_token": signer.token(&claims)}));
    assert!(sign_in("n").await.is_ok());
    assert_eq!(sign_in("m").await.unwrap_err(), ProviderRefusal::Claims(ClaimFlaw::Nonce));
    provider.says("/token", &json!({"access_token": "at"}));
    assert_eq!(sign_in("n").await.unwrap_err(), ProviderRefusal::NoIdToken);
}

#[tokio::test]
async fn tokens_of_a_client_must_prove_for_whom_they_were_made() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    provider.says("/me", &json!({"sub": "7", "email": "p@x.io"}));
    let app = app_for(&provider).await;
    let bare = by_tokens(&app, "own", &json!({"access_token": "at"})).await;
    assert_eq!(bare.unwrap_err(), ProviderRefusal::UncheckedToken);
    assert!(provider.seen("/me").is_empty());
    assert_eq!(by_tokens(&app, "own", &json!({})).await.unwrap_err(), ProviderRefusal::NoToken);

    let mut foreign = provider.claims();
    foreign["aud"] = json!("you");
    let refused = by_tokens(&app, "own", &json!({"id_token": signer.token(&foreign)})).await;
    assert_eq!(refused.unwrap_err(), ProviderRefusal::Claims(ClaimFlaw::Audience));

    // An access token of somebody else beside a good id token says nothing.
    let id_token = signer.token(&provider.claims());
    provider.says("/me", &json!({"sub": "8", "email": "victim@x.io", "email_verified": true}));
    assert!(by_tokens(&app, "own", &json!({"id_token": id_token, "access_token": "at"})).await.is_err());
    provider.says("/me", &json!({"email": "victim@x.io", "email_verified": true}));
    let person = by_tokens(&app, "own", &json!({"id_token": id_token, "access_token": "at"})).await.unwrap();
    assert_eq!(person.email, "p@x.io");
}

#[tokio::test]
async fn github_is_asked_for_addresses_and_for_whom_a_token_was_made() {
    let provider = TestProvider::start().await;
    let config = json!([{
        "thirdPartyId": "github", "clients": [{"clientId": CLIENT, "clientSecret": "s"}],
        "tokenEndpoint": provider.url("/token"), "userInfoEndpoint": provider.url("/api/user"),
    }]);
    provider.says("/token", &json!({"access_token": "at"}));
    provider.says("/api/user", &json!({"id": 7, "email": "public@x.io"}));
    provider.says("/api/user/emails", &json!([{"email": "p@x.io", "primary": true, "verified": true}]));
    let app = app_with(config).await;
    let person = by_code(&app, "github").await.unwrap();
    assert_eq!((person.user_id.as_str(), person.email.as_str(), person.is_verified), ("7", "p@x.io", true));

    let check = "/api/applications/me/token";
    provider.says(check, &json!({"app": {"client_id": CLIENT}}));
    assert!(by_tokens(&app, "github", &json!({"access_token": "at"})).await.is_ok());
    assert_eq!(provider.seen(check)[0].body, r#"{"access_token":"at"}"#);
    provider.says(check, &json!({"app": {"client_id": "you"}}));
    let foreign = by_tokens(&app, "github", &json!({"access_token": "at"})).await;
    assert_eq!(foreign.unwrap_err(), ProviderRefusal::ForeignToken);
    provider.answers(check, super::provider::Answer::Reply(404, "{}".to_owned()));
    let unknown = by_tokens(&app, "github", &json!({"access_token": "at"})).await;
    assert_eq!(unknown.unwrap_err(), ProviderRefusal::ForeignToken);
}

#[tokio::test]
async fn apple_gets_a_secret_made_for_the_occasion_and_tells_a_name_once() {
    let (provider, signer) = (TestProvider::start().await, Signer::new("a"));
    provider.says("/keys", &json!({"keys": [signer.jwk()]}));
    provider.says("/token", &json!({"id_token": signer.token(&provider.claims())}));
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = STANDARD.encode(pair.to_pkcs8v1().unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\\n{key}\\n-----END PRIVATE KEY-----");
    let extra = json!({"keyId": "k", "teamId": "t", "privateKey": pem});
    let app = app_with(json!([{
        "thirdPartyId": "apple", "oidcDiscoveryEndpoint": provider.url(""),
        "clients": [{"clientId": CLIENT, "additionalConfig": extra}],
    }]))
    .await;
    let params = json!({"code": "c", "user": r#"{"name": {"firstName": "P"}}"#});
    let person = command(&app, "apple", redirect(&params)).run(&app.context).await.unwrap().unwrap();
    assert!(person.profile.user_info.get("user").unwrap().as_object().unwrap().get("name").is_some());
    let form = &provider.seen("/token")[0].body;
    let secret = form.split("client_secret=").nth(1).unwrap().split('&').next().unwrap();
    assert_eq!(secret.split('.').count(), 3, "{form}");
    provider.says("/token", &json!({"access_token": "at"}));
    assert_eq!(by_code(&app, "apple").await.unwrap_err(), ProviderRefusal::NoIdToken);
}
