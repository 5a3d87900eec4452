//! The claims of a presented token, read in one pass without building a tree.

use super::parts::TokenParts;
use super::{AccessToken, TokenRefusal, header, protected_claims};
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::json::{JsonObject, MemberName, put_text};
use crate::domain::session::{AccessTokenVersion, SessionView};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// The claim that distinguishes tokens of an OAuth2 provider (1, 2) from those of sessions (0, or no claim).
const TOKEN_TYPE: &str = "stt";

/// Parses an access token **without checking its signature or expiry** (CDI: regenerate).
///
/// # Errors
/// [`TokenRefusal::Unparsable`] when its layout is not that of our JWTs, [`TokenRefusal::Claims`] when claims are
/// missing.
pub fn parse_unverified(token: &str) -> Result<AccessToken, TokenRefusal> {
    let parts = TokenParts::split(token)?;
    let version = header::claimed_version(parts.header).ok_or(TokenRefusal::Unparsable)?;
    parse(version, &parts.payload_bytes(version)?, Origin::Unknown)
}

/// True if `user_data` has a top-level name that this layout reserves.
#[must_use]
pub fn has_protected_claim(version: AccessTokenVersion, user_data: &JsonObject) -> bool {
    // Text that is not an object is refused like a reserved name: it must not be spliced into claims.
    any_named(user_data, protected_claims(version)).unwrap_or(true)
}

/// True if `object` has a top-level member with this name.
#[must_use]
pub fn has_member(object: &JsonObject, name: &str) -> bool {
    any_named(object, &[name]).unwrap_or(false)
}

fn any_named(object: &JsonObject, names: &[&str]) -> Result<bool, serde_json::Error> {
    if object.as_str() == "{}" {
        return Ok(false);
    }
    let mut json = serde_json::Deserializer::from_str(object.as_str());
    json.deserialize_map(AnyNamed(names))
}

/// The author of a token's claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// This server.
    Server,
    /// The original core from which the app was moved in.
    Core,
    /// An application, into a custom JWT that this server signed.
    Application,
    /// Unknown: the signature was not checked.
    Unknown,
}

/// Parses the claims of a token of this version. Text that was not written here is converted to canonical form.
pub(super) fn parse(version: AccessTokenVersion, payload: &[u8], origin: Origin) -> Result<AccessToken, TokenRefusal> {
    let text = std::str::from_utf8(payload).map_err(|_| TokenRefusal::Unparsable)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let claims = json.deserialize_map(ClaimsVisitor(version)).and_then(|claims| json.end().map(|()| claims));
    let mut claims =
        claims.map_err(|error| if error.is_data() { TokenRefusal::Claims } else { TokenRefusal::Unparsable })?;
    if origin != Origin::Server {
        let object = JsonObject::parse(&claims.custom).map_err(|_| TokenRefusal::Claims)?;
        // Tokens of the OAuth2 provider have another number here (protocol: 14, 2); they are not sessions.
        if origin == Origin::Application && object.members().get(TOKEN_TYPE).is_some_and(|kind| kind.get() != "0") {
            return Err(TokenRefusal::Claims);
        }
        object.as_str().clone_into(&mut claims.custom);
    }
    let token = claims.into_token(version).ok_or(TokenRefusal::Claims)?;
    Ok(AccessToken { is_custom: origin == Origin::Application, ..token })
}

impl AccessToken {
    /// Refuses an expired token.
    ///
    /// # Errors
    /// [`TokenRefusal::Expired`].
    pub fn check_expiry(&self, now: UnixMillis) -> Result<(), TokenRefusal> {
        if self.expiry < now { Err(TokenRefusal::Expired) } else { Ok(()) }
    }

    /// True until the refresh token that it was issued with has been used, by either of the two tokens.
    #[must_use]
    pub const fn awaits_use(&self) -> bool {
        self.parent_refresh_token_hash_1.is_some()
    }
}

/// The claims as found in the token. `Some(None)`: present, with the value `null`.
#[derive(Default)]
struct Claims {
    user: Option<String>,
    expiry: Option<u64>,
    created: Option<u64>,
    handle: Option<String>,
    hash: Option<String>,
    parent: Option<Option<String>>,
    anti_csrf: Option<Option<String>>,
    tenant: Option<String>,
    recipe_user: Option<String>,
    /// `{` and the custom members so far; closed at the end.
    custom: String,
}

