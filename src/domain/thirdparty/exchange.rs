//! The requests after the browser has come back: a code for tokens (RFC 6749, section 4.1.3), tokens for the person's
//! data.

use super::catalogue::ProviderKind;
use super::provider::Provider;
use super::request::{Query, with_query};
use crate::domain::http_request::{HttpBody, HttpRequest};
use crate::domain::json::{Json, Members, put_text};
use crate::domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;

/// The tokens of a person at a provider.
#[derive(Clone, Default)]
pub struct OAuthTokens {
    /// The access token.
    pub access_token: Option<Secret<String>>,
    /// The id token.
    pub id_token: Option<Secret<String>>,
    /// The provider's whole reply, with a refresh token if there is one; as given by the client otherwise.
    pub all: Members,
}

/// How a browser came back from a provider.
pub struct RedirectInfo {
    /// Where the provider sent it, as registered there.
    pub redirect_uri: String,
    /// The members of the redirect's query or form, `code` above all.
    pub params: Members,
    /// The PKCE verifier that came with the authorization URL.
    pub pkce_verifier: Option<Secret<String>>,
}

impl OAuthTokens {
    /// The tokens in a provider's reply, or in a client's request.
    #[must_use]
    pub fn of(all: Members) -> Self {
        let text = |name: &str| {
            let text = all.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
            text.map(|text| Secret::new(text.to_owned()))
        };
        Self { access_token: text("access_token"), id_token: text("id_token"), all }
    }
}

