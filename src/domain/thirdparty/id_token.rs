//! The claims of an id token whose signature has been checked (OpenID Connect Core 1.0, section 3.1.3.7).

use super::catalogue::ProviderKind;
use super::provider::Provider;
use crate::domain::json::{Json, Members};
use crate::domain::time::UnixMillis;

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY_S: f64 = 60.0;

/// Why the claims of an id token are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimFlaw {
    /// It was made for another client.
    #[error("the id token's audience is not this client")]
    Audience,
    /// It was made by another issuer than the provider.
    #[error("the id token's issuer is not the provider")]
    Issuer,
    /// It has expired, or does not say when it will.
    #[error("the id token has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the id token is not valid yet")]
    Early,
    /// It does not carry the nonce that was sent.
    #[error("the id token does not carry the nonce of this sign-in")]
    Nonce,
    /// It is of another organisation than the configured one; the protocol's sentence.
    #[error("the value for hd claim in the id token does not match the value provided in the config")]
    HostedDomain,
}

/// Checks the claims.
///
/// # Errors
/// The first one that does not fit.
pub fn check_claims(
    claims: &Members,
    provider: &Provider,
    nonce: Option<&str>,
    now: UnixMillis,
) -> Result<(), ClaimFlaw> {
    if !is_for(claims, &provider.client.client_id) {
        return Err(ClaimFlaw::Audience);
    }
    if !is_of_issuer(claims, provider) {
        return Err(ClaimFlaw::Issuer);
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact as a float")]
    let now_s = now.0 as f64 / 1000.0;
    let number = |name: &str| claims.get(name).and_then(Json::as_f64);
    if number("exp").is_none_or(|expires| expires + LEEWAY_S <= now_s) {
        return Err(ClaimFlaw::Expired);
    }
    if number("nbf").is_some_and(|begins| begins > now_s + LEEWAY_S) {
        return Err(ClaimFlaw::Early);
    }
    if nonce.is_some() && text(claims, "nonce") != nonce {
        return Err(ClaimFlaw::Nonce);
    }
    if !is_of_organisation(claims, provider) {
        return Err(ClaimFlaw::HostedDomain);
    }
    Ok(())
}

fn text<'m>(claims: &'m Members, name: &str) -> Option<&'m str> {
    claims.get(name).and_then(Json::as_str)
}

/// Of a token for several audiences, the one that it was issued to counts too.
fn is_for(claims: &Members, client_id: &str) -> bool {
    match claims.get("aud") {
        Some(Json::Text(audience)) => audience == client_id,
        Some(Json::Array(audiences)) => {
            let is_among = audiences.iter().any(|audience| audience.as_str() == Some(client_id));
            let is_party = text(claims, "azp").is_none_or(|party| party == client_id);
            is_among && (audiences.len() == 1 || is_party)
        }
        _ => false,
    }
}

/// Google leaves out the scheme in some tokens; Microsoft's common directories name the person's own one.
fn is_of_issuer(claims: &Members, provider: &Provider) -> bool {
    let Some(expected) = provider.issuer.as_deref() else { return true };
    let Some(stated) = text(claims, "iss") else { return false };
    match provider.kind {
        ProviderKind::Google | ProviderKind::GoogleWorkspaces => {
            stated == expected || Some(stated) == expected.strip_prefix("https://")
        }
        ProviderKind::ActiveDirectory if expected.contains("{tenantid}") => {
            text(claims, "tid").is_some_and(|directory| expected.replace("{tenantid}", directory) == stated)
        }
        _ => stated == expected,
    }
}

