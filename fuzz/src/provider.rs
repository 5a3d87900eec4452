//! A front door whose provider answers what an input says.

use crate::front::Front;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use sessiond::domain::http_request::{HttpReply, HttpRequest, Reach};
use sessiond::outbound::http::{HttpClient, SendError};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The client id of the front door.
pub const CLIENT: &str = "me";
/// The provider's issuer.
pub const ISSUER: &str = "https://op.test";

/// The provider and the front door that all inputs of a run use.
pub static PROVIDER: LazyLock<Provider> = LazyLock::new(Provider::new);

/// A provider and a front door that signs people in with it.
pub struct Provider {
    /// The front door.
    pub front: Front,
    replies: Arc<Replies>,
}

/// What the provider answers at present: to the exchange of a code, about the person, and about their addresses.
#[derive(Default)]
struct Replies(Mutex<[String; 3]>);

#[async_trait::async_trait]
impl HttpClient for Replies {
    async fn send(&self, request: &HttpRequest, _reach: &Reach) -> Result<HttpReply, SendError> {
        let [exchange, person, addresses] = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let body = match request.url.as_str() {
            url if url.ends_with("/.well-known/openid-configuration") => discovery(),
            url if url.ends_with("/keys") => keys(),
            url if url.ends_with("/emails") => addresses,
            url if request.body.is_some() && url.contains("token") => exchange,
            _ => person,
        };
        Ok(HttpReply::new(200, body.into_bytes()))
    }
}

impl Provider {
    fn new() -> Self {
        let replies = Arc::<Replies>::default();
        let own = format!(
            r#"[{{"thirdPartyId":"op","oidcDiscoveryEndpoint":"{ISSUER}/.well-known/openid-configuration",
                 "clients":[{{"clientId":"{CLIENT}"}}]}},
                {{"thirdPartyId":"github","clients":[{{"clientId":"{CLIENT}","clientSecret":"s"}}]}},
                {{"thirdPartyId":"facebook","clients":[{{"clientId":"{CLIENT}","clientSecret":"s"}}]}}]"#
        );
        let front = Front::with(&[("third_party_providers", &own)], Arc::clone(&replies) as Arc<dyn HttpClient>);
        Self { front, replies }
    }

    /// Makes the provider answer this from now on.
    pub fn answers(&self, exchange: &str, person: &str, addresses: &str) {
        *self.replies.0.lock().unwrap_or_else(PoisonError::into_inner) =
            [exchange, person, addresses].map(str::to_owned);
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn discovery() -> String {
    format!(
        r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/auth","token_endpoint":"{ISSUER}/token",
            "userinfo_endpoint":"{ISSUER}/me","jwks_uri":"{ISSUER}/keys"}}"#
    )
}

fn keys() -> String {
    let x = encode(key().verifying_key().as_bytes());
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#)
}

/// An id token of the provider with these claims, whatever they are.
pub fn id_token(claims: &str) -> String {
    let signed = format!("{}.{}", encode(r#"{"alg":"EdDSA","kid":"k"}"#), encode(claims));
    let signature = key().sign(signed.as_bytes());
    format!("{signed}.{}", encode(signature.to_bytes()))
}
