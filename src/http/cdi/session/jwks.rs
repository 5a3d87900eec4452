//! `GET /.well-known/jwks.json` and its deprecated twin `GET /recipe/jwt/jwks`: the public keys.

use crate::context::Context;
use crate::http::cdi::access::Credential;
use crate::http::cdi::call::Call;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::state::key::KeyRing;
use http::HeaderName;
use http::header::USER_AGENT;

/// User agents of the Python and the Go SDK. They send a version when they request the document that they publish
/// themselves, and read only RSA keys; their session verification sends no version.
const RSA_ONLY_READERS: [&str; 2] = ["python-httpx/", "Go-http-client/"];

/// The version used by the caller.
static CDI_VERSION: HeaderName = HeaderName::from_static("cdi-version");

pub(super) async fn well_known(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let ring = context.key_ring(&call.app).await?;
    warn_of_rsa_only_reader(context, call, &ring);
    let max_age = ring.jwks_max_age_s(context.now());
    Ok(Reply::raw_json(ring.jwks_line()).cached(format!("max-age={max_age}, must-revalidate")))
}

pub(super) async fn with_status(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    let ring = context.key_ring(&call.app).await?;
    warn_of_rsa_only_reader(context, call, &ring);
    let members = ring.jwks_text().strip_prefix('{').unwrap_or("}");
    Ok(Reply::raw_json(format!("{{\"status\":\"OK\",{members}\n")))
}

/// Warns once per app that its SDK cannot use the document: the error that the application's users see names no cause.
fn warn_of_rsa_only_reader(context: &Context, call: &Call, ring: &KeyRing) {
    let request = &call.request;
    let is_reader = || {
        let agent = request.header(&USER_AGENT).unwrap_or_default();
        request.headers.contains_key(&CDI_VERSION) && RSA_ONLY_READERS.iter().any(|reader| agent.starts_with(reader))
    };
    if ring.jwks_needs_more_than_rsa()
        && call.credential != Credential::Refused
        && is_reader()
        && context.keys.note_rsa_only_reader(&call.app)
    {
        tracing::warn!(
            app = ?call.app.id,
            "an SDK has requested the keys that it publishes at {{apiBasePath}}/jwt/jwks.json, and the Python and Go \
             SDKs read only RSA keys: that address fails while this app has Ed25519 keys. Its sessions are not \
             affected. Let clients that need the keys read this server's /.well-known/jwks.json, or set \
             access_token_signing_algorithm to RS256 and revoke the Ed25519 keys (sessiond keys list, sessiond keys \
             revoke)"
        );
    }
}
