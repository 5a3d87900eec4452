//! Data that recipes keep under a user's id, in addition to the user.

pub mod recipe;

use super::user::{self, find_internal};
use super::{StoreError, Tx, activity, passwordreset, session, usermetadata, userroles};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::user::User;
use recipe::UserData;

/// The ids under which recipes keep data of `id`, an internal id of `user`: the id that callers see, and the internal
/// id.
///
/// An external id that is also another user's internal id (callers can force this) refers to that other user.
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

/// Every recipe that keeps data under a user's id, with its name in protocol messages and in the order in which the
/// protocol checks them.
const RECIPES: [(&str, &dyn UserData); 5] = [
    ("Session", &session::SessionUserData),
    ("UserMetadata", &usermetadata::MetadataUserData),
    ("UserRoles", &userroles::RolesUserData),
    (EMAIL_VERIFICATION, &user::verified::VerifiedUserData),
    ("TOTP", &super::totp::TotpUserData),
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

/// Removes everything kept under exactly this id, in all tenants, except sessions, which end with a timeline.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
    activity::remove_user(tx, app, id).await?;
    for (_, recipe) in RECIPES {
        recipe.remove(tx, app, id).await?;
    }
    Ok(())
}

/// Removes data kept under internal ids that a change of users has made invalid: everything under ids that no user has
/// any more, and links sent to addresses that the user no longer has.
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

/// Removes everything kept under exactly this id in one tenant, except sessions, which end with a timeline.
///
/// # Errors
/// When the store fails.
pub async fn remove_in(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &UserId) -> Result<(), StoreError> {
    for (_, recipe) in RECIPES {
        recipe.remove_in(tx, app, tenant, id).await?;
    }
    Ok(())
}
