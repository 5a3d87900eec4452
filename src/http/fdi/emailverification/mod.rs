//! The emailverification recipe (protocol: 21, 5).

mod follow;
mod token;
mod verify;

use super::route::FrontRoute;
use crate::config::front::FrontRecipe;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(POST "/user/email/verify" => verify::verify).of(FrontRecipe::EmailVerification),
    front_route!(GET "/user/email/verify" => verify::show).of(FrontRecipe::EmailVerification).writing(),
    front_route!(POST "/user/email/verify/token" => token::create).of(FrontRecipe::EmailVerification),
];
