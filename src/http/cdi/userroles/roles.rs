//! `PUT /recipe/role`, `POST /recipe/role/remove` and `GET /recipe/roles`.

use super::input::{permissions_of, role_of};
use super::shared::these_roles;
use crate::command::userroles::read::ListRoles;
use crate::command::userroles::role::{PutRole, RemoveRole, RolePut};
use crate::context::Context;
use crate::domain::userroles::MAX_PERMISSIONS;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PutBody {
    status: &'static str,
    created_new_role: bool,
}

pub(super) async fn put(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let role = role_of(&body)?;
    let permissions = permissions_of(&body)?.unwrap_or_default();
    let command = PutRole { scope: call.scope()?, role, permissions };
    match command.run(context).await? {
        RolePut::Ok { created } => Ok(Reply::json(&PutBody { status: "OK", created_new_role: created })),
        RolePut::TooManyPermissions => {
            Err(ApiError::bad_request(format!("A role cannot have more than {MAX_PERMISSIONS} permissions")))
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedBody {
    status: &'static str,
    did_role_exist: bool,
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let role = role_of(&Body::of(&call.request)?)?;
    let command = RemoveRole { scope: call.scope()?, role };
    Ok(Reply::json(&RemovedBody { status: "OK", did_role_exist: command.run(context).await? }))
}

pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let command = ListRoles { scope: call.scope()?, permission: None };
    Ok(these_roles(command.run(context).await?))
}
