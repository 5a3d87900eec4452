//! `POST /recipe/user/metadata/bulk`: used by dashboards for a page of users.

use crate::command::usermetadata::ReadMetadata;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::json::JsonObject;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct BulkBody {
    status: &'static str,
    users: Vec<UserMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserMetadata {
    user_id: UserId,
    /// `null` if none was ever set.
    metadata: Option<JsonObject>,
}

pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let ids = Body::of(&call.request)?.user_ids()?;
    let found = ReadMetadata { scope: call.scope()? }.of_all(context, &ids).await?;
    let users = ids.into_iter().zip(found).map(|(user_id, metadata)| UserMetadata { user_id, metadata }).collect();
    Ok(Reply::json(&BulkBody { status: "OK", users }))
}
