//! Who gets a link for a new password (protocol: 21, 4).

use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::UserInfo;
use crate::command::user::look_up::LookUpUsers;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{AccountInfo, LookUp, RecipeId};
use crate::fault::Fault;

/// Who gets the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetTarget {
    /// The owner of this login method, by the id that callers see.
    Login(UserId),
    /// Nobody signs in with this address and a password.
    Nobody,
    /// Whoever reads mail at this address could take over the account of somebody else: it belongs to a person who has
    /// never shown that the address is theirs, and has other addresses.
    NotAllowed,
}

/// Finds who gets a link that is asked for with this address, normalised, in a tenant.
///
/// # Errors
/// When the store fails.
pub async fn find_reset_target(
    context: &Context,
    scope: &Scope,
    tenant: &TenantId,
    email: &str,
) -> Result<ResetTarget, Fault> {
    let criteria = vec![LookUp::Info(AccountInfo::Email(email.to_owned()))];
    let command = LookUpUsers { scope: scope.clone(), tenant: tenant.clone(), criteria, union: true };
    let users = command.run(context).await?;
    if users.iter().any(|info| info.user.is_primary && may_be_taken_over(info, email)) {
        return Ok(ResetTarget::NotAllowed);
    }
    let login = users.iter().flat_map(|info| &info.user.methods).find(|method| {
        let is_here = method.login.recipe() == RecipeId::EmailPassword && method.tenants.contains(tenant);
        is_here && method.login.email() == Some(email)
    });
    Ok(login.map_or(ResetTarget::Nobody, |method| ResetTarget::Login(method.shown_id().clone())))
}

/// Notes that a link was asked for with an address of nobody. Takes as long as a link does: the time of a reply must not
/// tell whether somebody has the address.
///
/// # Errors
/// When the store fails.
pub async fn note_reset_for_nobody(
    context: &Context,
    scope: &Scope,
    tenant: &TenantId,
    email: &str,
) -> Result<(), Fault> {
    transact(context, &(tenant, email), "committing a refused password reset", |mut tx| async move {
        let event = AuditEvent::of(AuditKind::PasswordResetRequested).tenant(tenant).login(email);
        let event = event.recipe(RecipeId::EmailPassword).detail("nobody signs in with this address");
        audit::note(tx.as_mut(), context, scope, event)?;
        Ok(Step::Commit(tx, ()))
    })
    .await
}

/// True if a person has not verified this address anywhere, and has another address or a phone number.
fn may_be_taken_over(info: &UserInfo, email: &str) -> bool {
    let mut methods = info.user.methods.iter().zip(&info.verified);
    let is_verified = methods.clone().any(|(method, verified)| *verified && method.login.email() == Some(email));
    let has_more = methods.any(|(method, _)| {
        method.login.phone_number().is_some() || method.login.email().is_some_and(|other| other != email)
    });
    !is_verified && has_more
}
