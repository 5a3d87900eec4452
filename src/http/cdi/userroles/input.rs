//! Names of roles and permissions in requests: trimmed, neither empty nor too long.

use crate::domain::userroles::{MAX_NAME, NameError, Permission, RoleName};
use crate::http::cdi::input::{Body, Query};
use crate::http::error::ApiError;

/// `role` of a body.
pub(super) fn role_of(body: &Body<'_>) -> Result<RoleName, ApiError> {
    RoleName::new(&body.string("role")?).map_err(|error| refused("role", error))
}

/// `role` of a query.
pub(super) fn role_in(query: &Query<'_>) -> Result<RoleName, ApiError> {
    RoleName::new(&query.required("role")?).map_err(|error| refused("role", error))
}

/// `permission` of a query.
pub(super) fn permission_in(query: &Query<'_>) -> Result<Permission, ApiError> {
    Permission::new(&query.required("permission")?).map_err(|error| refused("permission", error))
}

/// `permissions` of a body, if present.
pub(super) fn permissions_of(body: &Body<'_>) -> Result<Option<Vec<Permission>>, ApiError> {
    let Some(texts) = body.optional_strings("permissions")? else { return Ok(None) };
    let parsed: Result<Vec<_>, _> = texts.iter().map(|text| Permission::new(text)).collect();
    parsed.map(Some).map_err(|error| match error {
        NameError::Empty => ApiError::bad_request("Field name 'permissions' cannot contain an empty string"),
        NameError::TooLong => ApiError::bad_request(format!(
            "Field name 'permissions' cannot contain a string longer than {MAX_NAME} bytes"
        )),
    })
}

fn refused(field: &str, error: NameError) -> ApiError {
    ApiError::bad_request(match error {
        NameError::Empty => format!("Field name '{field}' cannot be an empty String"),
        NameError::TooLong => format!("Field name '{field}' cannot be longer than {MAX_NAME} bytes"),
    })
}
