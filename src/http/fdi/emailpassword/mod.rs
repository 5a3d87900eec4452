//! The emailpassword recipe (protocol: 21, 4).

mod exists;
mod form;
mod reset;
mod sign_in;
mod sign_up;

use super::route::FrontRoute;
use crate::config::front::FrontRecipe;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(POST "/signup" => sign_up::sign_up).of(FrontRecipe::EmailPassword),
    front_route!(POST "/signin" => sign_in::sign_in).of(FrontRecipe::EmailPassword),
    front_route!(POST "/user/password/reset/token" => reset::create).of(FrontRecipe::EmailPassword),
    front_route!(POST "/user/password/reset" => reset::reset).of(FrontRecipe::EmailPassword),
    front_route!(GET "/emailpassword/email/exists" => exists::exists).of(FrontRecipe::EmailPassword),
    front_route!(GET "/signup/email/exists" => exists::exists).of(FrontRecipe::EmailPassword),
];
