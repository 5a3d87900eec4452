//! Providers of a tenant: how an application lets people sign in with accounts elsewhere (CDI: multitenancy).
//!
//! They are stored for the applications, which read them, and for the front door, which calls the providers.

use crate::domain::json::{Json, Members};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A provider: members as given; `null` is treated as absent. Unknown members are dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Its id in the tenant; case matters.
    pub third_party_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    clients: Vec<Client>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint_query_params: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_body_params: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info_endpoint_query_params: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info_endpoint_headers: Option<Members>,
    #[serde(rename = "jwksURI", skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_discovery_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_email: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    user_info_map: UserInfoMap,
}

/// A client of the application that is registered with the provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Vec<Option<String>>>,
    #[serde(rename = "forcePKCE", skip_serializing_if = "Option::is_none")]
    force_pkce: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "without_nulls")]
    additional_config: Option<Members>,
}

/// Where the user's data is found in a provider's responses.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserInfoMap {
    #[serde(default, deserialize_with = "or_default")]
    from_id_token_payload: Claims,
    #[serde(rename = "fromUserInfoAPI", default, deserialize_with = "or_default")]
    from_user_info_api: Claims,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<String>,
}

impl fmt::Debug for Provider {
    /// Leaves out the clients: they hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("third_party_id", &self.third_party_id).finish_non_exhaustive()
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn without_nulls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Members>, D::Error> {
    let mut given: Option<Members> = Option::deserialize(deserializer)?;
    if let Some(members) = &mut given {
        members.remove_nulls();
    }
    Ok(given)
}

/// Why a provider is refused: the protocol's sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProviderError(&'static str);

impl Provider {
    /// Parses a provider as given or as stored; `None` when a member is of the wrong type.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The JSON text in which it is stored.
    #[must_use]
    pub fn to_text(&self) -> String {
        // invariant: names are text and values came from JSON
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Checks the rules of the protocol that a caller can ask to skip.
    ///
    /// # Errors
    /// The protocol's sentence.
    pub fn check(&self) -> Result<(), ProviderError> {
        if self.third_party_id.is_empty() {
            return Err(ProviderError("thirdPartyId cannot be null or empty"));
        }
        // Two clients without a type count as having the same type.
        let types: BTreeSet<_> = self.clients.iter().map(|client| &client.client_type).collect();
        if types.len() != self.clients.len() {
            return Err(ProviderError("Duplicate clientType was specified in the clients list."));
        }
        self.clients.iter().try_for_each(|client| client.check(&self.third_party_id))
    }
}

impl Client {
    fn check(&self, provider: &str) -> Result<(), ProviderError> {
        if self.client_id.is_none() {
            return Err(ProviderError("clientId cannot be null"));
        }
        if self.scope.iter().flatten().any(Option::is_none) {
            return Err(ProviderError("scope array cannot contain a null"));
        }
        let given = |name: &str| self.additional_config.as_ref().and_then(|config| config.get(name));
        let is_text = |value: &Json| value.as_str().is_some_and(|text| !text.is_empty());
        if provider.starts_with("apple")
            && !["keyId", "teamId", "privateKey"].iter().all(|name| given(name).is_some_and(is_text))
        {
            return Err(ProviderError(
                "a non empty string value must be specified for keyId, teamId and privateKey in the additionalConfig for \
                 Apple provider",
            ));
        }
        if provider.starts_with("google-workspaces") && !given("hd").is_none_or(is_text) {
            return Err(ProviderError("hd in additionalConfig must be a non empty string value"));
        }
        if provider.starts_with("boxy-saml") && !given("boxyURL").is_none_or(is_text) {
            return Err(ProviderError(
                "a non empty string value must be specified for boxyURL in the additionalConfig for Boxy SAML provider",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(provider: &Value) -> Option<Provider> {
        Provider::parse(&provider.to_string())
    }

    fn shown(provider: &Value) -> Value {
        serde_json::from_str(&parse(provider).unwrap().to_text()).unwrap()
    }

    fn refusal(id: &str, clients: &Value) -> String {
        let checked = parse(&json!({"thirdPartyId": id, "clients": clients})).unwrap().check();
        checked.map_or_else(|error| error.to_string(), |()| "good".to_owned())
    }

    #[test]
    fn what_is_always_there_is_added_and_the_unknown_dropped() {
        let least = json!({
            "thirdPartyId": "x", "clients": [],
            "userInfoMap": {"fromIdTokenPayload": {}, "fromUserInfoAPI": {}},
        });
        assert_eq!(shown(&json!({"thirdPartyId": "x", "more": 1})), least);
        let nulls = json!({"thirdPartyId": "x", "clients": null, "name": null, "userInfoMap": null, "jwksURI": null});
        assert_eq!(shown(&nulls), least);
    }

    #[test]
    fn nulls_stay_in_maps_and_go_elsewhere() {
        let given = json!({
            "thirdPartyId": "x",
            "authorizationEndpointQueryParams": {"a": null, "b": "c"},
            "tokenEndpointBodyParams": {"a": null},
            "userInfoEndpointQueryParams": {},
            "userInfoEndpointHeaders": {"a": null},
            "clients": [{"clientId": "i", "clientType": null, "additionalConfig": {"a": null, "b": {"c": null, "d": 1}}}],
            "userInfoMap": {"fromIdTokenPayload": {"userId": "sub", "email": null}, "fromUserInfoAPI": null},
        });
        let mut expected = given.clone();
        expected["clients"] = json!([{"clientId": "i", "additionalConfig": {"b": {"d": 1}}}]);
        expected["userInfoMap"] = json!({"fromIdTokenPayload": {"userId": "sub"}, "fromUserInfoAPI": {}});
        assert_eq!(shown(&given), expected);
        assert_eq!(shown(&expected), expected, "stored text reads back as it is");
    }

    #[test]
    fn wrong_types_are_no_provider() {
        for (name, value) in [
            ("name", json!(1)),
            ("clients", json!({})),
            ("clients", json!([null])),
            ("clients", json!([{"clientId": 1}])),
            ("clients", json!([{"clientId": "a", "scope": "b"}])),
            ("requireEmail", json!("true")),
            ("userInfoMap", json!([1])),
            ("tokenEndpointBodyParams", json!("a=b")),
        ] {
            let mut provider = json!({"thirdPartyId": "x"});
            provider[name] = value;
            assert!(parse(&provider).is_none(), "{provider}");
        }
    }

    #[test]
    fn providers_are_refused_with_their_sentences() {
        let one = json!([{"clientId": "i"}]);
        assert_eq!(refusal("x", &one), "good");
        assert_eq!(refusal("", &one), "thirdPartyId cannot be null or empty");
        let twice = json!([{"clientId": "i", "clientType": "web"}, {"clientId": "j", "clientType": "web"}]);
        assert_eq!(refusal("x", &twice), "Duplicate clientType was specified in the clients list.");
        let untyped = json!([{"clientId": "i"}, {"clientId": "j"}]);
        assert_eq!(refusal("x", &untyped), "Duplicate clientType was specified in the clients list.");
        assert_eq!(refusal("x", &json!([{"clientType": "web"}])), "clientId cannot be null");
        assert_eq!(
            refusal("x", &json!([{"clientId": "i", "scope": ["a", null]}])),
            "scope array cannot contain a null"
        );
    }

    #[test]
    fn some_providers_need_more() {
        let with = |config: &Value| json!([{"clientId": "i", "additionalConfig": config}]);
        let apple = "a non empty string value must be specified for keyId, teamId and privateKey in the additionalConfig \
                     for Apple provider";
        let whole = json!({"keyId": "k", "teamId": "t", "privateKey": "p"});
        for id in ["apple", "apple-2"] {
            assert_eq!(refusal(id, &json!([{"clientId": "i"}])), apple);
            assert_eq!(refusal(id, &with(&json!({"keyId": "k", "teamId": "t", "privateKey": ""}))), apple);
            assert_eq!(refusal(id, &with(&whole)), "good");
            assert_eq!(refusal(id, &json!([])), "good");
        }
        let hd = "hd in additionalConfig must be a non empty string value";
        assert_eq!(refusal("google-workspaces", &with(&json!({"hd": 1}))), hd);
        assert_eq!(refusal("google-workspaces", &with(&json!({"hd": ""}))), hd);
        assert_eq!(refusal("google-workspaces", &with(&json!({"hd": "x.io"}))), "good");
        assert_eq!(refusal("google-workspaces", &with(&json!({}))), "good");
        let boxy =
            "a non empty string value must be specified for boxyURL in the additionalConfig for Boxy SAML provider";
        assert_eq!(refusal("boxy-saml", &with(&json!({"boxyURL": ""}))), boxy);
        assert_eq!(refusal("boxy-saml", &json!([{"clientId": "i"}])), "good");
        assert_eq!(refusal("google", &with(&json!({"hd": 1}))), "good");
    }

    #[test]
    fn secrets_do_not_print_themselves() {
        let provider = parse(&json!({"thirdPartyId": "x", "clients": [{"clientId": "i", "clientSecret": "hush"}]}));
        assert!(!format!("{provider:?}").contains("hush"));
    }
}
