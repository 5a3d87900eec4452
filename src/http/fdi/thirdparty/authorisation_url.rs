//! `GET /authorisationurl`: where to send a browser to sign in with a provider.

use super::refusal;
use crate::command::thirdparty::authorisation_url::AuthorisationUrl;
use crate::context::Context;
use crate::domain::limits::LimitedAction;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::{input, limits, reply};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UrlBody<'a> {
    status: &'static str,
    url_with_query_params: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pkce_code_verifier: Option<&'a str>,
}

pub(super) async fn authorisation_url(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let parameter = |name: &str| {
        let sentence = format!("Please provide the {name} as a GET param");
        input::query(&call.request, name).ok_or_else(|| FrontError::bad_request(sentence))
    };
    let third_party_id = parameter("thirdPartyId")?.into_owned();
    let redirect_uri = parameter("redirectURIOnProviderDashboard")?.into_owned();
    let client_type = input::query(&call.request, "clientType").map(std::borrow::Cow::into_owned);
    call.existing_tenant()?;
    limits::admit(context, call, LimitedAction::Lookup, None).await?;
    let command = AuthorisationUrl {
        scope: call.scope(),
        tenant: call.tenant.clone(),
        third_party_id: third_party_id.clone(),
        client_type,
        redirect_uri,
        // The browser keeps what it needs to recognise its own sign-in: a state, and the PKCE verifier.
        nonce: None,
    };
    let made = command.run(context).await?.map_err(|refusal| refusal::error(call, &third_party_id, &refusal))?;
    Ok(reply::ok(&UrlBody {
        status: "OK",
        url_with_query_params: &made.url,
        pkce_code_verifier: made.pkce_verifier.as_ref().map(|verifier| verifier.expose().as_str()),
    }))
}