fn is_of_organisation(claims: &Members, provider: &Provider) -> bool {
    if provider.kind != ProviderKind::GoogleWorkspaces {
        return true;
    }
    match provider.extra("hd") {
        None | Some("*") => true,
        Some(expected) => text(claims, "hd") == Some(expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::thirdparty::discovery::Discovery;
    use crate::domain::thirdparty::read;
    use serde_json::{Value, json};

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
    const EXP: u64 = 1_700_000_100;

    fn provider(id: &str, issuer: Option<&str>, extra: &Value) -> Provider {
        let config = json!({
            "thirdPartyId": id, "oidcDiscoveryEndpoint": "https://op.test",
            "clients": [{"clientId": "me", "additionalConfig": extra}],
        });
        let config = read::provider(&config.to_string(), "p").unwrap();
        let found = Discovery { issuer: issuer.map(str::to_owned), ..Discovery::default() };
        Provider::settle(&config, &config.clients[0]).unwrap().discovered(&found)
    }

    fn check(claims: &Value, provider: &Provider, nonce: Option<&str>) -> Result<(), ClaimFlaw> {
        check_claims(&Members::parse(&claims.to_string()).unwrap(), provider, nonce, NOW)
    }

    #[test]
    fn a_token_must_be_for_this_client() {
        let own = provider("own", None, &json!({}));
        let audience = |aud: Value| check(&json!({"aud": aud, "exp": EXP}), &own, None);
        assert_eq!(audience(json!("me")), Ok(()));
        assert_eq!(audience(json!(["me"])), Ok(()));
        assert_eq!(audience(json!(["you", "me"])), Ok(()));
        for other in [json!("you"), json!(["you"]), json!([]), json!(null), json!({"me": "me"})] {
            assert_eq!(audience(other), Err(ClaimFlaw::Audience));
        }
        let party = |azp: &str| check(&json!({"aud": ["you", "me"], "azp": azp, "exp": EXP}), &own, None);
        assert_eq!((party("me"), party("you")), (Ok(()), Err(ClaimFlaw::Audience)));
        assert_eq!(check(&json!({"exp": EXP}), &own, None), Err(ClaimFlaw::Audience));
    }

    #[test]
    fn a_token_must_be_of_the_issuer_that_discovery_names() {
        let issued = |id: &str, issuer: &str, claims: Value| {
            let mut all = json!({"aud": "me", "exp": EXP});
            all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
            check(&all, &provider(id, Some(issuer), &json!({"directoryId": "common"})), None)
        };
        let refused = Err(ClaimFlaw::Issuer);
        assert_eq!(issued("own", "https://op.test", json!({"iss": "https://op.test"})), Ok(()));
        assert_eq!(issued("own", "https://op.test", json!({"iss": "https://op.test/"})), refused);
        assert_eq!(issued("own", "https://op.test", json!({"iss": "op.test"})), refused);
        assert_eq!(issued("own", "https://op.test", json!({})), refused);
        assert_eq!(issued("google", "https://op.test", json!({"iss": "op.test"})), Ok(()));
        assert_eq!(issued("google", "https://op.test", json!({"iss": "http://op.test"})), refused);
        let common = "https://login.test/{tenantid}/v2.0";
        let of_directory =
            |tid: &str| issued("active-directory", common, json!({"iss": "https://login.test/d1/v2.0", "tid": tid}));
        assert_eq!((of_directory("d1"), of_directory("d2")), (Ok(()), refused));
    }

    #[test]
    fn a_token_must_be_valid_now() {
        let own = provider("own", None, &json!({}));
        let at = |claims: Value| {
            let mut all = json!({"aud": "me"});
            all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
            check(&all, &own, None)
        };
        let now_s = NOW.0 / 1000;
        assert_eq!(at(json!({"exp": now_s - 59})), Ok(()));
        for expired in [json!({"exp": now_s - 60}), json!({"exp": "soon"}), json!({})] {
            assert_eq!(at(expired), Err(ClaimFlaw::Expired));
        }
        assert_eq!(at(json!({"exp": EXP, "nbf": now_s + 60})), Ok(()));
        assert_eq!(at(json!({"exp": EXP, "nbf": now_s + 61})), Err(ClaimFlaw::Early));
    }

    #[test]
    fn a_nonce_that_was_sent_must_come_back() {
        let own = provider("own", None, &json!({}));
        let with = |nonce: Value| check(&json!({"aud": "me", "exp": EXP, "nonce": nonce}), &own, Some("n"));
        assert_eq!(with(json!("n")), Ok(()));
        assert_eq!(with(json!("m")), Err(ClaimFlaw::Nonce));
        assert_eq!(check(&json!({"aud": "me", "exp": EXP}), &own, Some("n")), Err(ClaimFlaw::Nonce));
        assert_eq!(check(&json!({"aud": "me", "exp": EXP, "nonce": "m"}), &own, None), Ok(()));
    }

    #[test]
    fn a_workspace_account_must_be_of_the_organisation() {
        let with =
            |hd: &str, claims: Value| check(&claims, &provider("google-workspaces", None, &json!({"hd": hd})), None);
        assert_eq!(with("x.io", json!({"aud": "me", "exp": EXP, "hd": "x.io"})), Ok(()));
        assert_eq!(with("x.io", json!({"aud": "me", "exp": EXP, "hd": "y.io"})), Err(ClaimFlaw::HostedDomain));
        assert_eq!(with("x.io", json!({"aud": "me", "exp": EXP})), Err(ClaimFlaw::HostedDomain));
        assert_eq!(with("*", json!({"aud": "me", "exp": EXP})), Ok(()));
    }
}
