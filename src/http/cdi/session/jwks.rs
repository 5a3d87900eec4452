//! `GET /.well-known/jwks.json` and its deprecated twin `GET /recipe/jwt/jwks`: the public keys.

use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn well_known(app: &Context, call: &Call) -> Result<Reply, ApiError> {
    let ring = app.key_ring(&call.app).await?;
    let max_age = ring.jwks_max_age_s(app.now());
    Ok(Reply::raw_json(format!("{}\n", ring.jwks)).cached(format!("max-age={max_age}, must-revalidate")))
}

pub(super) async fn with_status(app: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    let ring = app.key_ring(&call.app).await?;
    let members = ring.jwks.strip_prefix('{').unwrap_or("}");
    Ok(Reply::raw_json(format!("{{\"status\":\"OK\",{members}\n")))
}
