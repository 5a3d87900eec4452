//! The e-mail verification recipe.

mod mark;
pub(super) mod shared;
mod token;
mod verify;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/user/email/verify/token", Tenant => token::create),
    route!(POST "/recipe/user/email/verify/token/remove", Tenant => token::revoke),
    route!(POST "/recipe/user/email/verify", Tenant => verify::verify),
    route!(GET "/recipe/user/email/verify", AppStrict403 => mark::show),
    route!(POST "/recipe/user/email/verify/remove", AppStrict403 => mark::remove),
];
