//! What the endpoints of this recipe share.

use crate::command::user::Conflict;
use crate::domain::ids::UserId;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

/// 400 for an id of nobody.
pub(super) fn unknown_user() -> ApiError {
    ApiError::bad_request("Unknown user ID provided")
}

/// Another primary user is in the way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConflictBody<'a> {
    pub(super) status: &'static str,
    pub(super) primary_user_id: &'a UserId,
    pub(super) description: &'static str,
}

/// The account info is another primary user's.
pub(super) fn taken(conflict: &Conflict) -> Reply {
    Reply::json(&ConflictBody {
        status: "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
        primary_user_id: &conflict.primary_user_id,
        description: conflict.info.taken_sentence(),
    })
}
