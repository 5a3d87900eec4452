//! [`Discovery`]: what a provider says about itself (OpenID Connect Discovery 1.0).

use crate::domain::json::{Json, Members};

/// The members of a discovery document that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The issuer of id tokens.
    pub issuer: Option<String>,
    /// Where the browser is sent.
    pub authorization_endpoint: Option<String>,
    /// Where a code is exchanged.
    pub token_endpoint: Option<String>,
    /// Where the person's data is read.
    pub user_info_endpoint: Option<String>,
    /// Where the keys of id tokens are published.
    pub jwks_uri: Option<String>,
    /// Whether the provider knows PKCE with SHA-256.
    pub supports_s256: bool,
}

impl Discovery {
    /// Reads a document. Members that are no text count as missing, and so do URLs that a browser would run instead of
    /// open.
    #[must_use]
    pub fn of(document: &Members) -> Self {
        let text = |name: &str| document.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let url = |name: &str| {
            text(name).filter(|url| url.starts_with("https://") || url.starts_with("http://")).map(str::to_owned)
        };
        let methods = document.get("code_challenge_methods_supported").and_then(Json::as_array).unwrap_or_default();
        Self {
            issuer: text("issuer").map(str::to_owned),
            authorization_endpoint: url("authorization_endpoint"),
            token_endpoint: url("token_endpoint"),
            user_info_endpoint: url("userinfo_endpoint"),
            jwks_uri: url("jwks_uri"),
            supports_s256: methods.iter().any(|method| method.as_str() == Some("S256")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_and_lies_are_left_out() {
        let document = Members::parse(
            r#"{"issuer": "https://op.test", "authorization_endpoint": "javascript:alert(1)", "token_endpoint": 7,
                "userinfo_endpoint": "https://op.test/me", "code_challenge_methods_supported": ["plain", "S256"]}"#,
        );
        let expected = Discovery {
            issuer: Some("https://op.test".to_owned()),
            user_info_endpoint: Some("https://op.test/me".to_owned()),
            supports_s256: true,
            ..Discovery::default()
        };
        assert_eq!(Discovery::of(&document.unwrap()), expected);
        assert_eq!(Discovery::of(&Members::default()), Discovery::default());
    }
}
