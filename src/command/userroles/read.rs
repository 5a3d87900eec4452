//! Reads roles. Nothing here writes; lists are read in pages.

use super::{UnknownRole, reading};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::userroles::{Permission, RoleName};
use crate::fault::Fault;
use crate::store::userroles::{self, assignment};
use std::collections::BTreeSet;

/// What a role permits.
pub struct PermissionsOfRole {
    /// Where.
    pub scope: Scope,
    /// Its name.
    pub role: RoleName,
}

impl PermissionsOfRole {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Result<BTreeSet<Permission>, UnknownRole>, Fault> {
        let mut tx = app.store.begin();
        let role = userroles::get(tx.as_mut(), &self.scope.app.id, &self.role).await.map_err(reading)?;
        Ok(role.map(|role| role.permissions).ok_or(UnknownRole))
    }
}

/// The app's roles.
pub struct ListRoles {
    /// Where.
    pub scope: Scope,
    /// Only those with this permission.
    pub permission: Option<Permission>,
}

impl ListRoles {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Vec<RoleName>, Fault> {
        let id = &self.scope.app.id;
        let mut roles = Vec::new();
        let mut start = None;
        loop {
            let mut tx = app.store.begin();
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

/// A user's roles in a tenant.
pub struct RolesOfUser {
    /// Where.
    pub scope: Scope,
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose.
    pub user_id: UserId,
}

impl RolesOfUser {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Vec<RoleName>, Fault> {
        let mut tx = app.store.begin();
        assignment::roles_of(tx.as_mut(), &self.scope.app.id, &self.tenant, &self.user_id).await.map_err(reading)
    }
}

/// The users that have a role in a tenant.
pub struct UsersOfRole {
    /// Where.
    pub scope: Scope,
    /// In which tenant.
    pub tenant: TenantId,
    /// Which role.
    pub role: RoleName,
}

impl UsersOfRole {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Result<Vec<UserId>, UnknownRole>, Fault> {
        let id = &self.scope.app.id;
        let found = userroles::incarnation(app.store.begin().as_mut(), id, &self.role).await.map_err(reading)?;
        let Some(incarnation) = found else { return Ok(Err(UnknownRole)) };
        let mut users = Vec::new();
        let mut start = None;
        loop {
            let mut tx = app.store.begin();
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
