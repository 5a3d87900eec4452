"""What else the application has, apart from sessions, when PEOPLE=true: accounts with an e-mail and a password,
required verification of the address, roles, metadata, lists of users, linked accounts. tests/sdk/driver/app.py names
the routes.
"""

from typing import Any

from fastapi import APIRouter, Body, Depends
from supertokens_python import asyncio as users
from supertokens_python.ingredients.emaildelivery.types import EmailDeliveryConfig
from supertokens_python.recipe import emailpassword, emailverification, usermetadata, userroles
from supertokens_python.recipe.accountlinking import asyncio as linking
from supertokens_python.recipe.emailpassword import asyncio as passwords
from supertokens_python.recipe.emailpassword.interfaces import (
    EmailAlreadyExistsError,
    PasswordPolicyViolationError,
    SignInOkResult,
    UnknownUserIdError,
    UpdateEmailOrPasswordOkResult,
)
from supertokens_python.recipe.session import SessionContainer
from supertokens_python.recipe.session import asyncio as sessions
from supertokens_python.recipe.session.framework.fastapi import verify_session
from supertokens_python.recipe.usermetadata import asyncio as metadata
from supertokens_python.recipe.userroles import UserRoleClaim
from supertokens_python.recipe.userroles import asyncio as roles
from supertokens_python.recipe.userroles.interfaces import AddRoleToUserOkResult
from supertokens_python.types import RecipeUserId, User
from supertokens_python.types.base import AccountInfoInput

Fields = dict[str, Any]

mails: list[Fields] = []


def kept(kind: str, link: str) -> EmailDeliveryConfig[Any]:
    """No mail is sent: mails that would be sent are kept and can be requested."""

    def override(original: Any) -> Any:
        async def send_email(template_vars: Any, user_context: Fields) -> None:
            found = {"type": kind, "email": template_vars.user.email, "link": getattr(template_vars, link)}
            mails.append(found)

        original.send_email = send_email
        return original

    return EmailDeliveryConfig(override=override)


def recipes() -> list[Any]:
    return [
        emailpassword.init(email_delivery=kept("PASSWORD_RESET", "password_reset_link")),
        emailverification.init("REQUIRED", email_delivery=kept("EMAIL_VERIFICATION", "email_verify_link")),
        userroles.init(),
        usermetadata.init(),
    ]


def describe(user: User) -> Fields:
    return {
        "found": True,
        "id": user.id,
        "emails": user.emails,
        "phoneNumbers": user.phone_numbers,
        "tenantIds": user.tenant_ids,
        "isPrimary": user.is_primary_user,
        "timeJoined": user.time_joined,
        "methods": [
            {
                "recipeId": method.recipe_id,
                "recipeUserId": method.recipe_user_id.get_as_string(),
                "email": method.email,
                "verified": method.verified,
            }
            for method in user.login_methods
        ],
    }


routes = APIRouter()

# --- what a user does


async def with_admin_role(validators: list[Any], _session: Any, _context: Any) -> list[Any]:
    return [*validators, UserRoleClaim.validators.includes("admin")]


@routes.get("/admin-only")
async def admin_only(
    found: SessionContainer = Depends(verify_session(override_global_claim_validators=with_admin_role)),
):
    return {"userId": found.get_user_id()}


@routes.get("/metadata")
async def read_metadata(found: SessionContainer = Depends(verify_session())):
    return {"metadata": (await metadata.get_user_metadata(found.get_user_id())).metadata}


@routes.post("/metadata")
async def write_metadata(fields: Fields = Body(), found: SessionContainer = Depends(verify_session())):
    done = await metadata.update_user_metadata(found.get_user_id(), fields["update"])
    return {"metadata": done.metadata}


@routes.post("/change-password")
async def change_password(fields: Fields = Body(), found: SessionContainer = Depends(verify_session())):
    user_id, tenant, own_id = found.get_user_id(), found.get_tenant_id(), found.get_recipe_user_id()
    user = await users.get_user(user_id)
    assert user is not None
    email = next(method.email for method in user.login_methods if method.recipe_user_id == own_id)
    known = await passwords.verify_credentials(tenant, email or "", fields["oldPassword"])
    if not isinstance(known, SignInOkResult):
        return {"status": known.status}
    answer = await passwords.update_email_or_password(
        own_id, password=fields["newPassword"], tenant_id_for_password_policy=tenant
    )
    if isinstance(answer, PasswordPolicyViolationError):
        return {"status": "PASSWORD_POLICY_VIOLATED_ERROR"}
    if isinstance(answer, (EmailAlreadyExistsError, UnknownUserIdError)):
        return {"status": answer.status}
    assert isinstance(answer, UpdateEmailOrPasswordOkResult)
    handles = await sessions.get_all_session_handles_for_user(user_id)
    await sessions.revoke_multiple_sessions([handle for handle in handles if handle != found.get_handle()])
    return {"status": "OK"}


