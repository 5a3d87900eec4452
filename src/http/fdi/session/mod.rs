//! Sessions of browsers: verified, created, refreshed, ended (protocol: 20, 3 to 6).

mod access;
mod load;
mod refresh;
mod shape;
mod shared;
mod sign_out;
mod start;

pub use load::{Inspected, LoadedSession, inspect, optional, optional_presented, presented, required};
pub use shared::{SharedRefresh, refresh_shared};
pub use start::{hand_out_new, start, start_with};

use super::route::FrontRoute;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] =
    &[front_route!(POST "/session/refresh" => refresh::refresh), front_route!(POST "/signout" => sign_out::sign_out)];
