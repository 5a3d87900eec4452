//! The claim of a session, brought up to date.

use crate::command::claims::{EMAIL_VERIFIED, boolean_claim, is_email_verified};
use crate::context::Context;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::session::LoadedSession;

/// Fetches the claim of a session anew. Returns whether the address is verified.
///
/// # Errors
/// 401 for a user who is gone.
pub(super) async fn refetch(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
) -> Result<bool, FrontError> {
    let id = session.view.recipe_user_id.clone();
    let verified = is_email_verified(context, &call.scope(), &id).await?.ok_or(FrontError::UNAUTHORISED)?;
    session.set_claim(context, call, EMAIL_VERIFIED, boolean_claim(verified, context.now())).await?;
    Ok(verified)
}
