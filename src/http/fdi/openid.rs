//! The keys with which applications verify tokens, and the document that says where they are (protocol: 20, 8).

use super::call::FrontCall;
use super::error::FrontError;
use super::reply;
use super::route::FrontRoute;
use crate::context::Context;
use crate::front_route;
use crate::http::exchange::Reply;
use serde::Serialize;

/// Routes of these recipes.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(GET "/jwt/jwks.json" => jwks).public(),
    front_route!(GET "/.well-known/openid-configuration" => discovery).public(),
];

async fn jwks(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let ring = context.key_ring(&call.app).await?;
    let max_age = ring.jwks_max_age_s(context.now());
    let reply = Reply { content_type: reply::JSON, ..Reply::raw_json(ring.jwks()) };
    Ok(reply.cached(format!("max-age={max_age}, must-revalidate")))
}

/// The members of OpenID Connect Discovery (3) that the SDKs publish.
#[derive(Serialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    revocation_endpoint: String,
    token_introspection_endpoint: String,
    end_session_endpoint: String,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    response_types_supported: [&'static str; 3],
}

async fn discovery(_context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let text = call.app.discovery_document(|| reply::json_text(&Discovery::of(call.issuer())));
    Ok(Reply { content_type: reply::JSON, ..Reply::raw_json(text) })
}

impl Discovery {
    fn of(issuer: String) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        Self {
            jwks_uri: at("/jwt/jwks.json"),
            authorization_endpoint: at("/oauth/auth"),
            token_endpoint: at("/oauth/token"),
            userinfo_endpoint: at("/oauth/userinfo"),
            revocation_endpoint: at("/oauth/revoke"),
            token_introspection_endpoint: at("/oauth/introspect"),
            end_session_endpoint: at("/oauth/end_session"),
            subject_types_supported: ["public"],
            // As the SDKs say, whatever signs: clients of theirs look for it.
            id_token_signing_alg_values_supported: ["RS256"],
            response_types_supported: ["code", "id_token", "id_token token"],
            issuer,
        }
    }
}
