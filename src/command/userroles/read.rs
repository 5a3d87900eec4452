//! Reads roles. Nothing here writes; lists are read in pages.

use super::{UnknownRole, reading};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::userroles::{Permission, RoleName};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::userroles::{self, assignment};
use std::collections::BTreeSet;

/// Reads a role's permissions.
pub struct PermissionsOfRole {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Its name.
    pub role: RoleName,
}

impl PermissionsOfRole {
    /// Returns the permissions, or that there is no such role.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Result<BTreeSet<Permission>, UnknownRole>, Fault> {
        self.read(context.store.begin().as_mut()).await
    }

    /// The same in a transaction.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn read(
        &self,
        tx: &mut dyn Tx,
    ) -> Result<Result<BTreeSet<Permission>, UnknownRole>, Fault> {
        let role = userroles::get(tx, &self.scope.app.id, &self.role).await.map_err(reading)?;
        Ok(role.map(|role| role.permissions).ok_or(UnknownRole))
    }
}

/// Lists the app's roles.
pub struct ListRoles {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Only roles with this permission; all without.
    pub permission: Option<Permission>,
}

impl ListRoles {
    /// Returns the names of the roles.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<RoleName>, Fault> {
        let id = &self.scope.app.id;
        let mut roles = Vec::new();
        let mut start = None;
        loop {
            let mut tx = context.store.begin();
            let page = match &self.permission {
                Some(permission) => userroles::page_with(tx.as_mut(), id, permission, start).await,
                None => userroles::page(tx.as_mut(), id, start).await,
            };
            let (page, next) = page.map_err(reading)?;
            roles.extend(page);
            if next.is_none() {
                return Ok(roles);
            }
            start = next;
        }
    }
}

/// Lists a user's roles in a tenant.
pub struct RolesOfUser {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant in which the roles are assigned.
    pub tenant: TenantId,
    /// Id of the user.
    pub user_id: UserId,
}

impl RolesOfUser {
    /// Returns the names of the roles.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<RoleName>, Fault> {
        self.read(context.store.begin().as_mut()).await
    }

    /// The same in a transaction.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn read(&self, tx: &mut dyn Tx) -> Result<Vec<RoleName>, Fault> {
        assignment::roles_of(tx, &self.scope.app.id, &self.tenant, &self.user_id).await.map_err(reading)
    }
}

/// Lists the users that have a role in a tenant.
pub struct UsersOfRole {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant in which the role is assigned.
    pub tenant: TenantId,
    /// Name of the role.
    pub role: RoleName,
}

impl UsersOfRole {
    /// Returns the ids of the users, or that there is no such role.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Result<Vec<UserId>, UnknownRole>, Fault> {
        let id = &self.scope.app.id;
        let found = userroles::incarnation(context.store.begin().as_mut(), id, &self.role).await.map_err(reading)?;
        let Some(incarnation) = found else { return Ok(Err(UnknownRole)) };
        let mut users = Vec::new();
        let mut start = None;
        loop {
            let mut tx = context.store.begin();
            let which = (&self.role, incarnation);
            let page = assignment::users_page(tx.as_mut(), id, &self.tenant, which, start).await;
            let (page, next) = page.map_err(reading)?;
            users.extend(page);
            if next.is_none() {
                return Ok(Ok(users));
            }
            start = next;
        }
    }
}
