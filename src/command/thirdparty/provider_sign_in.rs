//! `POST /signinup` of the front door, first half: who a person is at a provider. Signs nobody in.

use super::conversation::Conversation;
use super::providers::{find, ready};
use super::refusal::ProviderRefusal;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::json::{Json, Members};
use crate::domain::thirdparty::catalogue::ProviderKind;
use crate::domain::thirdparty::config::ProviderConfig;
use crate::domain::thirdparty::exchange::{OAuthTokens, RedirectInfo};
use crate::domain::thirdparty::profile::{Profile, Subject, fake_email};
use crate::domain::thirdparty::provider::Provider;
use crate::domain::user::normalise_email;
use crate::fault::Fault;

/// Finds out who a person is at a provider.
pub struct ProviderSignIn {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant of the path.
    pub tenant: TenantId,
    /// The provider's id.
    pub third_party_id: String,
    /// The application's client that asks, if it says.
    pub client_type: Option<String>,
    /// What the person brings.
    pub proof: Proof,
    /// The nonce that was sent with the authorization request, if one was.
    pub nonce: Option<String>,
}

/// What a person brings from a provider.
#[derive(Debug)]
pub enum Proof {
    /// A code.
    Redirect(RedirectInfo),
    /// Tokens that a client of the application got by itself.
    Tokens(OAuthTokens),
}

/// Who a person is at a provider.
#[derive(Debug)]
pub struct ProviderIdentity {
    /// The provider's id.
    pub third_party_id: String,
    /// The person's id there.
    pub user_id: String,
    /// The e-mail address, normalised; a made-up one if the provider gives none and none is required.
    pub email: String,
    /// Whether the provider states that the address is the person's, or it is a made-up one.
    pub is_verified: bool,
    /// What the provider said. Not for the client.
    pub profile: Profile,
    /// The tokens. Not for the client.
    pub tokens: OAuthTokens,
}

impl ProviderSignIn {
    /// Checks that the tenant has the provider, without asking it anything.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn check(&self, context: &Context) -> Result<Result<(), ProviderRefusal>, Fault> {
        Ok(find(context, &self.scope, &self.tenant, &self.third_party_id).await?.map(drop))
    }

    /// Returns who the person is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Result<ProviderIdentity, ProviderRefusal>, Fault> {
        match find(context, &self.scope, &self.tenant, &self.third_party_id).await? {
            Ok(config) => Ok(self.identify(context, &config).await),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn identify(self, context: &Context, config: &ProviderConfig) -> Result<ProviderIdentity, ProviderRefusal> {
        let provider = ready(context, &self.scope, config, self.client_type.as_deref()).await?;
        let talk = Conversation { context, reach: &self.scope.app.config.third_party.reach, provider: &provider };
        let (tokens, mut profile) = match &self.proof {
            Proof::Redirect(redirect) => self.by_code(&talk, redirect).await?,
            Proof::Tokens(tokens) => (tokens.clone(), self.by_tokens(&talk, tokens).await?),
        };
        let subject = profile.subject(&provider)?;
        if let Proof::Redirect(redirect) = &self.proof {
            add_apple_user(&mut profile, &provider, &redirect.params);
        }
        let (email, is_verified) = address(&provider, &subject)?;
        Ok(ProviderIdentity {
            third_party_id: provider.id,
            user_id: subject.user_id,
            email,
            is_verified,
            profile,
            tokens,
        })
    }

    /// The tokens are straight from the provider, over TLS.
    async fn by_code(
        &self,
        talk: &Conversation<'_>,
        redirect: &RedirectInfo,
    ) -> Result<(OAuthTokens, Profile), ProviderRefusal> {
        let tokens = talk.exchange(redirect).await?;
        if tokens.access_token.is_none() && tokens.id_token.is_none() {
            return Err(ProviderRefusal::NoToken);
        }
        let id_token = talk.id_token(&tokens, self.nonce.as_deref()).await?;
        if id_token.is_none() && (self.nonce.is_some() || must_have_id_token(talk.provider)) {
            return Err(ProviderRefusal::NoIdToken);
        }
        let user_info = talk.user_info(&tokens).await?;
        Ok((tokens, Profile { id_token: id_token.unwrap_or_default(), user_info }))
    }

    /// The tokens come from a client, so that each must prove for whom it was made: an access token of another
    /// application would sign its user in here.
    async fn by_tokens(&self, talk: &Conversation<'_>, tokens: &OAuthTokens) -> Result<Profile, ProviderRefusal> {
        if let Some(id_token) = talk.id_token(tokens, self.nonce.as_deref()).await? {
            let user_info = talk.user_info(tokens).await?;
            // Without the same subject it may be about anybody.
            let is_same = user_info.get("sub").is_some();
            return Ok(Profile { id_token, user_info: if is_same { user_info } else { Members::default() } });
        }
        if self.nonce.is_some() || must_have_id_token(talk.provider) {
            return Err(ProviderRefusal::NoIdToken);
        }
        talk.check_access_token(tokens).await?;
        Ok(Profile { id_token: Members::default(), user_info: talk.user_info(tokens).await? })
    }
}

/// Whether what a provider promises is in the id token alone.
fn must_have_id_token(provider: &Provider) -> bool {
    matches!(provider.kind, ProviderKind::Apple | ProviderKind::GoogleWorkspaces)
}

/// Apple tells a person's name once, in the form that the browser brings; nothing confirms it.
fn add_apple_user(profile: &mut Profile, provider: &Provider, params: &Members) {
    if provider.kind == ProviderKind::Apple
        && let Some(user) = params.get("user").filter(|user| !user.is_null())
    {
        let parsed = user.as_str().and_then(|text| Members::parse(text).ok()).map(Json::Object);
        profile.user_info.set("user", parsed.unwrap_or_else(|| user.clone()));
    }
}

fn address(provider: &Provider, subject: &Subject) -> Result<(String, bool), ProviderRefusal> {
    match &subject.email {
        Some(email) => Ok((normalise_email(email), subject.is_verified)),
        None if provider.require_email => Err(ProviderRefusal::NoEmail),
        None => Ok((normalise_email(&fake_email(&subject.user_id, &provider.id)), true)),
    }
}
