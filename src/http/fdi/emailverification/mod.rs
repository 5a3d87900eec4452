//! The emailverification recipe (protocol: 21, 5).

mod token;
mod verify;

use super::call::FrontCall;
use super::error::FrontError;
use super::route::FrontRoute;
use super::session::LoadedSession;
use crate::command::claims::{EMAIL_VERIFIED, boolean_claim, is_email_verified};
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::front_route;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[
    front_route!(POST "/user/email/verify" => verify::verify).of(FrontRecipe::EmailVerification),
    front_route!(GET "/user/email/verify" => verify::show).of(FrontRecipe::EmailVerification),
    front_route!(POST "/user/email/verify/token" => token::create).of(FrontRecipe::EmailVerification),
];

/// Fetches the claim of a session anew. Returns whether the address is verified.
///
/// # Errors
/// 401 for a user who is gone.
async fn refetch(context: &Context, call: &mut FrontCall, session: &mut LoadedSession) -> Result<bool, FrontError> {
    let id = session.view.recipe_user_id.clone();
    let verified = is_email_verified(context, &call.scope(), &id).await?.ok_or(FrontError::UNAUTHORISED)?;
    session.set_claim(context, call, EMAIL_VERIFIED, boolean_claim(verified, context.now())).await?;
    Ok(verified)
}
