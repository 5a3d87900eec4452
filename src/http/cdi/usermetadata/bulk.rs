//! `POST /recipe/user/metadata/bulk`: what dashboards ask for a page of users.

use crate::app::App;
use crate::command::usermetadata::ReadMetadata;
use crate::domain::ids::UserId;
use crate::domain::json::JsonObject;
use crate::http::cdi::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;
use serde_json::Value;

/// Most users in one request.
const USERS_MAX: usize = 500;

#[derive(Serialize)]
struct BulkBody {
    status: &'static str,
    users: Vec<UserMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserMetadata {
    user_id: UserId,
    /// `null` where nothing ever was noted.
    metadata: Option<JsonObject>,
}

pub(super) async fn show(app: &App, call: &Call) -> Result<Reply, ApiError> {
    let ids = Body::of(&call.request)?.array("userIds")?;
    if ids.len() > USERS_MAX {
        return Err(ApiError::bad_request(format!("You can only query up to {USERS_MAX} users at a time.")));
    }
    let texts = ids.into_iter().map(|id| match id {
        Value::String(id) => Ok(UserId::new(id)),
        _ => Err(ApiError::bad_request("userIds array must contain only strings")),
    });
    let ids: Vec<UserId> = texts.collect::<Result<_, _>>()?;
    let found = ReadMetadata { scope: call.scope()? }.of_all(app, &ids).await?;
    let users = ids.into_iter().zip(found).map(|(user_id, metadata)| UserMetadata { user_id, metadata }).collect();
    Ok(Reply::json(&BulkBody { status: "OK", users }))
}
