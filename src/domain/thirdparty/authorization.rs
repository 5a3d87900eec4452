//! The authorization request (RFC 6749, section 4.1.1): the URL to which the browser is sent.

use super::provider::Provider;
use super::request::with_query;
use crate::domain::entropy::{Entropy, random_bytes};
use crate::domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Where to send the browser.
#[derive(Debug)]
pub struct Authorization {
    /// The URL, without a state: the browser adds that.
    pub url: String,
    /// The PKCE verifier (RFC 7636) to present with the code, if one is used.
    pub pkce_verifier: Option<Secret<String>>,
}

/// The authorization request of a provider whose discovery is done; `None` if it is not known where to send it.
#[must_use]
pub fn authorization(
    provider: &Provider,
    redirect_uri: &str,
    nonce: Option<&str>,
    entropy: &dyn Entropy,
) -> Option<Authorization> {
    let endpoint = provider.authorization_endpoint.as_deref()?;
    let pkce_verifier = provider.uses_pkce().then(|| new_verifier(entropy));
    let url = with_query(endpoint, |query| {
        query.set("client_id", &provider.client.client_id);
        query.set("redirect_uri", redirect_uri);
        query.set("response_type", "code");
        if !provider.scope.is_empty() {
            query.set("scope", &provider.scope.join(" "));
        }
        if let Some(verifier) = &pkce_verifier {
            query.set("code_challenge", &challenge(verifier.expose()));
            query.set("code_challenge_method", "S256");
        }
        if let Some(nonce) = nonce {
            query.set("nonce", nonce);
        }
        query.apply(&provider.authorization_params);
    });
    Some(Authorization { url, pkce_verifier })
}

/// 64 characters that nobody can guess.
fn new_verifier(entropy: &dyn Entropy) -> Secret<String> {
    let bytes = Secret::new(random_bytes::<48>(entropy));
    Secret::new(URL_SAFE_NO_PAD.encode(bytes.expose()))
}

