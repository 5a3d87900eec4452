//! `POST /recipe/jwt`.

use crate::command::scope::Scope;
use crate::context::Context;
use crate::crypto::access_token::has_member;
use crate::domain::json::{JsonObject, put_text};
use crate::domain::key::KeyKind;
use crate::domain::secret::Secret;
use crate::fault::Fault;
use std::fmt::Write as _;

/// The last second of the year 9999: a longer validity is cut off there, because many readers of `exp` support no later
/// date, and some no number of more than 63 bits.
const LATEST_EXPIRY_S: u64 = 253_402_300_799;

/// Signs a caller's claims. The caller has checked `algorithm` and `validity`.
///
/// The token has the app's algorithm, whatever `algorithm` says: SDKs send `RS256` as a constant.
pub struct CreateJwt {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Becomes `iss` unless the payload has its own.
    pub jwks_domain: String,
    /// Claims; its `iat`, `exp` and `iss` take precedence over generated ones.
    pub payload: JsonObject,
    /// Lifetime in **seconds**.
    pub validity_s: u64,
    /// Whether to sign with the static key instead of the current dynamic one.
    pub use_static_signing_key: bool,
}

impl CreateJwt {
    /// Returns the JWT's text.
    ///
    /// # Errors
    /// When a key fails.
    pub async fn run(self, context: &Context) -> Result<Secret<String>, Fault> {
        let ring = context.key_ring(&self.scope.app).await?;
        let kind = if self.use_static_signing_key { KeyKind::Static } else { KeyKind::Dynamic };
        let claims = Secret::new(self.claims(context.now().seconds()));
        ring.tokens.sign_custom(kind, claims.expose()).map_err(|error| Fault::new("signing a custom JWT", error))
    }

    /// The payload, followed by those of `iss`, `exp` and `iat` that it lacks.
    fn claims(&self, now_s: u64) -> String {
        let expiry_s = now_s.saturating_add(self.validity_s).min(LATEST_EXPIRY_S);
        let payload = self.payload.as_str();
        let mut claims = payload.strip_suffix('}').unwrap_or("{").to_owned();
        let mut add = |name: &str, write: &dyn Fn(&mut String)| {
            if !has_member(&self.payload, name) {
                if claims.len() > 1 {
                    claims.push(',');
                }
                // invariant: writing to a String succeeds
                let _ = write!(claims, "\"{name}\":");
                write(&mut claims);
            }
        };
        add("iss", &|claims| put_text(claims, &self.jwks_domain));
        add("exp", &|claims| claims.push_str(&expiry_s.to_string()));
        add("iat", &|claims| claims.push_str(&now_s.to_string()));
        claims.push('}');
        claims
    }
}
