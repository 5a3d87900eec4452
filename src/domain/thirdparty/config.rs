//! [`ProviderConfig`]: a provider as an operator or a tenant describes it, before the catalogue fills the gaps.

use crate::domain::json::Members;
use crate::domain::secret::Secret;
use std::fmt;

/// The description of a provider: members that are missing come from the static configuration or from the catalogue.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Its id, which is stored with every account there.
    pub third_party_id: String,
    /// The provider of the catalogue that it is, if the id does not begin with that one's.
    pub implementation: Option<String>,
    /// The name to show.
    pub name: Option<String>,
    /// The application's registrations with the provider.
    pub clients: Vec<ClientConfig>,
    /// Where the browser is sent.
    pub authorization_endpoint: Option<String>,
    /// Members of that URL's query; `null` removes one.
    pub authorization_params: Option<Params>,
    /// Where a code is exchanged for tokens.
    pub token_endpoint: Option<String>,
    /// Members of that request's form; `null` removes one.
    pub token_params: Option<Params>,
    /// Where the person's data is read.
    pub user_info_endpoint: Option<String>,
    /// Members of that request's query; `null` removes one.
    pub user_info_params: Option<Params>,
    /// Headers of that request; `null` removes one.
    pub user_info_headers: Option<Params>,
    /// Where the keys of id tokens are published.
    pub jwks_uri: Option<String>,
    /// Where the provider describes itself (OpenID Connect Discovery 1.0).
    pub oidc_discovery_endpoint: Option<String>,
    /// Where the person's data is found in the provider's replies.
    pub user_info_map: UserInfoMap,
    /// Whether an account without an e-mail address is refused.
    pub require_email: Option<bool>,
    /// Whether tenants other than the public one have it too while they have no providers of their own.
    pub in_every_tenant: bool,
}

/// Parameters that are set or, where the value is `None`, removed; in order.
pub type Params = Vec<(String, Option<String>)>;

/// A registration of the application with a provider.
#[derive(Clone)]
pub struct ClientConfig {
    /// Which of the application's clients this is, such as `web` or `ios`.
    pub client_type: Option<String>,
    /// The id that the provider gave it.
    pub client_id: String,
    /// The secret that the provider gave it.
    pub client_secret: Option<Secret<String>>,
    /// The scopes to ask for; the catalogue's if `None`.
    pub scope: Option<Vec<String>>,
    /// Whether to use PKCE (RFC 7636) in any case.
    pub force_pkce: Option<bool>,
    /// What single providers need besides, such as a directory or a key.
    pub extra: Members,
}

/// Where the person's data is found in each of the provider's replies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserInfoMap {
    /// In the id token's payload.
    pub id_token: Paths,
    /// In the reply of the user info endpoint.
    pub user_info: Paths,
}

/// Paths through nested objects, with dots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// The person's id at the provider.
    pub user_id: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the provider states that the address is the person's.
    pub email_verified: Option<String>,
}

/// Why no client fits; the protocol's sentences.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoClient {
    /// None was asked for, and there is not exactly one.
    #[error("please provide exactly one client config or pass clientType or tenantId")]
    Ambiguous,
    /// There is none of this type.
    #[error("Could not find client config for clientType: {0}")]
    Unknown(String),
}

impl ProviderConfig {
    /// This configuration with what it leaves open taken from `base`.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        Self {
            third_party_id: self.third_party_id,
            implementation: self.implementation.or_else(|| base.implementation.clone()),
            name: self.name.or_else(|| base.name.clone()),
            clients: merged_clients(self.clients, &base.clients),
            authorization_endpoint: self.authorization_endpoint.or_else(|| base.authorization_endpoint.clone()),
            authorization_params: self.authorization_params.or_else(|| base.authorization_params.clone()),
            token_endpoint: self.token_endpoint.or_else(|| base.token_endpoint.clone()),
            token_params: self.token_params.or_else(|| base.token_params.clone()),
            user_info_endpoint: self.user_info_endpoint.or_else(|| base.user_info_endpoint.clone()),
            user_info_params: self.user_info_params.or_else(|| base.user_info_params.clone()),
            user_info_headers: self.user_info_headers.or_else(|| base.user_info_headers.clone()),
            jwks_uri: self.jwks_uri.or_else(|| base.jwks_uri.clone()),
            oidc_discovery_endpoint: self.oidc_discovery_endpoint.or_else(|| base.oidc_discovery_endpoint.clone()),
            user_info_map: UserInfoMap {
                id_token: self.user_info_map.id_token.over(&base.user_info_map.id_token),
                user_info: self.user_info_map.user_info.over(&base.user_info_map.user_info),
            },
            require_email: self.require_email.or(base.require_email),
            in_every_tenant: self.in_every_tenant || base.in_every_tenant,
        }
    }

    /// The client of this type; the only one if no type is asked for.
    ///
    /// # Errors
    /// When there is no such client, or more than one.
    pub fn client(&self, client_type: Option<&str>) -> Result<&ClientConfig, NoClient> {
        match (client_type, self.clients.as_slice()) {
            (None, [client]) => Ok(client),
            (None, _) => Err(NoClient::Ambiguous),
            (Some(wanted), clients) => clients
                .iter()
                .find(|client| client.client_type.as_deref() == Some(wanted))
                .ok_or_else(|| NoClient::Unknown(wanted.to_owned())),
        }
    }
}

/// The static providers that a tenant has while it has none of its own.
pub fn static_providers(fixed: &[ProviderConfig], is_public: bool) -> impl Iterator<Item = &ProviderConfig> {
    fixed.iter().filter(move |provider| is_public || provider.in_every_tenant)
}

