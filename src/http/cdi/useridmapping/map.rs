//! `POST` and `GET /recipe/userid/map`.

use super::shared::{external_info, id_type, in_use};
use crate::command::user::mapping::{CreateMapping, FindMapping, MappingCreated};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::user::ExternalId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query, blank_field};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use http::header::USER_AGENT;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExistsBody {
    status: &'static str,
    does_super_tokens_user_id_exist: bool,
    does_external_user_id_exist: bool,
    /// The same under the name that Python's SDK expects; it raises an error if it is missing.
    #[serde(rename = "does_external_user_id_exist", skip_serializing_if = "Option::is_none")]
    for_python: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MappingBody<'a> {
    status: &'static str,
    super_tokens_user_id: &'a UserId,
    external_user_id: &'a UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_user_id_info: Option<&'a str>,
}

pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let id = UserId::new(body.trimmed_string("superTokensUserId")?);
    let external_id = UserId::new(body.trimmed_string("externalUserId")?);
    let external = ExternalId { id: external_id, info: external_info(&body)? };
    let force = body.optional_bool("force")?.unwrap_or(false);
    let moves_verification = call.wire.mapping_moves_verification;
    match (CreateMapping { scope: call.scope()?, id, external, force, moves_verification }).run(context).await? {
        MappingCreated::Ok => Ok(Reply::status("OK")),
        MappingCreated::UnknownUser => Ok(Reply::status("UNKNOWN_SUPERTOKENS_USER_ID_ERROR")),
        MappingCreated::Exists { internal, external } => Ok(Reply::json(&ExistsBody {
            status: "USER_ID_MAPPING_ALREADY_EXISTS_ERROR",
            does_super_tokens_user_id_exist: internal,
            does_external_user_id_exist: external,
            for_python: is_python_sdk(call).then_some(external),
        })),
        MappingCreated::ExternalIsInternal => Err(ApiError::bad_request(
            "Cannot create a userId mapping where the externalId is also a SuperTokens userID",
        )),
        MappingCreated::InUse(by) => Err(in_use(by)),
    }
}

/// Python's SDK does not set a user agent of its own, so this is its HTTP client's.
fn is_python_sdk(call: &Call) -> bool {
    call.request.header(&USER_AGENT).is_some_and(|agent| agent.starts_with("python-httpx/"))
}

pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let text = query.required("userId")?;
    let text = text.trim();
    if text.is_empty() {
        return Err(blank_field("userId"));
    }
    let id_type = id_type(query.optional("userIdType").as_deref())?;
    let find = FindMapping { scope: call.scope()?, id: UserId::new(text), id_type };
    let Some(mapping) = find.run(context).await? else {
        return Ok(Reply::status("UNKNOWN_MAPPING_ERROR"));
    };
    Ok(Reply::json(&MappingBody {
        status: "OK",
        super_tokens_user_id: &mapping.internal,
        external_user_id: &mapping.external.id,
        external_user_id_info: mapping.external.info.as_deref(),
    }))
}
