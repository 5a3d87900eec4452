//! An address that one login method of a person has verified counts for the others, too (protocol: 21, 3.1).

use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::session::revoke::{RevokeSessions, Which};
use crate::command::transact::{Step, transact};
use crate::command::user::{Person, confirm_email};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::fault::Fault;
use crate::store::{Tx, user};

/// Marks the address of a login method that was just used as verified, if it belongs to a primary user and another of
/// that user's methods has verified the same address. Returns the person as it is then.
///
/// # Errors
/// When the store fails.
pub async fn adopt_verification(context: &Context, scope: &Scope, person: Person) -> Result<Person, Fault> {
    let Some(email) = address_to_adopt(&person) else { return Ok(person) };
    let id = &person.recipe_user_id;
    let adopted = transact(context, id, "committing an address verified by another method", |mut tx| {
        let email = &email;
        async move {
            let person = adopt(context, tx.as_mut(), scope, (id, email)).await?;
            Ok(Step::Commit(tx, person))
        }
    });
    Ok(adopted.await?.unwrap_or(person))
}

/// The same in the transaction in which the person signs up or in.
///
/// # Errors
/// When the store fails.
pub(super) async fn adopt_verification_in(
    context: &Context,
    tx: &mut dyn Tx,
    scope: &Scope,
    person: Person,
) -> Result<Person, Fault> {
    let Some(email) = address_to_adopt(&person) else { return Ok(person) };
    let adopted = adopt(context, tx, scope, (&person.recipe_user_id, &email)).await?;
    Ok(adopted.unwrap_or(person))
}

/// Marks the address of a login method as verified. Returns the person as it is then; `None` if it is gone.
async fn adopt(
    context: &Context,
    tx: &mut dyn Tx,
    scope: &Scope,
    (id, email): (&UserId, &str),
) -> Result<Option<Person>, Fault> {
    let app = &scope.app.id;
    let found = user::find_internal(tx, app, id).await.map_err(|error| Fault::new("reading a user", error))?;
    let Some(found) = found else { return Ok(None) };
    let shown = found.user.shown(id).clone();
    if confirm_email(tx, app, &shown, email, context.now()).await? {
        let event = AuditEvent::of(AuditKind::EmailVerified).user(&shown).login(email);
        audit::note(tx, context, scope, event.detail("another login method has verified it")).await?;
    }
    Person::load(tx, app, found).await.map(Some)
}

/// Marks the address of a login method as verified: a mail to it has come back. The id is the one that callers see.
/// If it was not verified before, the sessions of the login method end: whoever began them may have signed up with
/// somebody else's address and waited for its owner.
///
/// # Errors
/// When the store fails. The sessions that ended before the failure stay ended.
pub async fn confirm_address(context: &Context, scope: &Scope, shown: &UserId, email: &str) -> Result<(), Fault> {
    let why = "a link for a new password was used";
    if confirm(context, scope, (shown, email), why).await? {
        let which = Which::User { user_id: shown.clone(), linked: false, tenant: None };
        RevokeSessions { scope: scope.clone(), which }.run(context).await?;
    }
    Ok(())
}

/// The same for somebody who is signed in, and has used a code that was sent to the address.
///
/// # Errors
/// When the store fails.
pub async fn confirm_by_code(context: &Context, scope: &Scope, shown: &UserId, email: &str) -> Result<(), Fault> {
    confirm(context, scope, (shown, email), "a code that was sent there was used").await.map(drop)
}

/// Returns whether it was not verified before.
async fn confirm(
    context: &Context,
    scope: &Scope,
    (shown, email): (&UserId, &str),
    why: &'static str,
) -> Result<bool, Fault> {
    transact(context, &(shown, email), "committing a verified address", |mut tx| async move {
        let is_new = confirm_email(tx.as_mut(), &scope.app.id, shown, email, context.now()).await?;
        if is_new {
            let event = AuditEvent::of(AuditKind::EmailVerified).user(shown).login(email);
            audit::note(tx.as_mut(), context, scope, event.detail(why)).await?;
        }
        Ok(Step::Commit(tx, is_new))
    })
    .await
}

/// The address of the method that was used, if it is not verified there but elsewhere.
fn address_to_adopt(person: &Person) -> Option<String> {
    let user = &person.info.user;
    if !user.is_primary {
        return None;
    }
    let mut methods = user.methods.iter().zip(&person.info.verified);
    let (used, is_verified) = methods.clone().find(|(method, _)| method.id == person.recipe_user_id)?;
    let email = used.login.email().filter(|_| !is_verified)?;
    let is_elsewhere = methods.any(|(method, verified)| *verified && method.login.email() == Some(email));
    is_elsewhere.then(|| email.to_owned())
}
