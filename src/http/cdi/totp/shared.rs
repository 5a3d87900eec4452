//! Code shared by the endpoints of this recipe.

use crate::http::error::ApiError;
use std::borrow::Cow;

/// A text that is not empty; refused in this recipe's own wording. All fields are read before any is checked this way.
pub(super) fn filled(text: Cow<'_, str>, name: &str) -> Result<String, ApiError> {
    if text.is_empty() {
        return Err(ApiError::bad_request(format!("{name} cannot be empty")));
    }
    Ok(text.into_owned())
}
