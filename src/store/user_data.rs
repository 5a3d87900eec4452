//! What recipes keep under a user's id, beside the user.

use super::user::{self, find_internal};
use super::{StoreError, Tx, activity, emailverification, passwordreset, session, totp, usermetadata, userroles};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::user::User;
use crate::table::table;

/// The ids under which recipes keep data of `id`, an internal id of `user`: as callers see it, and as it is.
///
/// An external id that is somebody's internal id too (callers can force that) stands for that somebody.
///
/// # Errors
/// When the store fails.
pub async fn ids(tx: &mut dyn Tx, app: &AppId, user: &User, id: &UserId) -> Result<Vec<UserId>, StoreError> {
    let mut ids = vec![id.clone()];
    if let Some(external) = user.mapping(id)
        && find_internal(tx, app, &external.id).await?.is_none()
    {
        ids.push(external.id.clone());
    }
    Ok(ids)
}

table! {
    /// A recipe that keeps data under a user's id; in the order in which the protocol asks them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum KeptBy {
        /// Sessions, expired ones that were not removed yet among them.
        Session, "Session";
        /// User metadata.
        UserMetadata, "UserMetadata";
        /// Roles.
        UserRoles, "UserRoles";
        /// Verified addresses and tokens to verify them.
        EmailVerification, "EmailVerification";
        /// Authenticator apps.
        Totp, "TOTP";
    }
}

impl KeptBy {
    async fn has(self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<bool, StoreError> {
        match self {
            Self::Session => Ok(!session::of_user(tx, app, id, None, None, 1).await?.is_empty()),
            Self::UserMetadata => usermetadata::in_use(tx, app, id).await,
            Self::UserRoles => userroles::in_use(tx, app, id).await,
            Self::EmailVerification => emailverification::in_use(tx, app, id).await,
            Self::Totp => totp::in_use(tx, app, id).await,
        }
    }
}

/// The recipes that keep data under exactly this id, in the protocol's order.
///
/// # Errors
/// When the store fails.
pub async fn kept_by(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Vec<KeptBy>, StoreError> {
    let mut found = Vec::new();
    for recipe in KeptBy::ALL {
        if recipe.has(tx, app, id).await? {
            found.push(recipe);
        }
    }
    Ok(found)
}

/// Removes what is kept under exactly this id, in all tenants, but sessions: those end with a timeline.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
    activity::remove_user(tx, app, id);
    usermetadata::remove_user(tx, app, id);
    userroles::remove_user(tx, app, id).await?;
    user::verified::remove(tx, app, id).await?;
    totp::remove_user(tx, app, id).await
}

/// Removes what is kept by internal ids and has become wrong by a change of users: everything under ids that nobody has now,
/// and links that were sent to addresses which have left the person.
///
/// # Errors
/// When the store fails.
pub async fn remove_outdated(
    tx: &mut dyn Tx,
    app: &AppId,
    before: &[&User],
    after: &[&User],
) -> Result<(), StoreError> {
    passwordreset::end_outdated(tx, app, before, after).await
}

/// Removes what is kept under exactly this id in one tenant, but sessions: those end with a timeline.
///
/// # Errors
/// When the store fails.
pub async fn remove_in(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &UserId) -> Result<(), StoreError> {
    userroles::remove_user_in(tx, app, tenant, id).await?;
    emailverification::remove_user_in(tx, app, tenant, id).await?;
    totp::remove_user_in(tx, app, tenant, id);
    Ok(())
}
