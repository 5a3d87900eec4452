//! Apple's client secret: a token that the application signs.

use super::catalogue::ProviderKind;
use super::provider::Provider;
use crate::domain::json::put_text;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;

/// How long a secret is valid, in seconds: 180 days. Apple takes no more than six months.
const LIFETIME_S: u64 = 180 * 24 * 60 * 60;

/// What a client secret is made from.
#[derive(Debug)]
pub struct AppleSecret {
    /// The JOSE header, as JSON.
    pub header: String,
    /// The claims, as JSON.
    pub payload: String,
    /// The private key: PKCS#8 in PEM.
    pub private_key: Secret<String>,
}

/// A member that the secret needs is missing; the protocol's sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Please ensure that keyId, teamId and privateKey are provided in the additionalConfig")]
pub struct AppleFlaw;

/// What to sign for a client without a configured secret; `None` for other clients and other providers.
///
/// # Errors
/// When a member that the secret needs is missing.
pub fn apple_secret(provider: &Provider, now: UnixMillis) -> Result<Option<AppleSecret>, AppleFlaw> {
    if provider.kind != ProviderKind::Apple || provider.client.client_secret.is_some() {
        return Ok(None);
    }
    let need = |name: &str| provider.extra(name).ok_or(AppleFlaw);
    let (key_id, team_id, private_key) = (need("keyId")?, need("teamId")?, need("privateKey")?);
    let now_s = now.0 / 1000;
    let mut header = r#"{"alg":"ES256","typ":"JWT","kid":"#.to_owned();
    put_text(&mut header, key_id);
    header.push('}');
    let mut payload = r#"{"iss":"#.to_owned();
    put_text(&mut payload, team_id);
    let expires = now_s.saturating_add(LIFETIME_S);
    payload.push_str(&format!(r#","iat":{now_s},"exp":{expires},"aud":"https://appleid.apple.com","sub":"#));
    put_text(&mut payload, &provider.client.client_id);
    payload.push('}');
    // Keys in variables and JSON often have their line ends written as two characters.
    Ok(Some(AppleSecret { header, payload, private_key: Secret::new(private_key.replace("\\n", "\n")) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::thirdparty::read;
    use serde_json::{Value, json};

    fn made(id: &str, client: &Value) -> Result<Option<AppleSecret>, AppleFlaw> {
        let config = json!({"thirdPartyId": id, "clients": [client], "oidcDiscoveryEndpoint": "https://op.test"});
        let config = read::provider(&config.to_string(), "p").unwrap();
        apple_secret(&Provider::settle(&config, &config.clients[0]).unwrap(), UnixMillis(1_700_000_000_999))
    }

    #[test]
    fn the_secret_names_team_client_and_key() {
        let extra = json!({"keyId": "k", "teamId": "t", "privateKey": "a\\nb"});
        let secret = made("apple", &json!({"clientId": "me", "additionalConfig": extra})).unwrap().unwrap();
        assert_eq!(secret.header, r#"{"alg":"ES256","typ":"JWT","kid":"k"}"#);
        let payload = r#"{"iss":"t","iat":1700000000,"exp":1715552000,"aud":"https://appleid.apple.com","sub":"me"}"#;
        assert_eq!(secret.payload, payload);
        assert_eq!(secret.private_key.expose(), "a\nb");
    }

    #[test]
    fn it_is_made_only_where_it_is_needed_and_possible() {
        assert!(made("apple", &json!({"clientId": "me", "clientSecret": "s"})).unwrap().is_none());
        assert!(made("own", &json!({"clientId": "me"})).unwrap().is_none());
        for missing in
            [json!({}), json!({"keyId": "k", "teamId": "t"}), json!({"keyId": "k", "teamId": "", "privateKey": "p"})]
        {
            assert_eq!(made("apple", &json!({"clientId": "me", "additionalConfig": missing})).unwrap_err(), AppleFlaw);
        }
    }
}
