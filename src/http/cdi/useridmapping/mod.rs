//! Ids of the callers' own for users (CDI: user id mapping).

mod info;
mod map;
mod remove;

use crate::command::user::mapping::{IdType, KeptBy};
use crate::http::cdi::input::Body;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/userid/map", AppStrict403 => map::create),
    route!(GET "/recipe/userid/map", AppStrict403 => map::show),
    route!(POST "/recipe/userid/map/remove", AppStrict403 => remove::remove),
    route!(PUT "/recipe/userid/external-user-id-info", AppStrict403 => info::set),
    route!(POST "/recipe/userid/external-user-id-info", AppStrict403 => info::set),
];

/// `userIdType`: both kinds unless it says which.
fn id_type(text: Option<&str>) -> Result<IdType, ApiError> {
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
fn external_info(body: &Body<'_>) -> Result<Option<String>, ApiError> {
    match body.nullable_string("externalUserIdInfo")? {
        None => Ok(None),
        Some(_) => body.trimmed_string("externalUserIdInfo").map(Some),
    }
}

/// 400 for an id that other recipes hold data under.
fn in_use(by: KeptBy) -> ApiError {
    ApiError::bad_request(format!("UserId is already in use in {} recipe", by.name()))
}
