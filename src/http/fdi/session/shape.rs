//! Which texts can be access tokens at all. The SDKs ignore others, such as a bearer token of the application's own.

use crate::domain::time::UnixMillis;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// What an access token says of itself. Nothing of it has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether it names a dynamic key.
    pub(super) has_dynamic_key: bool,
    /// When it was made.
    pub(super) created: UnixMillis,
    /// When it expires.
    pub(super) expires: UnixMillis,
}

#[derive(Deserialize)]
struct Header<'t> {
    #[serde(borrow)]
    typ: Cow<'t, str>,
    #[serde(borrow)]
    kid: Cow<'t, str>,
    version: Option<Value>,
}

/// Reads a text's shape; `None` if it is no access token (protocol: 20, 3.3). Tokens of versions 1 and 2, which have
/// another header and no key, are none here: the front door has never handed one out.
pub(super) fn shape(token: &str) -> Option<Shape> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    let header = decoded(header)?;
    let header: Header<'_> = serde_json::from_slice(&header).ok()?;
    let version = match header.version {
        None => 3,
        Some(Value::String(text)) => text.parse::<u32>().ok()?,
        Some(_) => return None,
    };
    let claims: Claims = serde_json::from_slice(&decoded(payload)?).ok()?;
    let texts = [claims.sub, claims.handle, claims.hash];
    let is_session = header.typ == "JWT"
        && version >= 3
        && texts.iter().all(|claim| *claim == Some(Claim::Text))
        && (version < 5 || claims.rsub == Some(Claim::Text))
        && claims.stt.is_none_or(|kind| kind == Claim::Number(Some(0)));
    let time = |claim| match claim {
        Some(Claim::Number(seconds)) => Some(UnixMillis(seconds.unwrap_or_default().saturating_mul(1000))),
        _ => None,
    };
    let (created, expires) = (time(claims.iat)?, time(claims.exp)?);
    is_session.then(|| Shape { has_dynamic_key: header.kid.starts_with("d-"), created, expires })
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}

/// The claims that make a JWT an access token. The others are not kept: this runs for every request with a token.
#[derive(Default)]
struct Claims {
    sub: Option<Claim>,
    handle: Option<Claim>,
    hash: Option<Claim>,
    rsub: Option<Claim>,
    exp: Option<Claim>,
    iat: Option<Claim>,
    stt: Option<Claim>,
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Name {
    #[serde(rename = "sub")]
    Sub,
    #[serde(rename = "sessionHandle")]
    Handle,
    #[serde(rename = "refreshTokenHash1")]
    Hash,
    #[serde(rename = "rsub")]
    Rsub,
    #[serde(rename = "exp")]
    Exp,
    #[serde(rename = "iat")]
    Iat,
    #[serde(rename = "stt")]
    Stt,
    #[serde(other)]
    Other,
}

/// What the value of a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Text,
    /// `None` for one that is negative or no integer.
    Number(Option<u64>),
    Other,
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims::default();
        while let Some(name) = map.next_key()? {
            let place = match name {
                Name::Sub => &mut claims.sub,
                Name::Handle => &mut claims.handle,
                Name::Hash => &mut claims.hash,
                Name::Rsub => &mut claims.rsub,
                Name::Exp => &mut claims.exp,
                Name::Iat => &mut claims.iat,
                Name::Stt => &mut claims.stt,
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value()?);
        }
        Ok(claims)
    }
}

impl<'de> Deserialize<'de> for Claim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClaimVisitor)
    }
}

struct ClaimVisitor;

impl<'de> Visitor<'de> for ClaimVisitor {
    type Value = Claim;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Claim, E> {
        Ok(Claim::Text)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Claim, E> {
        Ok(Claim::Number(Some(number)))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Claim, E> {
        Ok(Claim::Number(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Claim, E> {
        Ok(Claim::Number(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Claim, E> {
        Ok(Claim::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Claim, E> {
        Ok(Claim::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Claim, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Claim::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claim, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Claim::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(header: &str, payload: &str) -> Option<(bool, u64, u64)> {
        let token = format!("{}.{}.x", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        shape(&token).map(|shape| (shape.has_dynamic_key, shape.created.0, shape.expires.0))
    }

    const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT","kid":"d-1","version":"5"}"#;

    #[test]
    fn access_tokens_have_the_claims_of_their_version() {
        let all = r#"{"iat":5,"exp":7,"sub":"u","rsub":"r","sessionHandle":"h","refreshTokenHash1":"x","a":[{"b":1}]}"#;
        assert_eq!(shape_of(HEADER, all), Some((true, 5000, 7000)));
        assert_eq!(shape_of(r#"{"typ":"JWT","kid":"s-1"}"#, all), Some((false, 5000, 7000)));
        assert_eq!(shape_of(HEADER, &all.replace(":5,", ":5.5,")), Some((true, 0, 7000)));
        assert_eq!(shape_of(HEADER, &all.replace(":5,", ":-5,")), Some((true, 0, 7000)));
        assert_eq!(shape_of(HEADER, &all.replace("\"a\"", "\"stt\":0,\"a\"")), Some((true, 5000, 7000)));
        let last_wins = all.replace("{\"iat\"", "{\"sub\":1,\"iat\"");
        assert_eq!(shape_of(HEADER, &last_wins), Some((true, 5000, 7000)));
        let without_rsub = all.replace("\"rsub\"", "\"other\"");
        assert_eq!(shape_of(&HEADER.replace('5', "4"), &without_rsub), Some((true, 5000, 7000)));
        for (header, payload) in [
            (HEADER, without_rsub.as_str()),
            (HEADER, &all.replace("\"u\"", "1")),
            (HEADER, &all.replace("\"h\"", "null")),
            (HEADER, &all.replace(":5,", ":\"5\",")),
            (HEADER, &all.replace("\"exp\"", "\"x\"")),
            (HEADER, &all.replace("\"a\"", "\"stt\":1,\"a\"")),
            (HEADER, &all.replace("\"a\"", "\"stt\":null,\"a\"")),
            (HEADER, "[1]"),
            (HEADER, "{}{}"),
            (r#"{"typ":"JWT","kid":"d-1","version":5}"#, all),
            (r#"{"typ":"JWT","kid":"d-1","version":"2"}"#, all),
            (r#"{"typ":"JWS","kid":"d-1","version":"5"}"#, all),
            (r#"{"typ":"JWT","version":"5"}"#, all),
        ] {
            assert_eq!(shape_of(header, payload), None, "{header} {payload}");
        }
        for text in ["", "a.b", "a.b.c", "a.b.c.d"] {
            assert_eq!(shape(text), None);
        }
    }
}
