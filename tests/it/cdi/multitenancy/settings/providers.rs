//! Observations of the settings of third-party providers.

use super::Spot;
use super::probes::app_id;
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::thirdparty::authorisation_url::AuthorisationUrl;
use sessiond::command::thirdparty::providers::ListProviders;
use sessiond::domain::http_request::{HttpReply, HttpRequest, Reach};
use sessiond::domain::ids::TenantId;
use sessiond::outbound::http::{HttpClient, SendError};

/// A provider whose discovery document says how it was reached.
pub(super) struct Echo;

#[async_trait::async_trait]
impl HttpClient for Echo {
    async fn send(&self, request: &HttpRequest, reach: &Reach) -> Result<HttpReply, SendError> {
        if let Some(reply) = super::texts::told(request) {
            let networks = u16::try_from(reach.private_networks.len()).unwrap();
            return Ok(HttpReply { status: reply.status + 10 * networks, ..reply });
        }
        let url = format!("https://op.test/{}/{}", reach.timeout.as_millis(), reach.private_networks.len());
        let document = json!({"authorization_endpoint": url});
        Ok(HttpReply::new(200, document.to_string().into_bytes()))
    }
}

fn place(spot: &Spot<'_>) -> (Scope, TenantId) {
    let app = spot.app.context.directory.app(&app_id(spot)).unwrap();
    let tenant = spot.place.tenant.trim_start_matches('/');
    let tenant = if tenant.is_empty() { TenantId::public() } else { TenantId::new(tenant) };
    (Scope { app, cause: Cause::without_request("test") }, tenant)
}

/// The providers of the settings.
pub(super) async fn listed(spot: Spot<'_>) -> Value {
    let (scope, tenant) = place(&spot);
    let found = ListProviders { scope, tenant, client_type: None }.run(&spot.app.context).await.unwrap();
    found.into_iter().map(|provider| provider.id).collect()
}

/// How a provider of the tenant is reached.
pub(super) async fn reached(spot: Spot<'_>) -> Value {
    let config = json!({
        "thirdPartyId": "own", "oidcDiscoveryEndpoint": "https://op.test", "clients": [{"clientId": "i"}],
    });
    let put = json!({"config": config});
    spot.request(http::Method::PUT, "/recipe/multitenancy/config/thirdparty").json(&put).await.ok();
    let (scope, tenant) = place(&spot);
    let command = AuthorisationUrl {
        scope,
        tenant,
        third_party_id: "own".to_owned(),
        client_type: None,
        redirect_uri: String::new(),
        nonce: None,
    };
    let url = command.run(&spot.app.context).await.unwrap().unwrap().url;
    json!(url.split('?').next())
}
