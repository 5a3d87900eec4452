//! The callers' own ids for users (CDI: user id mapping).

mod info;
mod map;
mod remove;
mod shared;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/userid/map", AppStrict403 => map::create),
    route!(GET "/recipe/userid/map", AppStrict403 => map::show),
    route!(POST "/recipe/userid/map/remove", AppStrict403 => remove::remove),
    route!(PUT "/recipe/userid/external-user-id-info", AppStrict403 => info::set),
    route!(POST "/recipe/userid/external-user-id-info", AppStrict403 => info::set),
];
