//! The TOTP recipe: devices belong to the app, attempts to a tenant.

pub mod check;
pub mod device;
pub mod read;
mod shared;

use crate::http::cdi::route::Route;
use crate::route;

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
