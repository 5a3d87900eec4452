//! `POST /recipe/jwt`.

use crate::app::App;
use crate::command::session::Scope;
use crate::domain::json::JsonObject;
use crate::domain::secret::Secret;
use crate::fault::Fault;

/// Signs a caller's claims. The caller has checked `algorithm` and `validity`.
pub struct CreateJwt {
    /// Where.
    pub scope: Scope,
    /// Becomes `iss` unless the payload has its own.
    pub jwks_domain: String,
    /// Claims; its `iat`, `exp` and `iss` win over generated ones.
    pub payload: JsonObject,
    /// Lifetime in **seconds**.
    pub validity_s: u64,
    /// Sign with the static key (else the current dynamic one).
    pub use_static_signing_key: bool,
}

impl CreateJwt {
    /// Runs the command; the JWT's text.
    ///
    /// # Errors
    /// When a key fails.
    pub async fn run(self, _app: &App) -> Result<Secret<String>, Fault> {
        todo!()
    }
}