impl fmt::Debug for OAuthTokens {
    /// Says only which there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthTokens")
            .field("access_token", &self.access_token)
            .field("id_token", &self.id_token)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedirectInfo {
    /// Leaves out the code and the verifier.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedirectInfo").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// The request that exchanges a code for tokens; `None` if it is not known where to send it. `secret` is the client's,
/// or the one made for this request.
#[must_use]
pub fn token_request(
    provider: &Provider,
    redirect_uri: &str,
    code: &str,
    pkce_verifier: Option<&str>,
    secret: Option<&Secret<String>>,
) -> Option<HttpRequest> {
    let endpoint = provider.token_endpoint.clone()?;
    let client_id = &provider.client.client_id;
    let by_header = provider.kind == ProviderKind::Twitter;
    let mut form = Query::default();
    form.set("client_id", client_id);
    form.set("redirect_uri", redirect_uri);
    form.set("code", code);
    form.set("grant_type", "authorization_code");
    if let Some(secret) = secret.filter(|_| !by_header) {
        form.set("client_secret", secret.expose());
    }
    if let Some(verifier) = pkce_verifier {
        form.set("code_verifier", verifier);
    }
    form.apply(&provider.token_params);
    let request = HttpRequest::post(endpoint, HttpBody::Form(form.encode()));
    Some(match secret.filter(|_| by_header) {
        Some(secret) => request.header("authorization", basic(client_id, secret.expose())),
        None => request,
    })
}

/// The request for the person's data; `None` if the provider has no endpoint for it.
#[must_use]
pub fn user_info_request(provider: &Provider, access_token: &str) -> Option<HttpRequest> {
    let endpoint = provider.user_info_endpoint.as_deref()?;
    let url = with_query(endpoint, |query| {
        if provider.kind == ProviderKind::Facebook {
            query.set("access_token", access_token);
            query.set("fields", &facebook_fields(&provider.scope));
            query.set("format", "json");
        }
        query.apply(&provider.user_info_params);
    });
    Some(api_request(provider, url, access_token))
}

/// The second request of providers that keep addresses apart: GitHub and Bitbucket.
#[must_use]
pub fn emails_request(provider: &Provider, access_token: &str) -> Option<HttpRequest> {
    if !matches!(provider.kind, ProviderKind::Github | ProviderKind::Bitbucket) {
        return None;
    }
    let endpoint = provider.user_info_endpoint.as_deref()?;
    let (path, query) = endpoint.split_once('?').map_or((endpoint, None), |(path, query)| (path, Some(query)));
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    let url = format!("{}/emails{query}", path.trim_end_matches('/'));
    Some(api_request(provider, url, access_token))
}

/// The request that asks whether an access token was made for this client; `None` for providers that cannot be asked,
/// and without the client's secret.
#[must_use]
pub fn token_check_request(provider: &Provider, access_token: &str) -> Option<HttpRequest> {
    if provider.kind != ProviderKind::Github {
        return None;
    }
    let secret = provider.client.client_secret.as_ref()?;
    let client_id = &provider.client.client_id;
    let api = provider.user_info_endpoint.as_deref()?.trim_end_matches('/').strip_suffix("/user")?;
    let url = format!("{api}/applications/{}/token", utf8_percent_encode(client_id, NON_ALPHANUMERIC));
    let mut body = r#"{"access_token":"#.to_owned();
    put_text(&mut body, access_token);
    body.push('}');
    let request = HttpRequest::post(url, HttpBody::Json(body));
    Some(request.header("accept", GITHUB_JSON.to_owned()).header("authorization", basic(client_id, secret.expose())))
}

/// Whether the answer to [`token_check_request`] names this client.
#[must_use]
pub fn is_token_of(provider: &Provider, answer: &Members) -> bool {
    let app = answer.get("app").and_then(Json::as_object);
    app.and_then(|app| app.get("client_id")).and_then(Json::as_str) == Some(&provider.client.client_id)
}

const GITHUB_JSON: &str = "application/vnd.github.v3+json";

fn api_request(provider: &Provider, url: String, access_token: &str) -> HttpRequest {
    let mut request = HttpRequest::get(url);
    if provider.kind == ProviderKind::Github {
        request = request.header("accept", GITHUB_JSON.to_owned());
    }
    if provider.kind != ProviderKind::Facebook {
        request = request.header("authorization", format!("Bearer {access_token}"));
    }
    request.with_headers(&provider.user_info_headers)
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// The fields that the scopes give a right to. The id is always among them.
fn facebook_fields(scope: &[String]) -> String {
    let mut fields = vec!["id"];
    for scope in scope {
        match scope.as_str() {
            "email" => fields.push("email"),
            "public_profile" => {
                fields.extend([
                    "first_name",
                    "last_name",
                    "middle_name",
                    "name",
                    "name_format",
                    "picture",
                    "short_name",
                ]);
            }
            other => fields.extend(other.strip_prefix("user_")),
        }
    }
    fields.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::thirdparty::read;
    use serde_json::{Value, json};

    fn settled(id: &str, client: &Value) -> Provider {
        let config = json!({
            "thirdPartyId": id, "clients": [client],
            "authorizationEndpoint": "https://op.test/a", "tokenEndpoint": "https://op.test/t",
        });
        let config = read::provider(&config.to_string(), "p").unwrap();
        Provider::settle(&config, &config.clients[0]).unwrap()
    }

    fn form(request: &HttpRequest) -> &str {
        match request.body.as_ref().unwrap() {
            HttpBody::Form(text) | HttpBody::Json(text) | HttpBody::Jose(text) => text,
        }
    }

    fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
        request.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_code_is_exchanged_with_the_secret_in_the_form() {
        let provider = settled("own", &json!({"clientId": "me", "clientSecret": "s&"}));
        let secret = provider.client.client_secret.as_ref();
        let request = token_request(&provider, "https://app.test/cb", "c", Some("v"), secret).unwrap();
        let expected = "client_id=me&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&code=c&grant_type=authorization_code\
                        &client_secret=s%26&code_verifier=v";
        assert_eq!(form(&request), expected);
        assert_eq!(header(&request, "accept"), Some("application/json"));
        assert_eq!(header(&request, "authorization"), None);
    }

    #[test]
    fn twitter_takes_the_secret_in_a_header() {
        let provider = settled("twitter", &json!({"clientId": "me", "clientSecret": "s"}));
        let secret = provider.client.client_secret.as_ref();
        let request = token_request(&provider, "r", "c", Some("v"), secret).unwrap();
        assert_eq!(form(&request), "client_id=me&redirect_uri=r&code=c&grant_type=authorization_code&code_verifier=v");
        assert_eq!(header(&request, "authorization"), Some("Basic bWU6cw=="));
    }

    #[test]
    fn facebook_is_asked_by_query_alone() {
        let scope = ["email", "public_profile", "user_birthday", "x"];
        let provider = settled("facebook", &json!({"clientId": "me", "clientSecret": "s", "scope": scope}));
        let request = user_info_request(&provider, "at").unwrap();
        let expected = "https://graph.facebook.com/me?access_token=at&fields=id%2Cemail%2Cfirst_name%2Clast_name\
                        %2Cmiddle_name%2Cname%2Cname_format%2Cpicture%2Cshort_name%2Cbirthday&format=json";
        assert_eq!(request.url, expected);
        assert_eq!(header(&request, "authorization"), None);
        assert!(emails_request(&provider, "at").is_none());
    }

    #[test]
    fn github_and_bitbucket_keep_addresses_apart() {
        let github = settled("github", &json!({"clientId": "me", "clientSecret": "s"}));
        let request = user_info_request(&github, "at").unwrap();
        assert_eq!(request.url, "https://api.github.com/user");
        assert_eq!(header(&request, "accept"), Some("application/vnd.github.v3+json"));
        assert_eq!(header(&request, "authorization"), Some("Bearer at"));
        assert_eq!(emails_request(&github, "at").unwrap().url, "https://api.github.com/user/emails");
        let bitbucket = settled("bitbucket", &json!({"clientId": "me"}));
        assert_eq!(emails_request(&bitbucket, "at").unwrap().url, "https://api.bitbucket.org/2.0/user/emails");
    }

    #[test]
    fn only_github_can_be_asked_whose_token_it_is() {
        let github = settled("github", &json!({"clientId": "me", "clientSecret": "s"}));
        let request = token_check_request(&github, "a\"t").unwrap();
        assert_eq!(request.url, "https://api.github.com/applications/me/token");
        assert_eq!(form(&request), r#"{"access_token":"a\"t"}"#);
        assert_eq!(header(&request, "authorization"), Some("Basic bWU6cw=="));
        let answer = |text: &str| is_token_of(&github, &Members::parse(text).unwrap());
        assert!(answer(r#"{"app": {"client_id": "me"}}"#));
        assert!(!answer(r#"{"app": {"client_id": "you"}}"#));
        assert!(!answer(r#"{"client_id": "me"}"#));
        assert!(token_check_request(&settled("github", &json!({"clientId": "me"})), "at").is_none());
        assert!(token_check_request(&settled("own", &json!({"clientId": "me", "clientSecret": "s"})), "at").is_none());
    }
}
