//! Reads provider configurations from JSON; a mistake is reported with its place.

use super::config::{ClientConfig, Params, Paths, ProviderConfig, UserInfoMap};
use crate::domain::json::Json;
use crate::domain::json::reader::{self, ConfigFlaw, Notes, Reader};
use crate::domain::secret::Secret;
use std::collections::BTreeSet;

/// Members of a provider.
const PROVIDER: [&str; 16] = [
    "thirdPartyId",
    "thirdPartyImplementation",
    "name",
    "clients",
    "authorizationEndpoint",
    "authorizationEndpointQueryParams",
    "tokenEndpoint",
    "tokenEndpointBodyParams",
    "userInfoEndpoint",
    "userInfoEndpointQueryParams",
    "userInfoEndpointHeaders",
    "jwksURI",
    "oidcDiscoveryEndpoint",
    "userInfoMap",
    "requireEmail",
    "includeInNonPublicTenantsByDefault",
];

/// Members of a client.
const CLIENT: [&str; 6] = ["clientType", "clientId", "clientSecret", "scope", "forcePKCE", "additionalConfig"];

/// Reads a list of providers: no two with one id, no unknown members.
///
/// # Errors
/// Every mistake, with its place below `place`.
pub fn list(text: &str, place: &str) -> Result<Vec<ProviderConfig>, Vec<ConfigFlaw>> {
    let entries = reader::parse(text, place).map_err(|flaw| vec![flaw])?;
    let Some(entries) = entries.as_array() else {
        return Err(vec![ConfigFlaw::new(place, "must be a list of providers in JSON")]);
    };
    let notes = Notes::default();
    let mut ids = BTreeSet::new();
    let mut providers = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let Some(reader) = Reader::of(entry, format!("{place}[{index}]"), &notes, true) else { continue };
        reader.knows_all(&PROVIDER);
        let provider = reader.provider();
        if !provider.third_party_id.is_empty() && !ids.insert(provider.third_party_id.clone()) {
            reader.note("thirdPartyId", "is that of an earlier provider of the list");
        }
        providers.push(provider);
    }
    notes.or(providers)
}

/// Reads a provider that is stored: empty texts count as missing, as applications store them, and unknown members are
/// passed over.
///
/// # Errors
/// The first mistake, with its place below `place`.
pub fn provider(text: &str, place: &str) -> Result<ProviderConfig, ConfigFlaw> {
    let json = reader::parse(text, place)?;
    let notes = Notes::default();
    let provider = Reader::of(&json, place.to_owned(), &notes, false).map(|reader| reader.provider());
    let flaw = |flaws: Vec<ConfigFlaw>| flaws.into_iter().next();
    let unread = || ConfigFlaw::new(place, "must be an object");
    notes.or(provider).map_err(|flaws| flaw(flaws).unwrap_or_else(unread))?.ok_or_else(unread)
}

