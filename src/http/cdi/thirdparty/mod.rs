//! The thirdparty recipe: people with accounts at providers.

mod find;
mod shared;
mod sign_in_up;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/signinup", Tenant => sign_in_up::sign_in_up),
    route!(GET "/recipe/users/by-email", Tenant => find::by_email),
    // Other recipes share this path.
    route!(GET "/recipe/user", App => find::find).rid("thirdparty"),
];
