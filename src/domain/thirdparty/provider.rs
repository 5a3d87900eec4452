//! [`Provider`]: a provider with one client of the application, everything that is not discovered decided.

use super::catalogue::{Entry, ProviderKind, STANDARD_MAP, entry_of};
use super::config::{ClientConfig, Params, Paths, ProviderConfig, UserInfoMap};
use super::discovery::Discovery;
use crate::domain::json::reader::ConfigFlaw;

/// The path of a discovery document (OpenID Connect Discovery 1.0, section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// A provider and a client of the application there.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its id.
    pub id: String,
    /// The name to show, if it has one.
    pub name: Option<String>,
    /// Which provider it is.
    pub kind: ProviderKind,
    /// The client.
    pub client: ClientConfig,
    /// The scopes to ask for.
    pub scope: Vec<String>,
    /// Whether PKCE is used in any case.
    pub force_pkce: bool,
    /// Where the discovery document is, if there is one.
    pub discovery_url: Option<String>,
    /// Where the browser is sent.
    pub authorization_endpoint: Option<String>,
    /// Members of that URL's query, later ones over earlier ones.
    pub authorization_params: Params,
    /// Where a code is exchanged.
    pub token_endpoint: Option<String>,
    /// Members of that request's form.
    pub token_params: Params,
    /// Where the person's data is read.
    pub user_info_endpoint: Option<String>,
    /// Members of that request's query.
    pub user_info_params: Params,
    /// Headers of that request.
    pub user_info_headers: Params,
    /// Where the keys of id tokens are published.
    pub jwks_uri: Option<String>,
    /// The issuer of its id tokens, if discovery says.
    pub issuer: Option<String>,
    /// Where the person's data is found.
    pub map: UserInfoMap,
    /// Whether an account without an e-mail address is refused.
    pub require_email: bool,
}

impl Provider {
    /// Settles a configuration for one of its clients.
    ///
    /// # Errors
    /// When a member that this provider needs is missing or wrong.
    pub fn settle(config: &ProviderConfig, client: &ClientConfig) -> Result<Self, ConfigFlaw> {
        let entry = entry_of(config.implementation.as_deref().unwrap_or(&config.third_party_id));
        let endpoint = |configured: &Option<String>, template: &str| match configured {
            Some(url) => Ok(Some(url.clone())),
            None => base_url(config, client, entry, template),
        };
        let mut authorization_params = Params::new();
        for (name, template) in entry.query {
            authorization_params.push(((*name).to_owned(), Some(fill(config, client, entry, template)?)));
        }
        authorization_params.extend(config.authorization_params.iter().flatten().cloned());
        let scope = client.scope.clone();
        let provider = Self {
            id: config.third_party_id.clone(),
            name: config.name.clone().or_else(|| given(entry.name)),
            kind: entry.kind,
            client: client.clone(),
            scope: scope.unwrap_or_else(|| entry.scope.iter().map(|scope| (*scope).to_owned()).collect()),
            force_pkce: client.force_pkce.unwrap_or(entry.force_pkce),
            discovery_url: discovery_url(config, client, entry)?,
            authorization_endpoint: endpoint(&config.authorization_endpoint, entry.authorization)?,
            authorization_params,
            token_endpoint: endpoint(&config.token_endpoint, entry.token)?,
            token_params: config.token_params.clone().unwrap_or_default(),
            user_info_endpoint: endpoint(&config.user_info_endpoint, entry.user_info)?,
            user_info_params: config.user_info_params.clone().unwrap_or_default(),
            user_info_headers: config.user_info_headers.clone().unwrap_or_default(),
            jwks_uri: config.jwks_uri.clone(),
            issuer: None,
            map: UserInfoMap {
                id_token: config.user_info_map.id_token.clone().over(&paths(STANDARD_MAP)),
                user_info: config.user_info_map.user_info.clone().over(&paths(entry.map)),
            },
            require_email: config.require_email.unwrap_or(entry.require_email),
        };
        provider.check()?;
        Ok(provider)
    }

