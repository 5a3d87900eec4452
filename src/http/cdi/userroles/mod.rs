//! The user roles recipe: roles belong to the app, their assignments to a tenant.

pub mod assignments;
pub mod input;
pub mod permissions;
pub mod roles;
mod shared;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(PUT "/recipe/role", AppStrict403 => roles::put),
    route!(POST "/recipe/role/remove", AppStrict403 => roles::remove),
    route!(GET "/recipe/roles", AppStrict403 => roles::list),
    route!(GET "/recipe/role/permissions", AppStrict403 => permissions::of_role),
    route!(POST "/recipe/role/permissions/remove", AppStrict403 => permissions::remove),
    route!(GET "/recipe/permission/roles", AppStrict403 => permissions::roles_with),
    route!(PUT "/recipe/user/role", Tenant => assignments::assign),
    route!(POST "/recipe/user/role/remove", Tenant => assignments::unassign),
    route!(GET "/recipe/user/roles", Tenant => assignments::of_user),
    route!(GET "/recipe/role/users", Tenant => assignments::users),
];
