//! Assigns roles to users and removes them.

use super::{UnknownRole, reading, writing};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::userroles::RoleName;
use crate::fault::{Fault, Gone};
use crate::store::userroles::assignment::Assignment;
use crate::store::{Tx, tenant, userroles};

/// Gives a user a role in a tenant.
pub struct AssignRole {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant in which the role is assigned.
    pub tenant: TenantId,
    /// The user to assign it to; need not exist.
    pub user_id: UserId,
    /// Name of the role.
    pub role: RoleName,
}

impl AssignRole {
    /// Assigns the role; `true` if the user already had it.
    ///
    /// The commit checks that the role exists: a role that is removed meanwhile is not assigned.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Result<bool, UnknownRole>, Fault> {
        let about = (&self.scope.app.id, &self.role);
        transact(context, &about, "committing a role's assignment", |tx| self.attempt(context, tx)).await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<Result<bool, UnknownRole>>, Fault> {
        let id = &self.scope.app.id;
        let assignment = Assignment { app: id, tenant: &self.tenant, user: &self.user_id, role: &self.role };
        let found = userroles::incarnation(tx.as_mut(), id, &self.role).await.map_err(reading)?;
        let Some(incarnation) = found else { return Ok(Step::Done(Err(UnknownRole))) };
        if assignment.exists(tx.as_mut(), incarnation).await.map_err(reading)? {
            return Ok(Step::Commit(tx, Ok(true)));
        }
        if !tenant::exists(tx.as_mut(), id, &self.tenant).await.map_err(reading)? {
            let gone = Gone { app: id.clone(), tenant: self.tenant.clone() };
            return Err(Fault::new("assigning a role", gone));
        }
        assignment.put(tx.as_mut(), incarnation).map_err(writing)?;
        let event = event(AuditKind::RoleAssigned, &self.user_id, &self.tenant, &self.role);
        audit::note(tx.as_mut(), context, &self.scope, event).await?;
        Ok(Step::Commit(tx, Ok(false)))
    }
}

/// Removes a role from a user in a tenant.
pub struct UnassignRole {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant in which the role is assigned.
    pub tenant: TenantId,
    /// The user to remove it from.
    pub user_id: UserId,
    /// Name of the role.
    pub role: RoleName,
}

impl UnassignRole {
    /// Removes the role; `true` if the user had it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Result<bool, UnknownRole>, Fault> {
        let about = (&self.scope.app.id, &self.role);
        transact(context, &about, "committing the end of a role's assignment", |tx| self.attempt(context, tx)).await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<Result<bool, UnknownRole>>, Fault> {
        let id = &self.scope.app.id;
        let assignment = Assignment { app: id, tenant: &self.tenant, user: &self.user_id, role: &self.role };
        let found = userroles::incarnation(tx.as_mut(), id, &self.role).await.map_err(reading)?;
        let Some(incarnation) = found else { return Ok(Step::Done(Err(UnknownRole))) };
        if !assignment.exists(tx.as_mut(), incarnation).await.map_err(reading)? {
            return Ok(Step::Commit(tx, Ok(false)));
        }
        assignment.delete(tx.as_mut());
        let event = event(AuditKind::RoleUnassigned, &self.user_id, &self.tenant, &self.role);
        audit::note(tx.as_mut(), context, &self.scope, event).await?;
        Ok(Step::Commit(tx, Ok(true)))
    }
}

/// An audit event about a role and the user who gets or loses it.
pub(in crate::command) fn event(kind: AuditKind, user: &UserId, tenant: &TenantId, role: &RoleName) -> AuditEvent {
    AuditEvent::of(kind).user(user).tenant(tenant).detail(role.as_str())
}
