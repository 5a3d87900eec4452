//! Users across recipes (CDI: users, account linking).

mod active;
mod by_account_info;
mod by_id;
mod count;
mod list;
pub mod object;
mod remove;
mod shared;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this part.
pub const ROUTES: &[Route] = &[
    route!(GET "/user/id", AppStrict403 => by_id::by_id),
    route!(POST "/user/remove", AppStrict403 => remove::remove),
    route!(GET "/users", Tenant => list::list),
    route!(GET "/users/count", Tenant => count::count),
    route!(GET "/users/count/active", AppStrict403 => active::count),
    route!(GET "/users/by-accountinfo", Tenant => by_account_info::by_account_info),
    route!(GET "/user/search/tags", App => list::search_tags_known),
];
