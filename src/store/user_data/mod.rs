//! What recipes keep under a user's id, beside the user.

pub mod recipe;

use super::user::{self, find_internal};
use super::{StoreError, Tx, activity, passwordreset, session, usermetadata, userroles};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::user::User;
use recipe::UserData;

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

/// Every recipe that keeps data under a user's id, by its name in the protocol's sentences and in the order in which the
/// protocol asks them.
const RECIPES: [(&str, &dyn UserData); 5] = [
    ("Session", &session::Kept),
    ("UserMetadata", &usermetadata::Kept),
    ("UserRoles", &userroles::Kept),
    (EMAIL_VERIFICATION, &user::verified::Kept),
    ("TOTP", &super::totp::Kept),
];

/// The recipe whose data may move to another id.
pub const EMAIL_VERIFICATION: &str = "EmailVerification";

/// The names of the recipes that keep data under exactly this id, in the protocol's order.
///
/// # Errors
/// When the store fails.
pub async fn kept_by(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Vec<&'static str>, StoreError> {
    let mut found = Vec::new();
    for (name, recipe) in RECIPES {
        if recipe.in_use(tx, app, id).await? {
            found.push(name);
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
    for (_, recipe) in RECIPES {
        recipe.remove(tx, app, id).await?;
    }
    Ok(())
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
    for (_, recipe) in RECIPES {
        recipe.remove_in(tx, app, tenant, id).await?;
    }
    Ok(())
}
