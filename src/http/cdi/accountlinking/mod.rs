//! Account linking: several login methods as one user (CDI: account linking).

mod link;
mod primary;
mod shared;
mod unlink;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(GET "/recipe/accountlinking/user/primary/check", AppStrict403 => primary::check),
    route!(POST "/recipe/accountlinking/user/primary", AppStrict403 => primary::make),
    route!(GET "/recipe/accountlinking/user/link/check", AppStrict403 => link::check),
    route!(POST "/recipe/accountlinking/user/link", AppStrict403 => link::link),
    route!(POST "/recipe/accountlinking/user/unlink", AppStrict403 => unlink::unlink),
];
