//! Users across recipes (CDI: users, account linking).

mod by_id;
pub mod object;

use crate::http::route::Route;
use crate::route;

/// Routes of this part.
pub const ROUTES: &[Route] = &[route!(GET "/user/id", AppStrict403 => by_id::by_id)];
