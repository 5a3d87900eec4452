//! `PUT /recipe/userid/external-user-id-info`. Python's SDK sends POST.

use super::shared::{external_info, id_type};
use crate::command::user::mapping::SetMappingInfo;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, invalid_field};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn set(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let id = UserId::new(body.trimmed_string("userId")?);
    let id_type = id_type(body.nullable_string("userIdType")?.as_deref())?;
    if !body.has("externalUserIdInfo") {
        return Err(invalid_field("externalUserIdInfo"));
    }
    let info = external_info(&body)?;
    let known = SetMappingInfo { scope: call.scope()?, id, id_type, info }.run(context).await?;
    Ok(Reply::status(if known { "OK" } else { "UNKNOWN_MAPPING_ERROR" }))
}
