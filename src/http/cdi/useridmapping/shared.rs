//! Code shared by the endpoints of this recipe.

use crate::command::user::mapping::IdType;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;

/// `userIdType`: both kinds if it is absent.
pub(super) fn id_type(text: Option<&str>) -> Result<IdType, ApiError> {
    match text.map(str::trim) {
        None | Some("ANY") => Ok(IdType::Any),
        Some("SUPERTOKENS") => Ok(IdType::Internal),
        Some("EXTERNAL") => Ok(IdType::External),
        Some(_) => {
            Err(ApiError::bad_request("Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'"))
        }
    }
}

/// `externalUserIdInfo`: `null` is none, blank text is refused.
pub(super) fn external_info(body: &Body<'_>) -> Result<Option<String>, ApiError> {
    match body.nullable_string("externalUserIdInfo")? {
        None => Ok(None),
        Some(_) => body.trimmed_string("externalUserIdInfo").map(Some),
    }
}

/// 400 for an id that other recipes hold data under.
pub(super) fn in_use(recipe: &str) -> ApiError {
    ApiError::bad_request(format!("UserId is already in use in {recipe} recipe"))
}
