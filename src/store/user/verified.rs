//! Which login methods of a user are verified: marks of the e-mail verification recipe, and a copy of them in the row.
//!
//! The marks are authoritative, and they may exist under ids that belong to no user. The copy is for pages of users,
//! where looking up each mark would be a third of the leaves to read from a large index. To keep the copy correct,
//! marks are changed only by this module, and [`write`](super::write) rebuilds the copy from the marks as the
//! transaction sees them: of two transactions that change a mark and its user at once, one runs again.

use super::{Row, find_external, find_internal, put_row};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{Login, LoginMethod, User};
use crate::store::user_data::recipe::UserData;
use crate::store::{StoreError, Tx, emailverification};
use async_trait::async_trait;

/// For each login method of a user, in order: whether its e-mail address or phone number is verified. Read from the
/// marks.
///
/// # Errors
/// When the store fails.
pub async fn of_user(tx: &mut dyn Tx, app: &AppId, user: &User) -> Result<Vec<bool>, StoreError> {
    let mut verified = Vec::with_capacity(user.methods.len());
    for method in &user.methods {
        verified.push(is_verified(tx, app, method).await?);
    }
    Ok(verified)
}

/// The same for a row: from its copy, or from the marks if the row was written before there were copies.
///
/// # Errors
/// When the store fails.
pub async fn of_row(tx: &mut dyn Tx, app: &AppId, row: Row) -> Result<(User, Vec<bool>), StoreError> {
    let verified = match row.verified {
        Some(copy) => copy,
        None => of_user(tx, app, &row.user).await?,
    };
    Ok((row.user, verified))
}

/// A phone number is verified by its first use; an e-mail address has a mark of its own, under the id that callers see.
async fn is_verified(tx: &mut dyn Tx, app: &AppId, method: &LoginMethod) -> Result<bool, StoreError> {
    let email = match &method.login {
        Login::Passwordless { email: None, .. } => return Ok(true),
        Login::Passwordless { email: Some(email), .. }
        | Login::EmailPassword { email, .. }
        | Login::ThirdParty { email, .. }
        | Login::Webauthn { email, .. } => email,
    };
    emailverification::is_verified(tx, app, method.shown_id(), email).await
}

/// Marks an address as verified, under the id that callers use; does nothing if it already is.
///
/// # Errors
/// When the store fails, or the address is too long for a key.
pub async fn mark(tx: &mut dyn Tx, app: &AppId, id: &UserId, email: &str, since: UnixMillis) -> Result<(), StoreError> {
    emailverification::mark(tx, app, id, email, since)?;
    copy(tx, app, id).await
}

/// Removes a mark; tokens stay.
///
/// # Errors
/// When the store fails.
pub async fn unmark(tx: &mut dyn Tx, app: &AppId, id: &UserId, email: &str) -> Result<(), StoreError> {
    emailverification::unmark(tx, app, id, email);
    copy(tx, app, id).await
}

/// Deletes every mark and token that is stored under this id, in all tenants.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
    emailverification::remove_user(tx, app, id).await?;
    copy(tx, app, id).await
}

/// Moves every mark and token that is stored under one id to another, in all tenants.
///
/// # Errors
/// When the store fails.
pub async fn rename(tx: &mut dyn Tx, app: &AppId, from: &UserId, to: &UserId) -> Result<(), StoreError> {
    emailverification::rename_user(tx, app, from, to).await?;
    copy(tx, app, from).await?;
    copy(tx, app, to).await
}

/// Copies the marks under this id into the rows of the users that show it: one user may have it as an internal id and
/// another one as an external id.
async fn copy(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
    let found = [find_internal(tx, app, id).await?, find_external(tx, app, id).await?];
    for found in found.into_iter().flatten() {
        put_row(tx, app, &found.user).await?;
    }
    Ok(())
}

/// Verified addresses, and tokens to verify them.
pub(in crate::store) struct VerifiedUserData;

#[async_trait]
impl UserData for VerifiedUserData {
    async fn in_use(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<bool, StoreError> {
        emailverification::in_use(tx, app, id).await
    }

    async fn remove(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
        remove(tx, app, id).await
    }

    async fn remove_in(&self, tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &UserId) -> Result<(), StoreError> {
        emailverification::remove_user_in(tx, app, tenant, id).await
    }
}
