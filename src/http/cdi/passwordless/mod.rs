//! The passwordless recipe.

mod consume;
mod create;
mod find;
mod list;
mod remove;
mod shared;
mod update;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/signinup/code", Tenant => create::create),
    route!(POST "/recipe/signinup/code/consume", Tenant => consume::consume),
    route!(POST "/recipe/signinup/code/check", Tenant => consume::check),
    route!(POST "/recipe/signinup/code/remove", Tenant => remove::one),
    route!(POST "/recipe/signinup/codes/remove", Tenant => remove::all),
    route!(GET "/recipe/signinup/codes", Tenant => list::list),
    // Other recipes share this path.
    route!(GET "/recipe/user", App => find::find).rid("passwordless"),
    route!(PUT "/recipe/user", AppStrict403 => update::update).rid("passwordless"),
];
