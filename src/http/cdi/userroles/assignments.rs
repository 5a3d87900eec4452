//! `PUT /recipe/user/role`, `POST /recipe/user/role/remove`, `GET /recipe/user/roles` and `GET /recipe/role/users`.

use super::input::{role_in, role_of};
use super::shared::{these_roles, unknown_role};
use crate::command::userroles::UnknownRole;
use crate::command::userroles::assign::{AssignRole, UnassignRole};
use crate::command::userroles::read::{RolesOfUser, UsersOfRole};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssignedBody {
    status: &'static str,
    did_user_already_have_role: bool,
}

pub(super) async fn assign(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = UserId::new(body.string("userId")?);
    let role = role_of(&body)?;
    let command = AssignRole { scope: call.scope()?, tenant: call.tenant.clone(), user_id, role };
    Ok(match command.run(context).await? {
        Ok(had) => Reply::json(&AssignedBody { status: "OK", did_user_already_have_role: had }),
        Err(UnknownRole) => unknown_role(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnassignedBody {
    status: &'static str,
    did_user_have_role: bool,
}

pub(super) async fn unassign(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = UserId::new(body.string("userId")?);
    let role = role_of(&body)?;
    let command = UnassignRole { scope: call.scope()?, tenant: call.tenant.clone(), user_id, role };
    Ok(match command.run(context).await? {
        Ok(had) => Reply::json(&UnassignedBody { status: "OK", did_user_have_role: had }),
        Err(UnknownRole) => unknown_role(),
    })
}

pub(super) async fn of_user(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let user_id = UserId::new(Query::of(&call.request).required("userId")?);
    let command = RolesOfUser { scope: call.scope()?, tenant: call.tenant.clone(), user_id };
    Ok(these_roles(command.run(context).await?))
}

#[derive(Serialize)]
struct UsersBody {
    status: &'static str,
    users: Vec<UserId>,
}

pub(super) async fn users(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let role = role_in(&Query::of(&call.request))?;
    let command = UsersOfRole { scope: call.scope()?, tenant: call.tenant.clone(), role };
    Ok(match command.run(context).await? {
        Ok(users) => Reply::json(&UsersBody { status: "OK", users }),
        Err(UnknownRole) => unknown_role(),
    })
}
