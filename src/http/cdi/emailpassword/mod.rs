//! The emailpassword recipe.

mod find;
mod import;
mod reset;
mod shared;
mod sign_in;
mod sign_up;
mod update;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/signup", Tenant => sign_up::sign_up),
    route!(POST "/recipe/signin", Tenant => sign_in::sign_in),
    route!(POST "/recipe/user/password/reset/token", Tenant => reset::create),
    route!(POST "/recipe/user/password/reset/token/consume", Tenant => reset::consume),
    route!(POST "/recipe/user/password/reset", Tenant => reset::reset),
    // Other recipes share this path by their `rid`.
    route!(GET "/recipe/user", App => find::find),
    route!(PUT "/recipe/user", AppStrict403 => update::update),
    route!(POST "/recipe/user/passwordhash/import", Tenant => import::import),
];
