//! [`Conversation`]: what is asked of a provider once the browser has come back.

use super::refusal::{Failure, ProviderRefusal, Step};
use crate::context::Context;
use crate::crypto::signed_token::{SignedToken, TokenFlaw, sign_es256};
use crate::domain::http_request::{HttpReply, HttpRequest, Reach};
use crate::domain::json::{Json, Members};
use crate::domain::secret::Secret;
use crate::domain::thirdparty::apple::apple_secret;
use crate::domain::thirdparty::exchange::{
    OAuthTokens, RedirectInfo, emails_request, is_token_of, token_check_request, token_request, user_info_request,
};
use crate::domain::thirdparty::id_token::check_claims;
use crate::domain::thirdparty::profile::add_emails;
use crate::domain::thirdparty::provider::Provider;
use crate::outbound::provider::VerifyError;
use serde_json::value::RawValue;

/// Longest error code of a provider that is passed on.
const MAX_ERROR_CODE: usize = 64;

/// A provider, and how to reach it.
pub(super) struct Conversation<'a> {
    pub(super) context: &'a Context,
    pub(super) reach: &'a Reach,
    pub(super) provider: &'a Provider,
}

impl Conversation<'_> {
    /// The tokens for a code.
    pub(super) async fn exchange(&self, redirect: &RedirectInfo) -> Result<OAuthTokens, ProviderRefusal> {
        let code = redirect.params.get("code").and_then(Json::as_str).filter(|code| !code.is_empty());
        let code = code.ok_or(ProviderRefusal::NoCode)?;
        let made = match apple_secret(self.provider, self.context.now())? {
            Some(parts) => Some(sign_es256(&parts.header, &parts.payload, &parts.private_key)?),
            None => None,
        };
        let secret = made.as_ref().or(self.provider.client.client_secret.as_ref());
        let verifier = redirect.pkce_verifier.as_ref().map(|verifier| verifier.expose().as_str());
        let request = token_request(self.provider, &redirect.redirect_uri, code, verifier, secret);
        let request = request.ok_or(ProviderRefusal::NoEndpoint("token endpoint"))?;
        Ok(OAuthTokens::of(self.ask_object(&request, Step::Exchange).await?))
    }

    /// The checked payload of the id token; `None` without a token, and from a provider that publishes no keys.
    pub(super) async fn id_token(
        &self,
        tokens: &OAuthTokens,
        nonce: Option<&str>,
    ) -> Result<Option<Members>, ProviderRefusal> {
        let (Some(token), Some(keys)) = (&tokens.id_token, &self.provider.jwks_uri) else { return Ok(None) };
        let token = SignedToken::parse(token.expose()).map_err(VerifyError::from)?;
        let payload = self.context.providers.open_token(keys, &token, self.reach, self.context.steady()).await?;
        let claims = std::str::from_utf8(&payload).ok().and_then(|text| Members::parse(text).ok());
        let claims = claims.ok_or(VerifyError::Token(TokenFlaw::Unparsable))?;
        check_claims(&claims, self.provider, nonce, self.context.now())?;
        Ok(Some(claims))
    }

    /// Refuses an access token that was not made for this client.
    pub(super) async fn check_access_token(&self, tokens: &OAuthTokens) -> Result<(), ProviderRefusal> {
        let token = tokens.access_token.as_ref().ok_or(ProviderRefusal::NoToken)?;
        let request = token_check_request(self.provider, token.expose()).ok_or(ProviderRefusal::UncheckedToken)?;
        let answer = match self.ask_object(&request, Step::TokenCheck).await {
            // GitHub does not know tokens of others.
            Err(ProviderRefusal::Failed { failure: Failure::Status { status: 404 | 422, .. }, .. }) => {
                return Err(ProviderRefusal::ForeignToken);
            }
            answer => answer?,
        };
        if is_token_of(self.provider, &answer) { Ok(()) } else { Err(ProviderRefusal::ForeignToken) }
    }

    /// The person's data; nothing without an access token, and from a provider without an endpoint for it.
    pub(super) async fn user_info(&self, tokens: &OAuthTokens) -> Result<Members, ProviderRefusal> {
        let Some(token) = tokens.access_token.as_ref().map(Secret::expose) else { return Ok(Members::default()) };
        let Some(request) = user_info_request(self.provider, token) else { return Ok(Members::default()) };
        let mut user_info = self.ask_object(&request, Step::UserInfo).await?;
        if let Some(request) = emails_request(self.provider, token) {
            let emails = self.ask(&request, Step::UserInfo).await?;
            add_emails(&mut user_info, self.provider.kind, emails);
        }
        Ok(user_info)
    }

    async fn ask_object(&self, request: &HttpRequest, step: Step) -> Result<Members, ProviderRefusal> {
        match self.ask(request, step).await? {
            Json::Object(members) => Ok(members),
            _ => Err(ProviderRefusal::failed(step, Failure::Unreadable)),
        }
    }

    async fn ask(&self, request: &HttpRequest, step: Step) -> Result<Json, ProviderRefusal> {
        let reply = self.context.providers.send(request, self.reach).await;
        let reply = reply.map_err(|error| ProviderRefusal::failed(step, error))?;
        let json = parse(&reply);
        if !(200..300).contains(&reply.status) {
            let failure = Failure::Status { status: reply.status, error: json.as_ref().and_then(error_code) };
            return Err(ProviderRefusal::failed(step, failure));
        }
        json.ok_or_else(|| ProviderRefusal::failed(step, Failure::Unreadable))
    }
}

fn parse(reply: &HttpReply) -> Option<Json> {
    let raw: &RawValue = serde_json::from_slice(&reply.body).ok()?;
    Json::of(raw).ok()
}

/// The error code of a reply (RFC 6749, section 5.2), if it looks like one.
fn error_code(reply: &Json) -> Option<String> {
    let code = reply.as_object()?.get("error")?.as_str()?;
    let is_code = !code.is_empty()
        && code.len() <= MAX_ERROR_CODE
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    is_code.then(|| code.to_owned())
}
