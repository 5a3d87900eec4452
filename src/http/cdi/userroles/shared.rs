//! Code shared by the endpoints of this recipe.

use crate::domain::userroles::RoleName;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct RolesBody {
    pub(super) status: &'static str,
    pub(super) roles: Vec<RoleName>,
}

/// `{"status": "OK", "roles": […]}`.
pub(super) fn these_roles(roles: Vec<RoleName>) -> Reply {
    Reply::json(&RolesBody { status: "OK", roles })
}

pub(super) fn unknown_role() -> Reply {
    Reply::status("UNKNOWN_ROLE_ERROR")
}
