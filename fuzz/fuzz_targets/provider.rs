//! What third-party providers answer: their documents, and a whole sign-in with their replies.
//!
//! An input is seven texts between lines of `--`: the provider's id, its reply to the exchange of the code, the claims
//! of the id token for which `$T` stands in that reply, what it says about the person and about their addresses, and two
//! documents of a stranger's: a discovery document and a set of keys. If there is an id token, nobody gets a session
//! unless it was made for this client by this issuer and has not expired.
#![no_main]

use http::Method;
use serde_json::Value;
use sessiond::crypto::signed_token::{KeySet, SignedToken};
use sessiond::domain::json::Members;
use sessiond::domain::thirdparty::discovery::Discovery;
use sessiond_fuzz::provider::{CLIENT, ISSUER, PROVIDER, id_token};
use sessiond_fuzz::{NOW, headers};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split("\n--\n");
    let mut part = || parts.next().unwrap_or_default();
    let (id, exchange, claims, person, addresses, discovery, keys) =
        (part(), part(), part(), part(), part(), part(), part());
    let token = id_token(claims);
    read_documents(discovery, keys, &token);

    let exchange = exchange.replace("$T", &token);
    PROVIDER.answers(&exchange, person, addresses);
    let body = serde_json::json!({
        "thirdPartyId": id,
        "redirectURIInfo": {
            "redirectURIOnProviderDashboard": "http://localhost:3000/auth/callback/op",
            "redirectURIQueryParams": {"code": "c"},
        },
    });
    let body = body.to_string();
    let reply = PROVIDER.front.ask(Method::POST, "/auth/signinup", "", headers(std::iter::empty()), body.as_bytes());
    let is_signed_in = reply.headers.iter().any(|(name, _)| name == "st-access-token");
    let is_checked = id == "op" && has_id_token(&exchange);
    assert!(!is_signed_in || !is_checked || is_acceptable(claims), "signed in with {claims}");
});

/// Nothing that a provider publishes makes reading it fail in another way than by an error.
fn read_documents(discovery: &str, keys: &str, token: &str) {
    if let Ok(members) = Members::parse(discovery) {
        let _ = Discovery::of(&members);
    }
    if let (Some(keys), Ok(token)) = (KeySet::parse(keys.as_bytes()), SignedToken::parse(token)) {
        let _ = keys.open(&token);
    }
}

fn has_id_token(exchange: &str) -> bool {
    let exchange: Value = serde_json::from_str(exchange).unwrap_or_default();
    exchange["id_token"].as_str().is_some_and(|token| !token.is_empty())
}

/// What an id token must say at least (OpenID Connect Core 1.0, section 3.1.3.7).
fn is_acceptable(claims: &str) -> bool {
    let Ok(claims) = serde_json::from_str::<Value>(claims) else { return false };
    let is_for_us = match &claims["aud"] {
        Value::Array(audiences) => audiences.iter().any(|audience| audience == CLIENT),
        audience => audience == CLIENT,
    };
    let is_valid = claims["exp"].as_f64().is_some_and(|expiry| expiry * 1000.0 > NOW.0 as f64 - 60_001.0);
    is_for_us && claims["iss"] == ISSUER && is_valid
}
