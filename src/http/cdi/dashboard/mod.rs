//! The dashboard recipe: its users, who are operators of the app, and their sessions.

mod core_config;
mod session;
mod user;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/dashboard/signin", AppStrict403 => session::sign_in),
    route!(POST "/recipe/dashboard/session/verify", AppStrict403 => session::verify),
    route!(DELETE "/recipe/dashboard/session", AppStrict403 => session::end),
    route!(GET "/recipe/dashboard/user/sessions", AppStrict403 => session::list),
    route!(POST "/recipe/dashboard/user", AppStrict403 => user::create),
    route!(PUT "/recipe/dashboard/user", AppStrict403 => user::update),
    route!(DELETE "/recipe/dashboard/user", AppStrict403 => user::delete),
    route!(GET "/recipe/dashboard/users", AppStrict403 => user::list),
    route!(GET "/recipe/dashboard/tenant/core-config", Tenant => core_config::list),
];
