//! The gate: a proxy in front of an application asks about each request whether it may pass, and who sends it
//! (protocol: 22, 5). Applications in any language are protected so.
//!
//! [`check`] decides and writes nothing; [`bounce`] refreshes the session of a page load.

pub mod bounce;
pub mod check;
pub mod forwarded;
pub mod identity;
pub mod places;
pub mod refusal;

use crate::front_route;
use crate::http::fdi::route::FrontRoute;

/// The path of the gate, below the front door's prefix.
pub const PATH: &str = "/gate";

/// Routes of the gate.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(GET "/gate" => check::check).about_another(),
    // It looks at the page that leads to it by itself.
    front_route!(GET "/session/refresh" => bounce::bounce),
    front_route!(HEAD "/session/refresh" => bounce::bounce).cross_site(),
];
