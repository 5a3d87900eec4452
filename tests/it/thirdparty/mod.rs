//! Sign-in with accounts at third parties, up to who the person is there: against a provider of the tests' own.

mod examples;
mod misbehaviour;
mod provider;
mod reach;
mod sign_in;
mod sign_up_rules;
mod tenants;
mod tls;

use crate::app::TestApp;
use provider::{CLIENT, TestProvider};
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::thirdparty::authorisation_url::AuthorisationUrl;
use sessiond::command::thirdparty::provider_sign_in::{Proof, ProviderIdentity, ProviderSignIn};
use sessiond::command::thirdparty::refusal::ProviderRefusal;
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::json::Members;
use sessiond::domain::secret::Secret;
use sessiond::domain::thirdparty::authorization::Authorization;
use sessiond::domain::thirdparty::exchange::{OAuthTokens, RedirectInfo};

/// An app with these static providers, which may be on this machine.
async fn app_with(providers: Value) -> TestApp {
    let providers = providers.to_string();
    TestApp::builder()
        .setting("third_party_providers", &providers)
        .setting("provider_private_networks", "127.0.0.0/8")
        .setting("provider_timeout_ms", "1000")
        .build()
        .await
}

/// An app with a provider `own`, found by discovery.
async fn app_for(provider: &TestProvider) -> TestApp {
    app_with(json!([own(provider)])).await
}

fn own(provider: &TestProvider) -> Value {
    json!({
        "thirdPartyId": "own", "oidcDiscoveryEndpoint": provider.url("/.well-known/openid-configuration"),
        "clients": [{"clientId": CLIENT, "clientSecret": "s3cret"}],
    })
}

fn scope(app: &TestApp) -> Scope {
    let entry = app.context.directory.app(&AppId::base()).expect("the base app");
    Scope { app: entry, cause: Cause::without_request("test") }
}

fn command(app: &TestApp, id: &str, proof: Proof) -> ProviderSignIn {
    ProviderSignIn {
        scope: scope(app),
        tenant: TenantId::public(),
        third_party_id: id.to_owned(),
        client_type: None,
        proof,
        nonce: None,
    }
}

/// Signs in with a code.
async fn by_code(app: &TestApp, id: &str) -> Result<ProviderIdentity, ProviderRefusal> {
    command(app, id, redirect(&json!({"code": "c0de"}))).run(&app.context).await.expect("a working store")
}

/// Signs in with tokens that a client brings.
async fn by_tokens(app: &TestApp, id: &str, tokens: &Value) -> Result<ProviderIdentity, ProviderRefusal> {
    let tokens = OAuthTokens::of(members(tokens));
    command(app, id, Proof::Tokens(tokens)).run(&app.context).await.expect("a working store")
}

fn redirect(params: &Value) -> Proof {
    Proof::Redirect(RedirectInfo {
        redirect_uri: "https://app.test/cb".to_owned(),
        params: members(params),
        pkce_verifier: Some(Secret::new("v3rifier".to_owned())),
    })
}

fn members(json: &Value) -> Members {
    Members::parse(&json.to_string()).expect("an object")
}

async fn url_for(app: &TestApp, id: &str, client_type: Option<&str>) -> Result<Authorization, ProviderRefusal> {
    let command = AuthorisationUrl {
        scope: scope(app),
        tenant: TenantId::public(),
        third_party_id: id.to_owned(),
        client_type: client_type.map(str::to_owned),
        redirect_uri: "https://app.test/cb".to_owned(),
        nonce: None,
    };
    command.run(&app.context).await.expect("a working store")
}
