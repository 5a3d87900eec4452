//! What recipes keep under a user's id, beside the user.

use super::user::find_internal;
use super::{StoreError, Tx};
use crate::domain::ids::{AppId, UserId};
use crate::domain::user::User;

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
