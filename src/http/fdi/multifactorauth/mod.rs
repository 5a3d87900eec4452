//! The multifactorauth recipe (protocol: 21, 7).

mod claim;
mod info;

pub use claim::{check_set_up, claim_of_new_session, claim_of_replacement, complete, refresh, unmet};

use super::route::FrontRoute;
use crate::config::front::FrontRecipe;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[front_route!(PUT "/mfa/info" => info::update).of(FrontRecipe::MultiFactorAuth)];
