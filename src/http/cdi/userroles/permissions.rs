//! `GET /recipe/role/permissions`, `POST /recipe/role/permissions/remove` and `GET /recipe/permission/roles`.

use super::input::{permission_in, permissions_of, role_in, role_of};
use super::shared::{these_roles, unknown_role};
use crate::command::userroles::UnknownRole;
use crate::command::userroles::read::{ListRoles, PermissionsOfRole};
use crate::command::userroles::role::WithdrawPermissions;
use crate::context::Context;
use crate::domain::userroles::Permission;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
struct PermissionsBody {
    status: &'static str,
    permissions: BTreeSet<Permission>,
}

pub(super) async fn of_role(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let role = role_in(&Query::of(&call.request))?;
    let command = PermissionsOfRole { scope: call.scope()?, role };
    Ok(match command.run(context).await? {
        Ok(permissions) => Reply::json(&PermissionsBody { status: "OK", permissions }),
        Err(UnknownRole) => unknown_role(),
    })
}

/// Without `permissions` the role loses all of them.
pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let role = role_of(&body)?;
    let permissions = permissions_of(&body)?;
    let command = WithdrawPermissions { scope: call.scope()?, role, permissions };
    Ok(match command.run(context).await? {
        Ok(()) => Reply::status("OK"),
        Err(UnknownRole) => unknown_role(),
    })
}

pub(super) async fn roles_with(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let permission = permission_in(&Query::of(&call.request))?;
    let command = ListRoles { scope: call.scope()?, permission: Some(permission) };
    Ok(these_roles(command.run(context).await?))
}