impl Reader<'_> {
    fn provider(&self) -> ProviderConfig {
        ProviderConfig {
            third_party_id: self.required("thirdPartyId"),
            implementation: self.filled("thirdPartyImplementation"),
            name: self.filled("name"),
            clients: self.clients(),
            authorization_endpoint: self.url("authorizationEndpoint"),
            authorization_params: self.params("authorizationEndpointQueryParams"),
            token_endpoint: self.url("tokenEndpoint"),
            token_params: self.params("tokenEndpointBodyParams"),
            user_info_endpoint: self.url("userInfoEndpoint"),
            user_info_params: self.params("userInfoEndpointQueryParams"),
            user_info_headers: self.params("userInfoEndpointHeaders"),
            jwks_uri: self.url("jwksURI"),
            oidc_discovery_endpoint: self.url("oidcDiscoveryEndpoint"),
            user_info_map: self.user_info_map(),
            require_email: self.flag("requireEmail"),
            in_every_tenant: self.flag("includeInNonPublicTenantsByDefault").unwrap_or_default(),
        }
    }

    fn clients(&self) -> Vec<ClientConfig> {
        let mut types = BTreeSet::new();
        let mut clients = Vec::new();
        for (index, entry) in self.list("clients", "must be a list").into_iter().flatten().enumerate() {
            let Some(reader) = self.below(entry, &format!("clients[{index}]")) else { continue };
            reader.knows_all(&CLIENT);
            let client = reader.client();
            if !types.insert(client.client_type.clone()) {
                reader.note("clientType", "is that of an earlier client of the list");
            }
            clients.push(client);
        }
        clients
    }

    fn client(&self) -> ClientConfig {
        ClientConfig {
            client_type: self.filled("clientType"),
            client_id: self.required("clientId"),
            client_secret: self.filled("clientSecret").map(Secret::new),
            scope: self.texts("scope"),
            force_pkce: self.flag("forcePKCE"),
            extra: self.inner("additionalConfig").map(|reader| reader.members.clone()).unwrap_or_default(),
        }
    }

    fn user_info_map(&self) -> UserInfoMap {
        let Some(reader) = self.inner("userInfoMap") else { return UserInfoMap::default() };
        UserInfoMap { id_token: reader.paths("fromIdTokenPayload"), user_info: reader.paths("fromUserInfoAPI") }
    }

    fn paths(&self, name: &str) -> Paths {
        let Some(reader) = self.inner(name) else { return Paths::default() };
        Paths {
            user_id: reader.filled("userId"),
            email: reader.filled("email"),
            email_verified: reader.filled("emailVerified"),
        }
    }

    fn params(&self, name: &str) -> Option<Params> {
        let reader = self.inner(name)?;
        let param = |(member, value): (&str, &Json)| {
            let value = match value {
                Json::Null => None,
                Json::Text(text) => Some(text.clone()),
                Json::Bool(flag) => Some(flag.to_string()),
                Json::Number(number) => Some(number.to_string()),
                Json::Array(_) | Json::Object(_) => {
                    reader.note(member, "must be a text or null");
                    None
                }
            };
            (member.to_owned(), value)
        };
        Some(reader.members.iter().map(param).collect())
    }

    fn url(&self, name: &str) -> Option<String> {
        let url = self.filled(name)?;
        if !["https://", "http://"].iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
            self.note(name, "must be a URL that begins with https://");
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refusal(list_of: &Value) -> String {
        let flaws = list(&list_of.to_string(), "third_party_providers").unwrap_err();
        flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let good = json!({"thirdPartyId": "a", "clients": [{"clientId": "i"}]});
        let second = |provider: Value| refusal(&json!([good, provider]));
        let client = |client: Value| second(json!({"thirdPartyId": "b", "clients": [client]}));
        assert_eq!(client(json!({})), "third_party_providers[1].clients[0].clientId is missing");
        assert_eq!(
            client(json!({"clientId": 7})),
            "third_party_providers[1].clients[0].clientId must be a text that is not empty"
        );
        assert_eq!(
            client(json!({"clientId": "i", "scope": ["a", 1]})),
            "third_party_providers[1].clients[0].scope[1] must be a text"
        );
        assert_eq!(
            client(json!({"clientId": "i", "clientSecrt": "s"})),
            "third_party_providers[1].clients[0].clientSecrt is unknown"
        );
        assert_eq!(
            second(json!({"thirdPartyId": "b", "tokenEndpoint": "javascript:alert(1)"})),
            "third_party_providers[1].tokenEndpoint must be a URL that begins with https://"
        );
        assert_eq!(
            second(json!({"thirdPartyId": "b", "userInfoMap": {"fromUserInfoAPI": {"email": 1}}})),
            "third_party_providers[1].userInfoMap.fromUserInfoAPI.email must be a text that is not empty"
        );
        assert_eq!(
            second(json!({"thirdPartyId": "b", "tokenEndpointBodyParams": {"x": []}})),
            "third_party_providers[1].tokenEndpointBodyParams.x must be a text or null"
        );
        assert_eq!(
            second(json!({"thirdPartyId": "b", "clients": [{"clientId": "i"}, {"clientId": "j"}]})),
            "third_party_providers[1].clients[1].clientType is that of an earlier client of the list"
        );
        assert_eq!(
            second(good.clone()),
            "third_party_providers[1].thirdPartyId is that of an earlier provider of the list"
        );
        assert_eq!(second(json!({"thirdPartyId": "b", "nam": "b"})), "third_party_providers[1].nam is unknown");
        assert_eq!(refusal(&json!({})), "third_party_providers must be a list of providers in JSON");
        assert_eq!(refusal(&json!([1])), "third_party_providers[0] must be an object");
        let broken = list("[{]", "third_party_providers").unwrap_err();
        assert_eq!(broken[0].to_string(), "third_party_providers must be JSON: wrong at line 1, column 3");
    }

    #[test]
    fn all_mistakes_are_named() {
        let providers = json!([
            {"thirdPartyId": 1, "nam": "x", "clients": [{"clientSecret": "", "scope": [1, "a", ""]}, 2]},
            {"thirdPartyId": "b", "tokenEndpoint": "ftp:", "requireEmail": "no", "userInfoMap": []},
        ]);
        let all = [
            "third_party_providers[0].nam is unknown",
            "third_party_providers[0].thirdPartyId must be a text that is not empty",
            "third_party_providers[0].clients[0].clientId is missing",
            "third_party_providers[0].clients[0].clientSecret must be a text that is not empty",
            "third_party_providers[0].clients[0].scope[0] must be a text",
            "third_party_providers[0].clients[0].scope[2] must be a text",
            "third_party_providers[0].clients[1] must be an object",
            "third_party_providers[1].tokenEndpoint must be a URL that begins with https://",
            "third_party_providers[1].userInfoMap must be an object",
            "third_party_providers[1].requireEmail must be true or false",
        ];
        assert_eq!(refusal(&providers), all.join("; "));
    }

    #[test]
    fn stored_providers_are_read_more_leniently() {
        let client = json!({"clientId": "i", "clientSecret": "", "other": 1});
        let stored = json!({"thirdPartyId": "b", "name": "", "tokenEndpoint": "", "clients": [client], "more": 1});
        let read = provider(&stored.to_string(), "b").unwrap();
        assert!(read.name.is_none() && read.token_endpoint.is_none() && read.clients[0].client_secret.is_none());
        let nameless = json!({"thirdPartyId": "b", "clients": [{"clientId": ""}]});
        let flaw = provider(&nameless.to_string(), "b").unwrap_err();
        assert_eq!(flaw.to_string(), "b.clients[0].clientId is missing");
    }

    #[test]
    fn a_mistake_does_not_show_the_value() {
        let json = json!([{"thirdPartyId": "b", "clients": [{"clientId": "i", "clientSecret": {"hush": "hush"}}]}]);
        assert!(!refusal(&json).contains("hush"));
    }
}
