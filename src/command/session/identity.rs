//! What the gate tells an application about a session.

use crate::command::scope::Scope;
use crate::command::session::jwt::CreateJwt;
use crate::context::Context;
use crate::domain::json::{Json, JsonObject, Members};
use crate::domain::secret::Secret;
use crate::domain::session::SessionView;
use crate::fault::Fault;

/// Signs a token that tells one application who is signed in: the session's payload, with the names of an access token
/// for user, tenant and session. It is none: it has no refresh token's hash, so nothing of ours takes it for one.
pub struct CreateIdentityToken<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The session, which was verified.
    pub session: &'a SessionView,
    /// The issuer of the front door's tokens.
    pub issuer: &'a str,
    /// The origin of the application, the only one that should believe it (RFC 7519, 4.1.3).
    pub audience: &'a str,
    /// Lifetime in **seconds**.
    pub validity_s: u64,
    /// Whether to sign with the static key instead of the current dynamic one.
    pub use_static_signing_key: bool,
}

impl CreateIdentityToken<'_> {
    /// Returns the token's text.
    ///
    /// # Errors
    /// When a key fails.
    pub async fn run(self, context: &Context) -> Result<Secret<String>, Fault> {
        let session = self.session;
        let mut claims = Members::parse(session.user_data_in_jwt.as_str()).unwrap_or_default();
        for (name, value) in [
            ("iss", self.issuer),
            ("aud", self.audience),
            ("sub", session.user_id.as_str()),
            ("rsub", session.recipe_user_id.as_str()),
            ("tId", session.handle.tenant.as_str()),
            ("sessionHandle", &session.handle.to_string()),
        ] {
            claims.set(name, Json::Text(value.to_owned()));
        }
        let command = CreateJwt {
            scope: self.scope,
            jwks_domain: self.issuer.to_owned(),
            payload: JsonObject::from(&claims),
            validity_s: self.validity_s,
            use_static_signing_key: self.use_static_signing_key,
        };
        command.run(context).await
    }
}
