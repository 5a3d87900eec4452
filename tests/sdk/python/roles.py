"""What else the application has, apart from sessions, when ROLES=true: roles and permissions, which sessions carry, and
metadata.

The routes: tests/sdk/driver/app.py.
"""

import re
from typing import Any

from fastapi import APIRouter, Body, Depends
from supertokens_python.recipe import usermetadata, userroles
from supertokens_python.recipe.session import SessionContainer
from supertokens_python.recipe.session.framework.fastapi import verify_session
from supertokens_python.recipe.usermetadata import asyncio as metadata
from supertokens_python.recipe.userroles import PermissionClaim, UserRoleClaim
from supertokens_python.recipe.userroles import asyncio as roles
from supertokens_python.recipe.userroles.interfaces import UnknownRoleError

Fields = dict[str, Any]

routes = APIRouter()


def recipes():
    return [userroles.init(), usermetadata.init()]


def requiring(validator: Any):
    return verify_session(override_global_claim_validators=lambda others, _session, _context: [*others, validator])


def told(answer: Any) -> Fields:
    """The SDK's result, with the names that the core uses."""
    if isinstance(answer, UnknownRoleError):
        return {"status": "UNKNOWN_ROLE_ERROR"}
    names = {name: re.sub("_(.)", lambda found: found[1].upper(), name) for name in vars(answer)}
    return {"status": "OK", **{names[name]: value for name, value in vars(answer).items()}}


# --- what a user does


@routes.get("/admins")
async def admins(found: SessionContainer = Depends(requiring(UserRoleClaim.validators.includes("admin")))):
    return {"userId": found.get_user_id()}


@routes.get("/writers")
async def writers(found: SessionContainer = Depends(requiring(PermissionClaim.validators.includes("write")))):
    return {"userId": found.get_user_id()}


@routes.post("/roles")
async def fetch(found: SessionContainer = Depends(verify_session())):
    await found.fetch_and_set_claim(UserRoleClaim)
    await found.fetch_and_set_claim(PermissionClaim)
    return {"roles": await found.get_claim_value(UserRoleClaim)}


# --- what the application's own code does, without a session


@routes.post("/admin/role")
async def put_role(fields: Fields = Body()):
    return told(await roles.create_new_role_or_add_permissions(fields["role"], fields["permissions"]))


@routes.post("/admin/role/remove")
async def remove_role(fields: Fields = Body()):
    return told(await roles.delete_role(fields["role"]))


@routes.post("/admin/role/list")
async def list_roles():
    return told(await roles.get_all_roles())


@routes.post("/admin/role/users")
async def users_of_role(fields: Fields = Body()):
    return told(await roles.get_users_that_have_role(fields.get("tenantId", "public"), fields["role"]))


@routes.post("/admin/role/permissions")
async def permissions_of_role(fields: Fields = Body()):
    return told(await roles.get_permissions_for_role(fields["role"]))


@routes.post("/admin/role/permissions/remove")
async def remove_permissions(fields: Fields = Body()):
    return told(await roles.remove_permissions_from_role(fields["role"], fields["permissions"]))


@routes.post("/admin/permission/roles")
async def roles_with_permission(fields: Fields = Body()):
    return told(await roles.get_roles_that_have_permission(fields["permission"]))


@routes.post("/admin/user/role")
async def add_role(fields: Fields = Body()):
    tenant = fields.get("tenantId", "public")
    return told(await roles.add_role_to_user(tenant, fields["userId"], fields["role"]))


@routes.post("/admin/user/role/remove")
async def take_role(fields: Fields = Body()):
    tenant = fields.get("tenantId", "public")
    return told(await roles.remove_user_role(tenant, fields["userId"], fields["role"]))


@routes.post("/admin/user/roles")
async def roles_of_user(fields: Fields = Body()):
    return told(await roles.get_roles_for_user(fields.get("tenantId", "public"), fields["userId"]))


@routes.post("/admin/metadata")
async def read_metadata(fields: Fields = Body()):
    return told(await metadata.get_user_metadata(fields["userId"]))


@routes.post("/admin/metadata/update")
async def update_metadata(fields: Fields = Body()):
    return told(await metadata.update_user_metadata(fields["userId"], fields["update"]))


@routes.post("/admin/metadata/clear")
async def clear_metadata(fields: Fields = Body()):
    return told(await metadata.clear_user_metadata(fields["userId"]))
