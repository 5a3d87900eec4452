//! Reads provider configurations from JSON; a mistake is reported with its place.

use super::config::{ClientConfig, Params, Paths, ProviderConfig, UserInfoMap};
use crate::domain::json::reader::{self, ConfigFlaw, Reader};
use crate::domain::json::{Json, Members};
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
/// The first mistake, with its place below `place`.
pub fn list(text: &str, place: &str) -> Result<Vec<ProviderConfig>, ConfigFlaw> {
    let entries = reader::parse(text, place)?;
    let entries = entries.as_array().ok_or_else(|| ConfigFlaw::new(place, "must be a list of providers in JSON"))?;
    let mut ids = BTreeSet::new();
    let mut providers = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let reader = Reader::of(entry, place.clone(), true)?;
        reader.knows_all(&PROVIDER)?;
        let provider = reader.provider()?;
        if !ids.insert(provider.third_party_id.clone()) {
            return Err(ConfigFlaw::new(format!("{place}.thirdPartyId"), "is that of an earlier provider of the list"));
        }
        providers.push(provider);
    }
    Ok(providers)
}

/// Reads a provider that is stored: empty texts count as missing, as applications store them, and unknown members are
/// passed over.
///
/// # Errors
/// The first mistake, with its place below `place`.
pub fn provider(text: &str, place: &str) -> Result<ProviderConfig, ConfigFlaw> {
    Reader::of(&reader::parse(text, place)?, place.to_owned(), false)?.provider()
}

impl Reader<'_> {
    fn provider(&self) -> Result<ProviderConfig, ConfigFlaw> {
        Ok(ProviderConfig {
            third_party_id: self.required("thirdPartyId")?,
            implementation: self.filled("thirdPartyImplementation")?,
            name: self.filled("name")?,
            clients: self.clients()?,
            authorization_endpoint: self.url("authorizationEndpoint")?,
            authorization_params: self.params("authorizationEndpointQueryParams")?,
            token_endpoint: self.url("tokenEndpoint")?,
            token_params: self.params("tokenEndpointBodyParams")?,
            user_info_endpoint: self.url("userInfoEndpoint")?,
            user_info_params: self.params("userInfoEndpointQueryParams")?,
            user_info_headers: self.params("userInfoEndpointHeaders")?,
            jwks_uri: self.url("jwksURI")?,
            oidc_discovery_endpoint: self.url("oidcDiscoveryEndpoint")?,
            user_info_map: self.user_info_map()?,
            require_email: self.flag("requireEmail")?,
            in_every_tenant: self.flag("includeInNonPublicTenantsByDefault")?.unwrap_or_default(),
        })
    }

    fn clients(&self) -> Result<Vec<ClientConfig>, ConfigFlaw> {
        let Some(given) = self.given("clients") else { return Ok(Vec::new()) };
        let entries = given.as_array().ok_or_else(|| self.flaw("clients", "must be a list"))?;
        let mut types = BTreeSet::new();
        let mut clients = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let reader = Reader::of(entry, format!("{}.clients[{index}]", self.place), self.is_strict)?;
            reader.knows_all(&CLIENT)?;
            let client = reader.client()?;
            if !types.insert(client.client_type.clone()) {
                return Err(reader.flaw("clientType", "is that of an earlier client of the list"));
            }
            clients.push(client);
        }
        Ok(clients)
    }

    fn client(&self) -> Result<ClientConfig, ConfigFlaw> {
        Ok(ClientConfig {
            client_type: self.filled("clientType")?,
            client_id: self.required("clientId")?,
            client_secret: self.filled("clientSecret")?.map(Secret::new),
            scope: self.texts("scope")?,
            force_pkce: self.flag("forcePKCE")?,
            extra: match self.given("additionalConfig") {
                None => Members::default(),
                Some(given) => {
                    let members = given.as_object().ok_or_else(|| self.flaw("additionalConfig", "must be an object"));
                    members?.clone()
                }
            },
        })
    }

    fn user_info_map(&self) -> Result<UserInfoMap, ConfigFlaw> {
        let Some(reader) = self.inner("userInfoMap")? else { return Ok(UserInfoMap::default()) };
        Ok(UserInfoMap { id_token: reader.paths("fromIdTokenPayload")?, user_info: reader.paths("fromUserInfoAPI")? })
    }

    fn paths(&self, name: &str) -> Result<Paths, ConfigFlaw> {
        let Some(reader) = self.inner(name)? else { return Ok(Paths::default()) };
        Ok(Paths {
            user_id: reader.filled("userId")?,
            email: reader.filled("email")?,
            email_verified: reader.filled("emailVerified")?,
        })
    }

    fn params(&self, name: &str) -> Result<Option<Params>, ConfigFlaw> {
        let Some(reader) = self.inner(name)? else { return Ok(None) };
        let param = |(member, value): (&str, &Json)| match value {
            Json::Null => Ok((member.to_owned(), None)),
            Json::Text(text) => Ok((member.to_owned(), Some(text.clone()))),
            Json::Bool(flag) => Ok((member.to_owned(), Some(flag.to_string()))),
            Json::Number(number) => Ok((member.to_owned(), Some(number.to_string()))),
            Json::Array(_) | Json::Object(_) => Err(reader.flaw(member, "must be a text or null")),
        };
        reader.members.iter().map(param).collect::<Result<_, _>>().map(Some)
    }

    fn url(&self, name: &str) -> Result<Option<String>, ConfigFlaw> {
        let Some(url) = self.filled(name)? else { return Ok(None) };
        match ["https://", "http://"].iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
            true => Ok(Some(url)),
            false => Err(self.flaw(name, "must be a URL that begins with https://")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refusal(list_of: &Value) -> String {
        list(&list_of.to_string(), "third_party_providers").unwrap_err().to_string()
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
        assert_eq!(second(json!({"thirdPartyID": "b"})), "third_party_providers[1].thirdPartyID is unknown");
        assert_eq!(refusal(&json!({})), "third_party_providers must be a list of providers in JSON");
        assert_eq!(refusal(&json!([1])), "third_party_providers[0] must be an object");
        let broken = list("[{]", "third_party_providers").unwrap_err().to_string();
        assert_eq!(broken, "third_party_providers must be JSON: wrong at line 1, column 3");
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