# --- what the application's own code does, without a session


@routes.post("/admin/mails")
async def list_mails(fields: Fields = Body()):
    return {"mails": [mail for mail in mails if mail["email"] == fields["email"]]}


@routes.post("/admin/role")
async def put_role(fields: Fields = Body()):
    done = await roles.create_new_role_or_add_permissions(fields["role"], fields["permissions"])
    return {"createdNew": done.created_new_role}


@routes.post("/admin/role/give")
async def give_role(fields: Fields = Body()):
    done = await roles.add_role_to_user(fields.get("tenantId", "public"), fields["userId"], fields["role"])
    if isinstance(done, AddRoleToUserOkResult):
        return {"status": "OK", "hadIt": done.did_user_already_have_role}
    return {"status": "UNKNOWN_ROLE_ERROR"}


@routes.post("/admin/role/list")
async def list_roles(fields: Fields = Body()):
    return {"roles": (await roles.get_roles_for_user(fields.get("tenantId", "public"), fields["userId"])).roles}


@routes.post("/admin/metadata")
async def show_metadata(fields: Fields = Body()):
    return {"metadata": (await metadata.get_user_metadata(fields["userId"])).metadata}


@routes.post("/admin/users")
async def list_users(fields: Fields = Body()):
    page = users.get_users_newest_first if fields.get("newestFirst") else users.get_users_oldest_first
    found = await page(
        fields.get("tenantId", "public"),
        fields.get("limit"),
        fields.get("paginationToken"),
        query=fields.get("query"),
    )
    return {
        "users": [{"id": user.id, "emails": user.emails} for user in found.users],
        "next": found.next_pagination_token,
    }


@routes.post("/admin/users/count")
async def count_users():
    return {"count": await users.get_user_count()}


@routes.post("/admin/users/by-info")
async def find_users(fields: Fields = Body()):
    info = AccountInfoInput(email=fields["accountInfo"].get("email"))
    found = await users.list_users_by_account_info("public", info, fields.get("union", False))
    return {"users": [{"id": user.id, "emails": user.emails} for user in found]}


@routes.post("/admin/user")
async def show_user(fields: Fields = Body()):
    user = await users.get_user(fields["userId"])
    return {"found": False} if user is None else describe(user)


@routes.post("/admin/user/remove")
async def remove_user(fields: Fields = Body()):
    await users.delete_user(fields["userId"], fields.get("allLinked", True))
    return {"status": "OK"}


@routes.post("/admin/link/primary")
async def make_primary(fields: Fields = Body()):
    done = await linking.create_primary_user(RecipeUserId(fields["recipeUserId"]))
    return {"status": done.status, "wasPrimary": getattr(done, "was_already_a_primary_user", None)}


@routes.post("/admin/link")
async def link(fields: Fields = Body()):
    done = await linking.link_accounts(RecipeUserId(fields["recipeUserId"]), fields["primaryUserId"])
    user = getattr(done, "user", None)
    return {
        "status": done.status,
        "wereLinked": getattr(done, "accounts_already_linked", None),
        "user": user and describe(user),
    }


@routes.post("/admin/unlink")
async def unlink(fields: Fields = Body()):
    done = await linking.unlink_account(RecipeUserId(fields["recipeUserId"]))
    return {"wasLinked": done.was_linked, "wasDeleted": done.was_recipe_user_deleted}


# The SDK's result has no status other than its class.
MAPPING_STATUS = {
    "UnknownSupertokensUserIDError": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR",
    "UserIdMappingAlreadyExistsError": "USER_ID_MAPPING_ALREADY_EXISTS_ERROR",
    "UnknownMappingError": "UNKNOWN_MAPPING_ERROR",
}


def mapping_status(answer):
    return MAPPING_STATUS.get(type(answer).__name__, "OK")


@routes.post("/admin/id/map")
async def map_id(fields: Fields = Body()):
    done = await users.create_user_id_mapping(fields["userId"], fields["externalUserId"], force=fields.get("force"))
    return {"status": mapping_status(done)}


@routes.post("/admin/id/find")
async def find_id(fields: Fields = Body()):
    found = await users.get_user_id_mapping(fields["userId"], fields.get("kind"))
    return {
        "status": mapping_status(found),
        "internal": getattr(found, "supertokens_user_id", None),
        "external": getattr(found, "external_user_id", None),
        "note": getattr(found, "external_user_info", None),
    }


@routes.post("/admin/id/note")
async def note_id(fields: Fields = Body()):
    done = await users.update_or_delete_user_id_mapping_info(fields["userId"], None, fields.get("note"))
    return {"status": mapping_status(done)}


@routes.post("/admin/id/unmap")
async def unmap_id(fields: Fields = Body()):
    done = await users.delete_user_id_mapping(fields["userId"], force=fields.get("force"))
    return {"existed": done.did_mapping_exist}
