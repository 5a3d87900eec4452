//! The user metadata recipe: one JSON object per user of the app.

pub mod bulk;
pub mod single;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(GET "/recipe/user/metadata", AppStrict403 => single::show),
    route!(PUT "/recipe/user/metadata", AppStrict403 => single::update),
    route!(POST "/recipe/user/metadata/remove", AppStrict403 => single::remove),
    route!(POST "/recipe/user/metadata/bulk", AppStrict403 => bulk::show),
];