/// A tenant's own provider over the static one of the same id.
#[must_use]
pub fn over_static(own: ProviderConfig, fixed: &[ProviderConfig]) -> ProviderConfig {
    match fixed.iter().find(|base| base.third_party_id == own.third_party_id) {
        Some(base) => own.over(base),
        None => own,
    }
}

impl Paths {
    /// These paths; where one is missing, that of `base`.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        Self {
            user_id: self.user_id.or_else(|| base.user_id.clone()),
            email: self.email.or_else(|| base.email.clone()),
            email_verified: self.email_verified.or_else(|| base.email_verified.clone()),
        }
    }
}

/// The clients of `base`, each replaced by the one of the same type, and then the others.
fn merged_clients(own: Vec<ClientConfig>, base: &[ClientConfig]) -> Vec<ClientConfig> {
    let mut merged = base.to_vec();
    for client in own {
        match merged.iter_mut().find(|other| other.client_type == client.client_type) {
            Some(other) => *other = client,
            None => merged.push(client),
        }
    }
    merged
}

impl fmt::Debug for ProviderConfig {
    /// Leaves out everything that may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConfig").field("third_party_id", &self.third_party_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientConfig {
    /// Leaves out the secret and the extras, which may hold a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("client_type", &self.client_type)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl PartialEq for ClientConfig {
    fn eq(&self, other: &Self) -> bool {
        let secret = |client: &Self| client.client_secret.as_ref().map(|secret| secret.expose().clone());
        self.client_type == other.client_type
            && self.client_id == other.client_id
            && secret(self) == secret(other)
            && self.scope == other.scope
            && self.force_pkce == other.force_pkce
            && self.extra == other.extra
    }
}

impl Eq for ClientConfig {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::thirdparty::read::provider;

    fn read(json: &serde_json::Value) -> ProviderConfig {
        provider(&json.to_string(), "p").unwrap()
    }

    #[test]
    fn a_tenants_members_win_over_static_ones() {
        let base = read(&serde_json::json!({
            "thirdPartyId": "x", "name": "Base", "tokenEndpoint": "https://base.test/token",
            "authorizationEndpoint": "https://base.test/auth", "requireEmail": false,
            "authorizationEndpointQueryParams": {"a": "1"},
            "clients": [{"clientType": "web", "clientId": "b-web"}, {"clientType": "ios", "clientId": "b-ios"}],
            "userInfoMap": {"fromUserInfoAPI": {"userId": "id", "email": "mail"}},
        }));
        let own = read(&serde_json::json!({
            "thirdPartyId": "x", "authorizationEndpoint": "https://own.test/auth",
            "authorizationEndpointQueryParams": {"b": null},
            "clients": [{"clientType": "tv", "clientId": "o-tv"}, {"clientType": "web", "clientId": "o-web"}],
            "userInfoMap": {"fromUserInfoAPI": {"email": "address"}},
        }));
        let merged = own.over(&base);
        assert_eq!(merged.name.as_deref(), Some("Base"));
        assert_eq!(merged.authorization_endpoint.as_deref(), Some("https://own.test/auth"));
        assert_eq!(merged.token_endpoint.as_deref(), Some("https://base.test/token"));
        assert_eq!(merged.authorization_params, Some(vec![("b".to_owned(), None)]));
        assert_eq!(merged.require_email, Some(false));
        let ids: Vec<_> = merged.clients.iter().map(|client| client.client_id.as_str()).collect();
        assert_eq!(ids, ["o-web", "b-ios", "o-tv"]);
        let paths = &merged.user_info_map.user_info;
        assert_eq!((paths.user_id.as_deref(), paths.email.as_deref()), (Some("id"), Some("address")));
    }

    #[test]
    fn static_providers_are_for_the_public_tenant_and_where_they_are_for_all() {
        let make = |id: &str, everywhere: bool| {
            let name = format!("static {id}");
            read(&serde_json::json!({
                "thirdPartyId": id, "name": name, "includeInNonPublicTenantsByDefault": everywhere,
            }))
        };
        let fixed = [make("google", false), make("github", true)];
        let ids = |is_public| {
            static_providers(&fixed, is_public).map(|provider| provider.third_party_id.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(ids(true), ["google", "github"]);
        assert_eq!(ids(false), ["github"]);
        let named = |id: &str| over_static(read(&serde_json::json!({"thirdPartyId": id})), &fixed).name;
        assert_eq!(named("google").as_deref(), Some("static google"));
        assert_eq!(named("okta"), None);
    }

    #[test]
    fn a_client_is_chosen_by_its_type() {
        let one = read(&serde_json::json!({"thirdPartyId": "x", "clients": [{"clientId": "i", "clientType": "web"}]}));
        assert_eq!(one.client(None).unwrap().client_id, "i");
        assert_eq!(one.client(Some("web")).unwrap().client_id, "i");
        let missing = one.client(Some("tv")).unwrap_err();
        assert_eq!(missing.to_string(), "Could not find client config for clientType: tv");
        let none = read(&serde_json::json!({"thirdPartyId": "x"}));
        assert_eq!(none.client(None), Err(NoClient::Ambiguous));
    }

    #[test]
    fn secrets_do_not_print_themselves() {
        let config = read(&serde_json::json!({
            "thirdPartyId": "x",
            "clients": [{"clientId": "i", "clientSecret": "hush", "additionalConfig": {"privateKey": "hush"}}],
            "userInfoEndpointHeaders": {"x-key": "hush"},
        }));
        assert!(!format!("{config:?} {:?}", config.clients).contains("hush"));
    }
}
