//! The claims of the recipes, as access tokens hold them (protocol: 20, 7.2).

use crate::domain::json::{Json, JsonObject, Members};
use crate::domain::multifactorauth::FactorsClaim;

/// The claim that says whether the e-mail address is verified.
pub const EMAIL_VERIFIED: &str = "st-ev";
/// The claim that says which factors are complete.
pub const FACTORS: &str = "st-mfa";
/// The claim that lists roles.
pub const ROLES: &str = "st-role";
/// The claim that lists permissions.
pub const PERMISSIONS: &str = "st-perm";

/// What a session's claims say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionClaims {
    /// Whether the e-mail address is verified; `None` if nothing says so.
    pub email_verified: Option<bool>,
    /// The factors; `None` without second factors.
    pub factors: Option<FactorsClaim>,
    /// The roles.
    pub roles: Vec<String>,
    /// The permissions.
    pub permissions: Vec<String>,
}

impl SessionClaims {
    /// Reads a payload. A claim in another shape says nothing.
    #[must_use]
    pub fn read(payload: &JsonObject) -> Self {
        let members = Members::parse(payload.as_str()).unwrap_or_default();
        let value = |name| members.get(name).and_then(Json::as_object).and_then(|claim| claim.get("v"));
        let texts = |name| {
            let list = value(name).and_then(Json::as_array).unwrap_or_default();
            list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
        };
        Self {
            email_verified: value(EMAIL_VERIFIED).and_then(Json::as_bool),
            factors: members.get(FACTORS).and_then(FactorsClaim::read),
            roles: texts(ROLES),
            permissions: texts(PERMISSIONS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SessionClaims {
        SessionClaims::read(&JsonObject::parse(text).unwrap())
    }

    #[test]
    fn claims_are_read_and_nonsense_says_nothing() {
        let claims = read(
            r#"{"st-ev":{"v":true,"t":1},"st-role":{"v":["a","b",3],"t":1},"st-perm":{"v":[]},
            "st-mfa":{"c":{"totp":5},"v":true}}"#,
        );
        assert_eq!(
            (claims.email_verified, claims.roles, claims.permissions),
            (Some(true), vec!["a".to_owned(), "b".to_owned()], vec![])
        );
        assert!(claims.factors.unwrap().has("totp"));
        let nonsense = r#"{"st-ev":true,"st-role":["a"],"st-perm":{"v":"a"},"st-mfa":{"v":true}}"#;
        assert_eq!(read(nonsense), SessionClaims::default());
        assert_eq!(read("{}"), SessionClaims::default());
    }
}
