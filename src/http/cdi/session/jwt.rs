//! `POST /recipe/jwt`: a JWT with the caller's own payload.

use crate::command::session::jwt::CreateJwt;
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

/// The only algorithm in the protocol. SDKs send it as a constant; the token uses the app's algorithm.
const ALGORITHM: &str = "RS256";

#[derive(Serialize)]
struct JwtBody<'a> {
    status: &'static str,
    jwt: &'a str,
}

pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let algorithm = body.string("algorithm")?;
    let jwks_domain = body.string("jwksDomain")?.into_owned();
    let payload = body.object("payload")?;
    let validity = body.long("validity")?;
    let use_static_signing_key = if call.wire.jwt_chooses_signing_key {
        body.optional_bool("useStaticSigningKey")?.unwrap_or(true)
    } else {
        true
    };
    let validity_s = u64::try_from(validity).ok().filter(|validity_s| *validity_s > 0);
    let validity_s = validity_s.ok_or_else(|| ApiError::bad_request("validity must be greater than or equal to 0"))?;
    let scope = call.scope()?;
    if !algorithm.eq_ignore_ascii_case(ALGORITHM) {
        return Ok(Reply::status("UNSUPPORTED_ALGORITHM_ERROR"));
    }
    let command = CreateJwt { scope, jwks_domain, payload, validity_s, use_static_signing_key };
    let jwt = command.run(context).await?;
    Ok(Reply::json(&JwtBody { status: "OK", jwt: jwt.expose() }))
}