    /// The provider with what its discovery document adds: what is configured stays.
    #[must_use]
    pub fn discovered(mut self, found: &Discovery) -> Self {
        let fill = |slot: &mut Option<String>, url: &Option<String>| {
            if slot.is_none() {
                slot.clone_from(url);
            }
        };
        fill(&mut self.authorization_endpoint, &found.authorization_endpoint);
        fill(&mut self.token_endpoint, &found.token_endpoint);
        fill(&mut self.user_info_endpoint, &found.user_info_endpoint);
        fill(&mut self.jwks_uri, &found.jwks_uri);
        self.issuer.clone_from(&found.issuer);
        self.force_pkce |= found.supports_s256;
        self
    }

    /// Whether the authorization request carries a PKCE challenge.
    #[must_use]
    pub fn uses_pkce(&self) -> bool {
        self.force_pkce || (self.client.client_secret.is_none() && self.kind != ProviderKind::Apple)
    }

    /// The text of a member of `additionalConfig`.
    #[must_use]
    pub fn extra(&self, name: &str) -> Option<&str> {
        extra(&self.client, name)
    }

    fn check(&self) -> Result<(), ConfigFlaw> {
        if self.kind == ProviderKind::Saml || self.discovery_url.is_some() {
            return Ok(());
        }
        let needed = [("authorizationEndpoint", &self.authorization_endpoint), ("tokenEndpoint", &self.token_endpoint)];
        match needed.into_iter().find(|(_, url)| url.is_none()) {
            Some((name, _)) => Err(ConfigFlaw::new(name, "is missing, and there is no oidcDiscoveryEndpoint")),
            None => Ok(()),
        }
    }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn paths([user_id, email, email_verified]: [&str; 3]) -> Paths {
    Paths { user_id: given(user_id), email: given(email), email_verified: given(email_verified) }
}

fn extra<'c>(client: &'c ClientConfig, name: &str) -> Option<&'c str> {
    client.extra.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A custom document is where it is configured; one of a provider in the catalogue is below its issuer.
fn discovery_url(config: &ProviderConfig, client: &ClientConfig, entry: &Entry) -> Result<Option<String>, ConfigFlaw> {
    let issuer = match &config.oidc_discovery_endpoint {
        Some(url) if entry.kind == ProviderKind::Custom => return Ok(Some(url.clone())),
        Some(url) => Some(url.clone()),
        None => base_url(config, client, entry, entry.discovery)?,
    };
    Ok(issuer.map(|issuer| match issuer.contains(WELL_KNOWN) {
        true => issuer,
        false => format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')),
    }))
}

/// A template that is a URL once it is filled in; the scheme may be left out in the configuration.
fn base_url(
    config: &ProviderConfig,
    client: &ClientConfig,
    entry: &Entry,
    template: &str,
) -> Result<Option<String>, ConfigFlaw> {
    if template.is_empty() {
        return Ok(None);
    }
    let filled = fill(config, client, entry, template)?;
    Ok(Some(if filled.contains("://") { filled } else { format!("https://{filled}") }))
}

/// The template with the members of `additionalConfig` that it names in braces.
fn fill(config: &ProviderConfig, client: &ClientConfig, entry: &Entry, template: &str) -> Result<String, ConfigFlaw> {
    let Some((before, rest)) = template.split_once('{') else { return Ok(template.to_owned()) };
    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
    let place = || {
        let index = config.clients.iter().position(|other| other == client).unwrap_or_default();
        format!("clients[{index}].additionalConfig.{name}")
    };
    let default = || entry.defaults.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let value = extra(client, name).or_else(default);
    let value = value.ok_or_else(|| ConfigFlaw::new(place(), "is missing"))?;
    // What does not begin a URL is one part of its path.
    if !before.is_empty() && !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
        return Err(ConfigFlaw::new(place(), "must consist of letters, digits, '-', '.', '_' and '~'"));
    }
    Ok(format!("{before}{}{after}", if after.is_empty() { value } else { value.trim_end_matches('/') }))
}
