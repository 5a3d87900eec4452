//! Which providers a tenant has, and which client fits.

use super::{app_with, scope, url_for};
use crate::app::TestApp;
use serde_json::{Value, json};
use sessiond::command::thirdparty::authorisation_url::AuthorisationUrl;
use sessiond::command::thirdparty::providers::{ListProviders, ProviderSummary};
use sessiond::command::thirdparty::refusal::ProviderRefusal;
use sessiond::domain::ids::TenantId;
use sessiond::domain::thirdparty::config::NoClient;

async fn listed(app: &TestApp, tenant: &str, client_type: Option<&str>) -> Vec<String> {
    let client_type = client_type.map(str::to_owned);
    let command = ListProviders { scope: scope(app), tenant: TenantId::new(tenant), client_type };
    let found = command.run(&app.context).await.expect("a working store");
    found.into_iter().map(|ProviderSummary { id, name }| format!("{id} {}", name.unwrap_or_default())).collect()
}

async fn put(app: &TestApp, tenant: &str, config: Value) {
    let path = format!("/{tenant}/recipe/multitenancy/config/thirdparty");
    app.put(&path, json!({"config": config, "skipValidation": true})).await.ok();
}

#[tokio::test]
async fn a_tenant_has_its_own_providers_or_the_static_ones() {
    let app = app_with(json!([
        {"thirdPartyId": "github", "clients": [{"clientId": "static"}], "includeInNonPublicTenantsByDefault": true},
        {"thirdPartyId": "google", "clients": [{"clientId": "static", "clientType": "web"}]},
        {"thirdPartyId": "nobody"},
    ]))
    .await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    assert_eq!(listed(&app, "public", None).await, ["github Github", "google Google"]);
    assert_eq!(listed(&app, "public", Some("web")).await, ["google Google"]);
    assert_eq!(listed(&app, "t1", None).await, ["github Github"]);

    put(&app, "t1", json!({"thirdPartyId": "google", "name": "Ours", "clients": []})).await;
    put(&app, "t1", json!({"thirdPartyId": "broken", "tokenEndpoint": "x", "clients": [{"clientId": "i"}]})).await;
    assert_eq!(listed(&app, "t1", None).await, ["google Ours"]);
    let url = async |id: &str| {
        let command = AuthorisationUrl {
            scope: scope(&app),
            tenant: TenantId::new("t1"),
            third_party_id: id.to_owned(),
            client_type: None,
            redirect_uri: "https://app.test/cb".to_owned(),
            nonce: None,
        };
        command.run(&app.context).await.unwrap().map(|made| made.url)
    };
    assert_eq!(url("github").await, Err(ProviderRefusal::Unknown("github".to_owned())));
    let broken = url("broken").await.unwrap_err().to_string();
    let expected =
        "the provider's configuration is not usable: broken.tokenEndpoint must be a URL that begins with https://";
    assert_eq!(broken, expected);
}

#[tokio::test]
async fn a_request_must_fit_the_configuration() {
    let app = app_with(json!([
        {"thirdPartyId": "github", "clients": [
            {"clientId": "w", "clientType": "web"}, {"clientId": "i", "clientType": "ios", "scope": []},
        ]},
        {"thirdPartyId": "saml-x", "clients": [{"clientId": "s"}]},
    ]))
    .await;
    let refused = async |id: &str, client_type| url_for(&app, id, client_type).await.unwrap_err();
    let unknown = refused("gitlab", None).await;
    assert_eq!(unknown.to_string(), "the provider gitlab could not be found in the configuration");
    assert!(unknown.is_bad_request());
    assert_eq!(refused("github", None).await, ProviderRefusal::NoClient(NoClient::Ambiguous));
    assert_eq!(refused("github", Some("tv")).await, ProviderRefusal::NoClient(NoClient::Unknown("tv".to_owned())));
    assert_eq!(refused("saml-x", None).await, ProviderRefusal::Saml);
    let url = url_for(&app, "github", Some("ios")).await.unwrap();
    assert!(url.url.starts_with("https://github.com/login/oauth/authorize?client_id=i&"), "{}", url.url);
    assert!(!url.url.contains("scope=") && url.pkce_verifier.is_some());
}

#[tokio::test]
async fn a_client_secret_does_not_leave_the_settings() {
    let app =
        app_with(json!([{"thirdPartyId": "github", "clients": [{"clientId": "i", "clientSecret": "hu5h"}]}])).await;
    let config = format!("{:?}", scope(&app).app.config);
    assert!(!config.contains("hu5h"));
}