impl Claims {
    fn into_token(self, version: AccessTokenVersion) -> Option<AccessToken> {
        let nested = version <= AccessTokenVersion::V2;
        let handle = SessionHandle::parse(&self.handle?)?;
        let user_id = UserId::new(self.user?);
        let recipe_user_id =
            if version >= AccessTokenVersion::V5 { UserId::new(self.recipe_user?) } else { user_id.clone() };
        if version >= AccessTokenVersion::V4 && self.tenant? != handle.tenant.as_str() {
            return None;
        }
        // Flat layouts always have these two, nested ones only when there is a value.
        let absent = if nested { Some(None) } else { None };
        let parent = match self.parent.or_else(|| absent.clone())? {
            Some(text) => Some(TokenHash1::parse(&text)?),
            None => None,
        };
        let unit = if nested { 1 } else { 1000 };
        Some(AccessToken {
            version,
            is_custom: false,
            session: Arc::new(SessionView {
                handle,
                user_id,
                recipe_user_id,
                user_data_in_jwt: JsonObject::from_stored(self.custom).checked(),
            }),
            refresh_token_hash_1: TokenHash1::parse(&self.hash?)?,
            parent_refresh_token_hash_1: parent,
            anti_csrf_token: self.anti_csrf.or(absent)?,
            created: UnixMillis(self.created?.checked_mul(unit)?),
            expiry: UnixMillis(self.expiry?.checked_mul(unit)?),
        })
    }
}

struct ClaimsVisitor(AccessTokenVersion);

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of an access token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims::default();
        claims.custom.push('{');
        let protected = protected_claims(self.0);
        while let Some(MemberName(name)) = map.next_key()? {
            if protected.contains(&name.as_ref()) {
                claims.take(&name, &mut map)?;
            } else if self.0 <= AccessTokenVersion::V2 {
                claims.take_nested(&name, &mut map)?;
            } else {
                if claims.custom.len() > 1 {
                    claims.custom.push(',');
                }
                put_text(&mut claims.custom, &name);
                claims.custom.push(':');
                claims.custom.push_str(map.next_value::<&RawValue>()?.get());
            }
        }
        if self.0 > AccessTokenVersion::V2 {
            claims.custom.push('}');
        } else if claims.custom == "{" {
            return Err(serde::de::Error::missing_field("userData"));
        }
        Ok(claims)
    }
}

impl Claims {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "sub" | "userId" => once(&mut self.user, map),
            "exp" | "expiryTime" => once(&mut self.expiry, map),
            "iat" | "timeCreated" => once(&mut self.created, map),
            "sessionHandle" => once(&mut self.handle, map),
            "refreshTokenHash1" => once(&mut self.hash, map),
            "parentRefreshTokenHash1" => once(&mut self.parent, map),
            "antiCsrfToken" => once(&mut self.anti_csrf, map),
            "tId" => once(&mut self.tenant, map),
            "rsub" => once(&mut self.recipe_user, map),
            _ => map.next_value::<IgnoredAny>().map(drop),
        }
    }

    fn take_nested<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name != "userData" {
            return map.next_value::<IgnoredAny>().map(drop);
        }
        let object = map.next_value::<&RawValue>()?.get();
        if self.custom != "{" || !object.starts_with('{') {
            return Err(serde::de::Error::custom("userData must be one object"));
        }
        object.clone_into(&mut self.custom);
        Ok(())
    }
}

/// Reads a value that may occur only once.
fn once<'de, A: MapAccess<'de>, T: serde::Deserialize<'de>>(slot: &mut Option<T>, map: &mut A) -> Result<(), A::Error> {
    if slot.replace(map.next_value()?).is_some() {
        return Err(serde::de::Error::custom("a claim is there twice"));
    }
    Ok(())
}

/// True if an object has one of these names.
struct AnyNamed<'a>(&'a [&'a str]);

impl<'de> Visitor<'de> for AnyNamed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(MemberName(name)) = map.next_key()? {
            found |= self.0.contains(&name.as_ref());
            map.next_value::<IgnoredAny>()?;
        }
        Ok(found)
    }
}
