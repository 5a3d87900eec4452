//! The thirdparty recipe (protocol: 21, 9).

mod apple;
mod authorisation_url;
mod refusal;
mod sign_in_up;

use super::route::FrontRoute;
use crate::config::front::FrontRecipe;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(GET "/authorisationurl" => authorisation_url::authorisation_url).of(FrontRecipe::ThirdParty),
    front_route!(POST "/signinup" => sign_in_up::sign_in_up).of(FrontRecipe::ThirdParty),
    front_route!(POST "/callback/apple" => apple::callback).of(FrontRecipe::ThirdParty).cross_site(),
];
