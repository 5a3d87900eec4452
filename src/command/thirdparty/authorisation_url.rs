//! `GET /authorisationurl` of the front door: where to send a browser to sign in with a provider.

use super::providers::{find, ready};
use super::refusal::ProviderRefusal;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::thirdparty::authorization::{Authorization, authorization};
use crate::domain::thirdparty::config::ProviderConfig;
use crate::fault::Fault;

/// Makes the URL to which a browser is sent.
pub struct AuthorisationUrl {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant of the path.
    pub tenant: TenantId,
    /// The provider's id.
    pub third_party_id: String,
    /// The application's client that asks, if it says.
    pub client_type: Option<String>,
    /// Where the provider sends the browser afterwards, as registered there.
    pub redirect_uri: String,
    /// A nonce that the id token must carry, if the caller keeps one for this sign-in.
    pub nonce: Option<String>,
}

impl AuthorisationUrl {
    /// Returns the URL, without a state, and the PKCE verifier if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Result<Authorization, ProviderRefusal>, Fault> {
        match find(context, &self.scope, &self.tenant, &self.third_party_id).await? {
            Ok(config) => Ok(self.make(context, &config).await),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn make(&self, context: &Context, config: &ProviderConfig) -> Result<Authorization, ProviderRefusal> {
        let provider = ready(context, &self.scope, config, self.client_type.as_deref()).await?;
        let made = authorization(&provider, &self.redirect_uri, self.nonce.as_deref(), context.entropy.as_ref());
        made.ok_or(ProviderRefusal::NoEndpoint("authorization endpoint"))
    }
}
