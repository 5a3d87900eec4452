//! The TOTP recipe (protocol: 21, 8). Unlike at sign-in, the session comes before the body.

mod check;
mod device;
mod input;

use super::route::FrontRoute;
use crate::config::front::FrontRecipe;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(POST "/totp/device" => device::create).of(FrontRecipe::Totp),
    front_route!(GET "/totp/device/list" => device::list).of(FrontRecipe::Totp),
    front_route!(POST "/totp/device/remove" => device::remove).of(FrontRecipe::Totp),
    front_route!(POST "/totp/device/verify" => check::device).of(FrontRecipe::Totp),
    front_route!(POST "/totp/verify" => check::code).of(FrontRecipe::Totp),
];
