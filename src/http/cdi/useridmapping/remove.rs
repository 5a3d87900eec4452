//! `POST /recipe/userid/map/remove`.

use super::shared::{id_type, in_use};
use crate::command::user::mapping::{MappingRemoved, RemoveMapping};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedBody {
    status: &'static str,
    did_mapping_exist: bool,
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let id = UserId::new(body.trimmed_string("userId")?);
    let id_type = id_type(body.nullable_string("userIdType")?.as_deref())?;
    let force = body.optional_bool("force")?.unwrap_or(false);
    match (RemoveMapping { scope: call.scope()?, id, id_type, force }).run(context).await? {
        MappingRemoved::Ok { existed } => Ok(Reply::json(&RemovedBody { status: "OK", did_mapping_exist: existed })),
        MappingRemoved::InUse(by) => Err(in_use(by)),
    }
}
