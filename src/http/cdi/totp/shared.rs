//! What the endpoints of this recipe share.

use crate::http::error::ApiError;
use std::borrow::Cow;

/// A text that is not empty; refused in this recipe's own words. Every field is read before any is looked at so.
pub(super) fn filled(text: Cow<'_, str>, name: &str) -> Result<String, ApiError> {
    if text.is_empty() {
        return Err(ApiError::bad_request(format!("{name} cannot be empty")));
    }
    Ok(text.into_owned())
}
