//! The session of somebody whose address turns out to be verified.

use crate::command::claims::{ClaimsOwner, EMAIL_VERIFIED, boolean_claim, is_email_verified};
use crate::command::session::list::{FindSession, Liveness};
use crate::command::session::revoke::{RevokeSessions, Which};
use crate::command::user::FindUser;
use crate::context::Context;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::multifactorauth::claim_of_replacement;
use crate::http::fdi::session::{LoadedSession, start};

/// Fetches the claim of a session anew.
///
/// # Errors
/// 401 for a user who is gone.
pub(super) async fn refetch(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
) -> Result<(), FrontError> {
    let id = session.view.recipe_user_id.clone();
    let verified = is_email_verified(context, &call.scope(), &id).await?.ok_or(FrontError::UNAUTHORISED)?;
    session.set_claim(context, call, EMAIL_VERIFIED, boolean_claim(verified, context.now())).await
}

/// Brings a session up to date whose address is verified. If the login method belongs to another primary user since,
/// its sessions end and this browser gets a new one (protocol: 21, 5).
///
/// # Errors
/// 401 for a user who is gone, and for a session that ended otherwise than by linking.
pub(super) async fn follow(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
) -> Result<(), FrontError> {
    let id = session.view.recipe_user_id.clone();
    let found = FindUser { scope: call.scope(), id: id.clone() }.run(context).await?;
    let user_id = found.ok_or(FrontError::UNAUTHORISED)?.user.shown_id().clone();
    if user_id == session.view.user_id {
        return refetch(context, call, session).await;
    }
    let handle = session.view.handle.to_string();
    if matches!(FindSession { scope: call.scope(), handle: &handle }.liveness(context).await?, Liveness::Over) {
        return Err(FrontError::UNAUTHORISED);
    }
    let which = Which::User { user_id: id.clone(), linked: false, tenant: None };
    RevokeSessions { scope: call.scope(), which }.run(context).await?;
    let owner = ClaimsOwner { tenant: session.view.handle.tenant.clone(), user_id, recipe_user_id: id };
    let factors = claim_of_replacement(context, call, &owner, session).await?;
    start(context, call, &owner, factors.as_ref()).await
}
