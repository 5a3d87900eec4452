//! Who gets a link for a new password (protocol: 21, 4).

use super::linking::Linker;
use super::users::{known, sharing};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::{FindUser, UserInfo};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::front_linking::{Candidate, LinkingRule, may_become_primary};
use crate::domain::user::{AccountInfo, RecipeId};
use crate::fault::Fault;

/// Who gets the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetTarget {
    /// The owner of this id, as callers see it: of a login method with a password; or of a person who has none yet, and
    /// gets one by using the link.
    Person(UserId),
    /// Nobody signs in with this address and a password, or could.
    Nobody,
    /// Whoever reads mail at this address could take over the account of somebody else: it belongs to a person who has
    /// never shown that the address is theirs, and has other addresses.
    NotAllowed,
}

/// Finds who gets a link that is asked for with this address, normalised, in the linker's tenant.
///
/// # Errors
/// When the store fails.
pub async fn find_reset_target(context: &Context, linker: &Linker, email: &str) -> Result<ResetTarget, Fault> {
    let infos = [AccountInfo::Email(email.to_owned())];
    let users = sharing(context, &linker.scope, &linker.tenant, infos.iter().cloned()).await?;
    let login = users.iter().find_map(|info| {
        let method = info.user.methods.iter().find(|method| {
            let is_here = method.login.recipe() == RecipeId::EmailPassword && method.tenants.contains(&linker.tenant);
            is_here && method.login.email() == Some(email)
        })?;
        Some((info, method.shown_id().clone()))
    });
    let of_login = || login.as_ref().map_or(ResetTarget::Nobody, |(_, id)| ResetTarget::Person(id.clone()));
    let Some(person) = candidate(linker.rule, &users, login.as_ref().map(|(info, _)| *info)) else {
        return Ok(of_login());
    };
    if known(person).may_be_taken_over(email) {
        return Ok(ResetTarget::NotAllowed);
    }
    if login.is_some() || linker.rule == LinkingRule::Off {
        return Ok(of_login());
    }
    let candidate = Candidate { infos: &infos, user: None, is_verified: true, session_user: None };
    match linker.allows(context, &candidate).await? {
        true => Ok(ResetTarget::Person(person.user.shown_id().clone())),
        false => Ok(ResetTarget::Nobody),
    }
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
        audit::note(tx.as_mut(), context, scope, event).await?;
        Ok(Step::Commit(tx, ()))
    })
    .await
}

/// The person to whom a login with the address belongs or would be linked.
fn candidate<'a>(rule: LinkingRule, users: &'a [UserInfo], login: Option<&UserInfo>) -> Option<&'a UserInfo> {
    if let Some(primary) = users.iter().find(|info| info.user.is_primary) {
        return Some(primary);
    }
    let oldest = users.iter().min_by_key(|info| info.user.position())?;
    let is_alone = users.len() == 1 && login.is_some();
    (!is_alone && may_become_primary(rule, known(oldest))).then_some(oldest)
}

/// What a link for a new password that was sent to an address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetUse {
    /// The password of the login method for which it was made.
    SetPassword,
    /// A login method with a password for the person for whom it was made.
    AddPassword,
    /// Nothing: the person is gone, or the owner of the address could take over somebody else's account.
    Nothing,
}

/// Decides what a link leads to that was made for this id, as callers see it, and sent to this address, normalised.
///
/// # Errors
/// When the store fails.
pub async fn use_of_reset(context: &Context, linker: &Linker, id: &UserId, email: &str) -> Result<ResetUse, Fault> {
    let found = FindUser { scope: linker.scope.clone(), id: id.clone() }.run(context).await?;
    let Some(info) = found else { return Ok(ResetUse::Nothing) };
    let has_password = info
        .user
        .methods
        .iter()
        .any(|method| method.shown_id() == id && method.login.recipe() == RecipeId::EmailPassword);
    Ok(match has_password {
        true if info.user.is_primary && known(&info).may_be_taken_over(email) => ResetUse::Nothing,
        true => ResetUse::SetPassword,
        false => ResetUse::AddPassword,
    })
}
