//! What a right code does for the user of a session, before it is used.

use super::answer::EarlyCheck;
use super::shared;
use crate::command::signing_in::confirm_by_code;
use crate::command::user::association::{AddToTenant, AddToTenantOutcome};
use crate::command::user::{FindUser, Person};
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::passwordless::Contact;
use crate::domain::user::RecipeId;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::sign_in::SigningIn;

/// The person who signs in with codes sent to this contact. If there is none, the session's user may use here a login
/// method that they have in another tenant.
///
/// # Errors
/// 401 for a session whose user is gone.
pub(super) async fn owner(
    context: &Context,
    call: &FrontCall,
    signing_in: &SigningIn,
    contact: &Contact,
    check: &mut EarlyCheck<'_>,
) -> Result<Option<Person>, FrontError> {
    if let Some(person) = shared::owner(context, call, contact).await? {
        return Ok(Some(person));
    }
    let found = signing_in.login_elsewhere(context, call, (RecipeId::Passwordless, &contact.info())).await?;
    let Some((method, _)) = found else { return Ok(None) };
    if !check.is_right(context, call).await? {
        return Ok(None);
    }
    let command = AddToTenant { scope: call.scope(), tenant: call.tenant.clone(), id: method.id };
    match command.run(context).await? {
        // If somebody else has just taken the contact here, theirs is the account that is found.
        AddToTenantOutcome::Ok { .. } | AddToTenantOutcome::LoginTaken(_) => {
            Ok(shared::owner(context, call, contact).await?)
        }
        AddToTenantOutcome::UnknownUser | AddToTenantOutcome::AccountInfoTaken(_) => Err(FrontError::UNAUTHORISED),
    }
}

/// Verifies the address of the session's own login method, if the code was sent there and is right: whoever reads it has
/// the mailbox.
///
/// # Errors
/// 401 for a session whose user is gone.
pub(super) async fn verify_own_address(
    context: &Context,
    call: &FrontCall,
    signing_in: &SigningIn,
    contact: &Contact,
    check: &mut EarlyCheck<'_>,
) -> Result<(), FrontError> {
    let (Some(session), Some(email)) = (signing_in.session(), contact.email()) else { return Ok(()) };
    if !call.front.has(FrontRecipe::EmailVerification) {
        return Ok(());
    }
    let (user_id, own_id) = (session.view.user_id.clone(), &session.view.recipe_user_id);
    if is_unverified(context, call, (user_id, own_id), email).await? && check.is_right(context, call).await? {
        confirm_by_code(context, &call.scope(), own_id, email).await?;
    }
    Ok(())
}

/// True if a user's login method has this address and has not verified it.
async fn is_unverified(
    context: &Context,
    call: &FrontCall,
    (user_id, own_id): (UserId, &UserId),
    email: &str,
) -> Result<bool, FrontError> {
    let found = FindUser { scope: call.scope(), id: user_id }.run(context).await?.ok_or(FrontError::UNAUTHORISED)?;
    let mut methods = found.user.methods.iter().zip(&found.verified);
    let own = methods.find(|(method, _)| method.shown_id() == own_id).ok_or(FrontError::UNAUTHORISED)?;
    let (method, is_verified) = own;
    Ok(!is_verified && method.login.email() == Some(email))
}
