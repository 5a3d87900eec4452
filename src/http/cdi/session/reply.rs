//! Reply bodies shared by several session endpoints.

use crate::context::Context;
use crate::domain::entropy::random_uuid;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::key::KeyKind;
use crate::domain::session::{IssuedSession, IssuedToken, SessionView};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::http::cdi::call::Call;
use crate::http::cdi::version::Wire;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::state::key::LegacyKeyInfo;
use serde::{Serialize, Serializer};

/// The `session` member.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionBody<'a> {
    #[serde(serialize_with = "display")]
    handle: &'a SessionHandle,
    user_id: &'a UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_user_id: Option<&'a UserId>,
    #[serde(rename = "userDataInJWT")]
    user_data_in_jwt: &'a JsonObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a TenantId>,
}

impl<'a> SessionBody<'a> {
    pub(super) fn new(session: &'a SessionView, wire: Wire) -> Self {
        Self {
            handle: &session.handle,
            user_id: &session.user_id,
            recipe_user_id: wire.session_has_recipe_user_id.then_some(&session.recipe_user_id),
            user_data_in_jwt: &session.user_data_in_jwt,
            tenant_id: wire.session_has_tenant_id.then_some(&session.handle.tenant),
        }
    }
}

/// `{token, expiry, createdTime}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenBody<'a> {
    token: &'a str,
    expiry: UnixMillis,
    created_time: UnixMillis,
}

impl<'a> TokenBody<'a> {
    pub(super) fn new(token: &'a IssuedToken) -> Self {
        Self { token: token.token.expose(), expiry: token.expiry, created_time: token.created }
    }
}

/// The reply of create and refresh.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssuedBody<'a> {
    status: &'static str,
    session: SessionBody<'a>,
    access_token: TokenBody<'a>,
    refresh_token: TokenBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_refresh_token: Option<TokenBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anti_csrf_token: Option<&'a str>,
    #[serde(flatten)]
    keys: Option<KeyBody>,
}

/// The reply to a successful create or refresh.
pub(super) fn issued(context: &Context, call: &Call, issued: &IssuedSession, keys: Option<KeyBody>) -> Reply {
    let id_refresh_text = call.wire.id_refresh_token.then(|| random_uuid(&*context.entropy).to_string());
    let refresh_token = TokenBody::new(&issued.refresh_token);
    Reply::json(&IssuedBody {
        status: "OK",
        session: SessionBody::new(&issued.session, call.wire),
        access_token: TokenBody::new(&issued.access_token),
        id_refresh_token: id_refresh_text.as_deref().map(|token| TokenBody { token, ..refresh_token }),
        refresh_token: TokenBody::new(&issued.refresh_token),
        anti_csrf_token: issued.anti_csrf_token.as_deref(),
        keys,
    })
}

/// Public keys in the form that CDI < 2.21 has in create, verify and handshake.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyBody {
    jwt_signing_public_key: String,
    jwt_signing_public_key_expiry_time: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt_signing_public_key_list: Option<Vec<KeyEntry>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyEntry {
    public_key: String,
    expiry_time: UnixMillis,
    created_at: UnixMillis,
}

/// The key info, if the version has it.
pub(super) async fn key_info(context: &Context, call: &Call) -> Result<Option<KeyBody>, Fault> {
    if !call.wire.legacy_key_info {
        return Ok(None);
    }
    let dynamic = call.app.config.access_token_signing_key_dynamic;
    let kind = if dynamic { KeyKind::Dynamic } else { KeyKind::Static };
    let ring = context.key_ring_to_mint(&call.app, call.wire.access_token_version).await?;
    let Some(LegacyKeyInfo { public_key, expiry, list }) = ring.legacy_key_info(kind) else {
        return Err(Fault::invariant("naming an RSA key to a caller of an old version"));
    };
    let entries = list.into_iter().map(|key| KeyEntry {
        public_key: key.public_key,
        expiry_time: key.expiry,
        created_at: key.created,
    });
    Ok(Some(KeyBody {
        jwt_signing_public_key: public_key,
        jwt_signing_public_key_expiry_time: expiry,
        jwt_signing_public_key_list: call.wire.key_list.then(|| entries.collect()),
    }))
}

/// `UNAUTHORISED` for a handle that names no live session.
pub(super) fn no_such_session() -> Reply {
    Reply::status_with_message("UNAUTHORISED", "Session does not exist.")
}

/// 400 for a payload that has a reserved name.
pub(super) fn protected_claim() -> ApiError {
    ApiError::bad_request("The user payload contains protected field")
}

/// 400 for `accessTokenValidity` out of bounds.
pub(super) fn invalid_validity(max_ms: u64) -> ApiError {
    ApiError::bad_request(format!(
        "accessTokenValidity must be greater than 0 and at most the configured access_token_validity ({max_ms} ms)"
    ))
}

/// Serialises with `Display`.
pub(super) fn display<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
