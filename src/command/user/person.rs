//! What the recipes for signing up and in have in common.

use super::UserInfo;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::UnixMillis;
use crate::fault::{Fault, Gone};
use crate::store::user::{self, Found};
use crate::store::{Tx, emailverification, tenant};

/// A person and the login method that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub info: UserInfo,
    /// The internal id of the login method.
    pub recipe_user_id: UserId,
}

impl Person {
    /// Adds what other recipes know about the person.
    pub(in crate::command) async fn load(tx: &mut dyn Tx, app: &AppId, found: Found) -> Result<Self, Fault> {
        let info = UserInfo::load(tx, app, found.user).await.map_err(|error| Fault::new("loading a user", error))?;
        Ok(Self { info, recipe_user_id: found.id })
    }
}

/// Generates an id that no user has, internal or mapped.
pub(in crate::command) async fn new_id(context: &Context, tx: &mut dyn Tx, id: &AppId) -> Result<UserId, Fault> {
    let reading = |error| Fault::new("looking for a free user id", error);
    loop {
        let new = UserId::new(time_ordered_uuid(context.entropy.as_ref(), context.now()).to_string());
        if user::find(tx, id, &new).await.map_err(reading)?.is_none() {
            return Ok(new);
        }
    }
}

/// Marks an address as the person's own, under the id that callers use. True if it was not marked before.
pub(in crate::command) async fn confirm_email(
    tx: &mut dyn Tx,
    app: &AppId,
    shown: &UserId,
    email: &str,
    now: UnixMillis,
) -> Result<bool, Fault> {
    let failed = |error| Fault::new("marking an address as verified", error);
    if emailverification::is_verified(tx, app, shown, email).await.map_err(failed)? {
        return Ok(false);
    }
    user::verified::mark(tx, app, shown, email, now).await.map_err(failed)?;
    Ok(true)
}

/// Makes the transaction fail if the tenant is removed meanwhile, so that nothing it writes outlives the tenant.
pub(in crate::command) async fn require_tenant(
    tx: &mut dyn Tx,
    scope: &Scope,
    tenant: &TenantId,
    doing: &'static str,
) -> Result<(), Fault> {
    let app = &scope.app.id;
    if tenant::exists(tx, app, tenant).await.map_err(|error| Fault::new(doing, error))? {
        return Ok(());
    }
    Err(Fault::new(doing, Gone { app: app.clone(), tenant: tenant.clone() }))
}
