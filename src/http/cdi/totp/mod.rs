//! The TOTP recipe: devices belong to the app, attempts to a tenant.

pub mod check;
pub mod device;
pub mod read;

use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::route;
use std::borrow::Cow;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/totp/device", AppStrict403 => device::create),
    route!(PUT "/recipe/totp/device", AppStrict403 => device::rename),
    route!(POST "/recipe/totp/device/import", AppStrict403 => device::import),
    route!(POST "/recipe/totp/device/remove", AppStrict403 => device::remove),
    route!(GET "/recipe/totp/device/list", AppStrict403 => read::list),
    route!(POST "/recipe/totp/device/status/bulk", AppStrict403 => read::statuses),
    route!(POST "/recipe/totp/device/verify", Tenant => check::device),
    route!(POST "/recipe/totp/verify", Tenant => check::verify),
];

/// A text that is not empty; refused in this recipe's own words. Every field is read before any is looked at so.
fn filled(text: Cow<'_, str>, name: &str) -> Result<String, ApiError> {
    if text.is_empty() {
        return Err(ApiError::bad_request(format!("{name} cannot be empty")));
    }
    Ok(text.into_owned())
}
