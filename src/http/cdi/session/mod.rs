//! The session recipe: one file per endpoint (or pair of twins).

pub mod create;
pub mod data;
pub mod handshake;
pub mod jwks;
pub mod jwt;
pub mod list;
pub mod payload;
pub mod refresh;
pub mod regenerate;
pub mod remove;
pub mod reply;
mod shared;
pub mod show;
pub mod timeline;
pub mod verify;

use crate::http::cdi::route::Route;
use crate::http::cdi::version::CdiVersion;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/session", Tenant => create::create),
    route!(GET "/recipe/session", App => show::show),
    route!(POST "/recipe/session/verify", App => verify::verify).until(CdiVersion::V5_6),
    route!(POST "/recipe/session/verify", AppStrict403 => verify::verify).since(CdiVersion::V5_6),
    route!(POST "/recipe/session/refresh", Tenant => refresh::refresh),
    route!(POST "/recipe/session/regenerate", App => regenerate::regenerate),
    route!(POST "/recipe/session/remove", Tenant => remove::remove),
    route!(GET "/recipe/session/user", Tenant => list::list),
    route!(PUT "/recipe/session/data", App => data::replace),
    route!(GET "/recipe/session/data", App => data::show),
    route!(PUT "/recipe/jwt/data", App => payload::replace),
    route!(GET "/recipe/jwt/data", App => payload::show),
    route!(POST "/recipe/handshake", Tenant => handshake::handshake).until(CdiVersion::V2_21),
    route!(POST "/recipe/jwt", AppStrict403 => jwt::create),
    route!(GET "/recipe/jwt/jwks", AppStrict403 => jwks::with_status),
    route!(GET "/.well-known/jwks.json", App => jwks::well_known).public().without_version(),
    route!(GET "/recipe/session/timeline", App => timeline::show),
];
