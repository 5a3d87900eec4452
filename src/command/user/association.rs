//! `POST /recipe/multitenancy/tenant/user` and `…/user/remove`: the tenants in which a login method may be used.

use super::change::{self, Conflict, Decide, Decision, UserUpdate};
use super::require_tenant;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::session::event::UserChange;
use crate::domain::user::{AccountInfo, User};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::{self, Found, Taken};
use async_trait::async_trait;
use std::collections::BTreeSet;

/// Lets a login method be used in a tenant. The others of its user stay where they are, but what the user reserves is
/// reserved in that tenant too.
pub struct AddToTenant {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant.
    pub tenant: TenantId,
    /// The login method: internal or mapped id.
    pub id: UserId,
}

/// The outcome of adding a login method to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddToTenantOutcome {
    /// It may be used there, durably.
    Ok {
        /// Whether it could be used there before.
        already: bool,
    },
    /// No login method has this id.
    UnknownUser,
    /// Another login method of the same recipe has this account info there.
    LoginTaken(AccountInfo),
    /// Another primary user has an account info of the user there.
    AccountInfoTaken(Conflict),
}

impl AddToTenant {
    /// Adds the login method and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<AddToTenantOutcome, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }
}

#[async_trait]
impl Decide for AddToTenant {
    type Outcome = AddToTenantOutcome;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<AddToTenantOutcome>, Fault> {
        let app = &self.scope.app.id;
        require_tenant(tx, &self.scope, &self.tenant, "adding a user to a tenant").await?;
        let Some(Found { user: before, id }) = change::find(tx, &self.scope, &self.id).await? else {
            return Ok(Decision::Done(AddToTenantOutcome::UnknownUser));
        };
        let mut after = before.clone();
        let Some(method) = after.method_mut(&id) else { return Ok(Decision::Done(AddToTenantOutcome::UnknownUser)) };
        if !method.tenants.insert(self.tenant.clone()) {
            return Ok(Decision::Done(AddToTenantOutcome::Ok { already: true }));
        }
        let taken = user::taken(tx, app, &[&before], &[&after]).await;
        match taken.map_err(|error| Fault::new("looking for conflicts", error))? {
            None => {
                let audit = vec![event(AuditKind::AddedToTenant, &after, &id, &self.tenant)];
                let change = UserUpdate { before: vec![before], after: vec![after], audit, ..UserUpdate::default() };
                Ok(Decision::Change(Box::new(change), AddToTenantOutcome::Ok { already: false }))
            }
            Some(Taken::Identity { info, .. }) => Ok(Decision::Done(AddToTenantOutcome::LoginTaken(info))),
            Some(Taken::Reservation { info, by, .. }) => {
                let conflict = change::reserved(tx, app, info, by).await?;
                Ok(Decision::Done(AddToTenantOutcome::AccountInfoTaken(conflict)))
            }
            Some(Taken::Id { .. }) => Err(Fault::invariant("adding a user to a tenant: its ids are its own")),
        }
    }
}

/// Removes a login method from a tenant, with its sessions, roles and verification tokens there.
pub struct RemoveFromTenant {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant.
    pub tenant: TenantId,
    /// The login method: internal or mapped id.
    pub id: UserId,
}

/// The outcome of removing a login method from a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveFromTenantOutcome {
    /// It can no longer be used there, durably.
    Ok {
        /// Whether it could be used there before.
        was_there: bool,
    },
    /// No login method has this id.
    UnknownUser,
}

impl RemoveFromTenant {
    /// Removes the login method and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<RemoveFromTenantOutcome, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }
}

#[async_trait]
impl Decide for RemoveFromTenant {
    type Outcome = RemoveFromTenantOutcome;

    /// Its data in the tenant is looked for whether or not it may be used there: recipes do not check that.
    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<RemoveFromTenantOutcome>, Fault> {
        let Some(Found { user: before, id }) = change::find(tx, &self.scope, &self.id).await? else {
            return Ok(Decision::Done(RemoveFromTenantOutcome::UnknownUser));
        };
        let mut after = before.clone();
        let Some(method) = after.method_mut(&id) else {
            return Ok(Decision::Done(RemoveFromTenantOutcome::UnknownUser));
        };
        let was_there = method.tenants.remove(&self.tenant);
        let audit = was_there.then(|| event(AuditKind::RemovedFromTenant, &before, &id, &self.tenant));
        let forgotten = change::data_ids(tx, &self.scope.app.id, &before, &BTreeSet::from([id])).await?;
        let change = UserUpdate {
            before: vec![before],
            after: vec![after],
            signed_out: Some((UserChange::LeavingTenant, forgotten.clone())),
            forgotten,
            audit: audit.into_iter().collect(),
            only_in: Some(self.tenant.clone()),
            ..UserUpdate::default()
        };
        Ok(Decision::Change(Box::new(change), RemoveFromTenantOutcome::Ok { was_there }))
    }
}

/// An audit event about a login method and a tenant.
fn event(kind: AuditKind, user: &User, id: &UserId, tenant: &TenantId) -> AuditEvent {
    AuditEvent::of(kind).user(user.shown_id()).recipe_user(user.shown(id)).tenant(tenant)
}
