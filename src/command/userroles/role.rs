//! Creates, changes and removes roles.

use super::{UnknownRole, reading, removal, writing};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::entropy::random_bytes;
use crate::domain::ids::TenantId;
use crate::domain::userroles::{Incarnation, Permission, Role, RoleName, TooManyPermissions};
use crate::fault::{Fault, Gone};
use crate::store::userroles::removal::{RemovedRole, begin};
use crate::store::{self, Tx, userroles};

/// Creates a role, or adds permissions to one.
pub struct PutRole {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Its name.
    pub role: RoleName,
    /// The permissions to add to those it has.
    pub permissions: Vec<Permission>,
}

/// The outcome of [`PutRole`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolePut {
    /// The role is stored, durably.
    Ok {
        /// Whether it is new.
        created: bool,
    },
    /// It would have too many permissions.
    TooManyPermissions,
}

impl PutRole {
    /// Stores the role and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<RolePut, Fault> {
        let about = (&self.scope.app.id, &self.role);
        transact(context, &about, "committing a role", |tx| self.attempt(context, tx)).await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<RolePut>, Fault> {
        let id = &self.scope.app.id;
        let found = userroles::get(tx.as_mut(), id, &self.role).await.map_err(reading)?;
        let created = found.is_none();
        let mut role =
            found.unwrap_or_else(|| Role::new(Incarnation(u64::from_le_bytes(random_bytes(context.entropy.as_ref())))));
        let added = match role.permit(&self.permissions) {
            Ok(added) if added.is_empty() && !created => return Ok(Step::Done(RolePut::Ok { created })),
            Ok(added) => added,
            Err(TooManyPermissions) => return Ok(Step::Done(RolePut::TooManyPermissions)),
        };
        if !store::app::exists(tx.as_mut(), id).await.map_err(reading)? {
            return Err(Fault::new("writing a role", Gone { app: id.clone(), tenant: TenantId::public() }));
        }
        userroles::put(tx.as_mut(), id, &self.role, role, &added, &[]).map_err(writing)?;
        let event = AuditEvent::of(AuditKind::RoleChanged).detail(self.role.as_str());
        audit::note(tx.as_mut(), context, &self.scope, event).await?;
        Ok(Step::Commit(tx, RolePut::Ok { created }))
    }
}

/// Removes permissions from a role.
pub struct WithdrawPermissions {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Its name.
    pub role: RoleName,
    /// The permissions to remove; `None` for all.
    pub permissions: Option<Vec<Permission>>,
}

impl WithdrawPermissions {
    /// Removes the permissions. Permissions that the role does not have are ignored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Result<(), UnknownRole>, Fault> {
        let about = (&self.scope.app.id, &self.role);
        transact(context, &about, "committing a role", |tx| self.attempt(context, tx)).await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<Result<(), UnknownRole>>, Fault> {
        let id = &self.scope.app.id;
        let found = userroles::get(tx.as_mut(), id, &self.role).await.map_err(reading)?;
        let Some(mut role) = found else { return Ok(Step::Done(Err(UnknownRole))) };
        let withdrawn = role.withdraw(self.permissions.as_deref());
        if withdrawn.is_empty() {
            return Ok(Step::Done(Ok(())));
        }
        userroles::put(tx.as_mut(), id, &self.role, role, &[], &withdrawn).map_err(writing)?;
        let event = AuditEvent::of(AuditKind::RoleChanged).detail(self.role.as_str());
        audit::note(tx.as_mut(), context, &self.scope, event).await?;
        Ok(Step::Commit(tx, Ok(())))
    }
}

/// Removes a role and its assignments in all tenants.
pub struct RemoveRole {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Its name.
    pub role: RoleName,
}

impl RemoveRole {
    /// Removes the role; `true` if it existed.
    ///
    /// The role and its assignments are gone with the first commit. Their rows are deleted before the command
    /// returns; if that cannot be finished, [`removal::finish_pending`] does it later.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        let about = (&self.scope.app.id, &self.role);
        let removed = transact(context, &about, "committing the removal of a role", |tx| self.attempt(context, tx));
        let Some(removed) = removed.await? else { return Ok(false) };
        removal::finish_beside(context, removed).await;
        Ok(true)
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<Option<RemovedRole>>, Fault> {
        let id = &self.scope.app.id;
        let found = userroles::get(tx.as_mut(), id, &self.role).await.map_err(reading)?;
        let Some(role) = found else { return Ok(Step::Done(None)) };
        let removed = begin(tx.as_mut(), id, &self.role, &role, context.now()).map_err(writing)?;
        let event = AuditEvent::of(AuditKind::RoleRemoved).detail(self.role.as_str());
        audit::note(tx.as_mut(), context, &self.scope, event).await?;
        Ok(Step::Commit(tx, Some(removed)))
    }
}
