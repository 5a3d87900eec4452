//! Code shared by the endpoints of this recipe.

use crate::command::user::Conflict;
use crate::domain::ids::UserId;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

/// 400 for an id that belongs to no user.
pub(super) fn unknown_user() -> ApiError {
    ApiError::bad_request("Unknown user ID provided")
}

/// The body of a reply that names another primary user as the conflict.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConflictBody<'a> {
    pub(super) status: &'static str,
    pub(super) primary_user_id: &'a UserId,
    pub(super) description: &'static str,
}

/// The reply for an account info that belongs to another primary user.
pub(super) fn taken(conflict: &Conflict) -> Reply {
    Reply::json(&ConflictBody {
        status: "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
        primary_user_id: &conflict.primary_user_id,
        description: conflict.info.taken_sentence(),
    })
}