/// The S256 challenge of a verifier (RFC 7636, section 4.2).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::thirdparty::discovery::Discovery;
    use crate::domain::thirdparty::read;
    use serde_json::{Value, json};

    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn settled(config: &Value) -> Provider {
        let config = read::provider(&config.to_string(), "p").unwrap();
        Provider::settle(&config, &config.clients[0]).unwrap()
    }

    fn url_of(provider: &Provider) -> String {
        authorization(provider, "https://app.test/cb", None, &Zeros).unwrap().url
    }

    /// The URL of a provider of the catalogue with these extras; one that is discovered is sent to its discovery URL.
    fn catalogued(id: &str, extra: &Value) -> (String, Option<String>) {
        let client = json!({"clientId": "me", "clientSecret": "s", "additionalConfig": extra});
        let provider = settled(&json!({"thirdPartyId": id, "clients": [client]}));
        let discovery_url = provider.discovery_url.clone();
        let found =
            Discovery { authorization_endpoint: Some("https://op.test/auth".to_owned()), ..Discovery::default() };
        (url_of(&provider.discovered(&found)), discovery_url)
    }

    const HEAD: &str = "client_id=me&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&response_type=code";

    #[test]
    fn every_provider_of_the_catalogue_has_its_url() {
        let open_id = "https://accounts.google.com/.well-known/openid-configuration";
        let google = "scope=openid+email&included_grant_scopes=true&access_type=offline";
        for (id, extra, discovery, base, rest) in [
            ("google", json!({}), open_id, "https://op.test/auth", google),
            ("google-workspaces", json!({}), open_id, "https://op.test/auth", &format!("{google}&hd=*")),
            ("google-workspaces", json!({"hd": "x.io"}), open_id, "https://op.test/auth", &format!("{google}&hd=x.io")),
            (
                "apple",
                json!({"keyId": "k", "teamId": "t", "privateKey": "p"}),
                "https://appleid.apple.com/.well-known/openid-configuration",
                "https://op.test/auth",
                "scope=openid+email&response_mode=form_post",
            ),
            (
                "active-directory",
                json!({"directoryId": "d-1"}),
                "https://login.microsoftonline.com/d-1/v2.0/.well-known/openid-configuration",
                "https://op.test/auth",
                "scope=openid+email",
            ),
            (
                "gitlab",
                json!({}),
                "https://gitlab.com/.well-known/openid-configuration",
                "https://op.test/auth",
                "scope=openid+email",
            ),
            (
                "gitlab-own",
                json!({"gitlabBaseUrl": "https://git.test/"}),
                "https://git.test/.well-known/openid-configuration",
                "https://op.test/auth",
                "scope=openid+email",
            ),
            (
                "okta",
                json!({"oktaDomain": "dev.okta.test"}),
                "https://dev.okta.test/.well-known/openid-configuration",
                "https://op.test/auth",
                "scope=openid+email",
            ),
            ("github", json!({}), "", "https://github.com/login/oauth/authorize", "scope=read%3Auser+user%3Aemail"),
            ("facebook", json!({}), "", "https://www.facebook.com/v12.0/dialog/oauth", "scope=email"),
            ("discord", json!({}), "", "https://discord.com/oauth2/authorize", "scope=identify+email"),
            (
                "bitbucket",
                json!({}),
                "",
                "https://bitbucket.org/site/oauth2/authorize",
                "scope=account+email&audience=api.atlassian.com",
            ),
            (
                "linkedin",
                json!({}),
                "",
                "https://www.linkedin.com/oauth/v2/authorization",
                "scope=openid+profile+email",
            ),
            (
                "twitter",
                json!({}),
                "",
                "https://twitter.com/i/oauth2/authorize",
                "scope=users.read+tweet.read&code_challenge=1T7aemN8mcx_tWbZbp-hCb8VxHhBCj9etNTE4mzQgfY\
                 &code_challenge_method=S256",
            ),
            ("boxy-saml-x", json!({"boxyURL": "https://b.test/"}), "", "https://b.test/api/oauth/authorize", ""),
        ] {
            let (url, discovered) = catalogued(id, &extra);
            let rest = if rest.is_empty() { String::new() } else { format!("&{rest}") };
            assert_eq!(url, format!("{base}?{HEAD}{rest}"), "{id}");
            assert_eq!(discovered.unwrap_or_default(), discovery, "{id}");
        }
    }

    #[test]
    fn parameters_override_and_null_removes() {
        let provider = settled(&json!({
            "thirdPartyId": "own", "tokenEndpoint": "https://op.test/t",
            "authorizationEndpoint": "https://op.test/auth?keep=1&scope=old",
            "authorizationEndpointQueryParams": {"response_type": null, "prompt": "login", "client_id": "other"},
            "clients": [{"clientId": "me", "clientSecret": "s", "scope": ["a", "b"]}],
        }));
        let expected = "https://op.test/auth?keep=1&scope=a+b&client_id=other\
                        &redirect_uri=https%3A%2F%2Fapp.test%2Fcb&prompt=login";
        assert_eq!(url_of(&provider), expected);
    }

    #[test]
    fn pkce_is_used_without_a_secret_when_forced_and_when_discovered() {
        let make = |client: Value| {
            settled(&json!({
                "thirdPartyId": "own", "authorizationEndpoint": "https://op.test/a", "tokenEndpoint": "https://op.test/t",
                "clients": [client],
            }))
        };
        let secret = make(json!({"clientId": "me", "clientSecret": "s"}));
        assert!(authorization(&secret, "x", None, &Zeros).unwrap().pkce_verifier.is_none());
        let found = Discovery { supports_s256: true, ..Discovery::default() };
        let others =
            [make(json!({"clientId": "me"})), make(json!({"clientId": "me", "clientSecret": "s", "forcePKCE": true}))];
        for provider in others.into_iter().chain([secret.discovered(&found)]) {
            let made = authorization(&provider, "x", None, &Zeros).unwrap();
            let verifier = made.pkce_verifier.unwrap();
            assert_eq!(verifier.expose().len(), 64);
            assert!(made.url.contains(&format!("code_challenge={}&", challenge(verifier.expose()))), "{}", made.url);
        }
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn what_a_provider_needs_must_be_there() {
        for (id, extra, flaw) in [
            ("okta", json!({}), "clients[0].additionalConfig.oktaDomain is missing"),
            ("active-directory", json!({}), "clients[0].additionalConfig.directoryId is missing"),
            (
                "active-directory",
                json!({"directoryId": "../x"}),
                "clients[0].additionalConfig.directoryId must consist of letters, digits, '-', '.', '_' \
                 and '~'",
            ),
            ("own", json!({}), "authorizationEndpoint is missing, and there is no oidcDiscoveryEndpoint"),
        ] {
            let client = json!({"clientId": "i", "additionalConfig": extra});
            let config = json!({"thirdPartyId": id, "clients": [client]});
            let config = read::provider(&config.to_string(), "p").unwrap();
            assert_eq!(Provider::settle(&config, &config.clients[0]).unwrap_err().to_string(), flaw);
        }
    }
}
