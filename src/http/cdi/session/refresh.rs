//! `POST /recipe/session/refresh`.

use super::create::access_token_validity;
use super::reply::{display, invalid_validity, issued};
use crate::command::session::refresh::{RefreshSession, Refreshed, ReuseSubtype};
use crate::context::Context;
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::session::client::Seen;
use crate::fault::Fault;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::cdi::version::Presence;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnauthorisedBody {
    status: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_token_reuse_subtype: Option<ReuseSubtype>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TheftBody<'a> {
    status: &'static str,
    session: StolenBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_token_reuse_subtype: Option<ReuseSubtype>,
}

/// `recipeUserId` is present in every version.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StolenBody<'a> {
    #[serde(serialize_with = "display")]
    handle: &'a SessionHandle,
    user_id: &'a UserId,
    recipe_user_id: &'a UserId,
}

pub(super) async fn refresh(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let refresh_token = body.string("refreshToken")?;
    let anti_csrf_token = body.optional_string("antiCsrfToken")?;
    let enable_anti_csrf = body.bool("enableAntiCsrf")?;
    let use_dynamic_signing_key = match call.wire.refresh_signing_key {
        Presence::Ignored => None,
        Presence::Optional => body.optional_bool("useDynamicSigningKey")?,
        Presence::Required => Some(body.bool("useDynamicSigningKey")?),
    };
    let access_token_validity_ms = access_token_validity(call, &body)?;
    let command = RefreshSession {
        added_claims: None,
        scope: call.scope()?,
        refresh_token: &refresh_token,
        anti_csrf_token: anti_csrf_token.as_deref(),
        enable_anti_csrf,
        use_dynamic_signing_key,
        access_token_validity_ms,
        token_version: call.wire.access_token_version,
        max_access_token_bytes: None,
        policy: call.wire.refresh_policy,
        seen: Seen::Nothing,
    };
    Ok(match command.run(context).await? {
        Refreshed::Ok(session) => issued(context, call, &session, None),
        Refreshed::Unauthorised { message, subtype } => Reply::json(&UnauthorisedBody {
            status: "UNAUTHORISED",
            message,
            recent_token_reuse_subtype: subtype.filter(|_| call.wire.reuse_has_subtype),
        }),
        Refreshed::TokenTheft { handle, user_id, recipe_user_id, subtype } => Reply::json(&TheftBody {
            status: "TOKEN_THEFT_DETECTED",
            session: StolenBody { handle: &handle, user_id: &user_id, recipe_user_id: &recipe_user_id },
            recent_token_reuse_subtype: subtype.filter(|_| call.wire.reuse_has_subtype),
        }),
        Refreshed::InvalidAccessTokenValidity { max_ms } => return Err(invalid_validity(max_ms)),
        Refreshed::TooLarge(_) => {
            return Err(Fault::invariant("refreshing a session without a limit on its token").into());
        }
    })
}
