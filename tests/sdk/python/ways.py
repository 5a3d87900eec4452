"""What else the application has, apart from PEOPLE, when WAYS=true: tenants with login methods of their own, providers,
codes by mail and by text message, TOTP as second factor, the dashboard. tests/sdk/driver/app.py names the routes.
"""

import os
import re
from typing import Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import JSONResponse
from supertokens_python import asyncio as users
from supertokens_python import get_request_from_user_context
from supertokens_python.ingredients.emaildelivery.types import EmailDeliveryConfig
from supertokens_python.ingredients.smsdelivery.types import SMSDeliveryConfig
from supertokens_python.recipe import dashboard, multifactorauth, multitenancy, passwordless, thirdparty, totp
from supertokens_python.recipe.multitenancy import AllowedDomainsClaim, MultitenancyOverrideConfig
from supertokens_python.recipe.multitenancy import asyncio as tenants
from supertokens_python.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_python.recipe.session import SessionContainer
from supertokens_python.recipe.session.framework.fastapi import verify_session
from supertokens_python.recipe.thirdparty.provider import ProviderConfig
from supertokens_python.types import RecipeUserId

Fields = dict[str, Any]

SITES = os.environ.get("SITES")
SITE = re.compile(r"([a-z0-9-]+)\.shop\.example(:\d+)?")
messages: list[Fields] = []


def site_of(host: str | None) -> str | None:
    found = SITE.fullmatch(host or "")
    return found and found[1]


def tenant_of_address(original: Any) -> Any:
    """With SITES=own the host name determines the tenant, not the page."""
    of_page = original.get_tenant_id

    async def get_tenant_id(tenant_id_from_frontend: str, user_context: Fields) -> str:
        request = get_request_from_user_context(user_context)
        site = site_of(request.get_header("host")) if request and SITES == "own" else None
        return site or await of_page(tenant_id_from_frontend, user_context)

    original.get_tenant_id = get_tenant_id
    return original


async def allowed_domains(tenant_id: str, _context: Fields) -> list[str]:
    return [f"{tenant_id}.shop.example"]


async def keep(template_vars: Any, user_context: Fields) -> None:
    """Nothing is sent: messages are kept and can be requested. The SDK passes on the address as typed."""
    to = getattr(template_vars, "email", None) or template_vars.phone_number
    messages.append({"to": to.lower(), "code": template_vars.user_input_code, "link": template_vars.url_with_link_code})


def kept_mail(original: Any) -> Any:
    original.send_email = keep
    return original


def kept_sms(original: Any) -> Any:
    original.send_sms = keep
    return original


def recipes() -> list[Any]:
    return [
        multitenancy.init(allowed_domains, MultitenancyOverrideConfig(functions=tenant_of_address)),
        thirdparty.init(),
        passwordless.init(
            passwordless.ContactEmailOrPhoneConfig(),
            "USER_INPUT_CODE_AND_MAGIC_LINK",
            email_delivery=EmailDeliveryConfig(override=kept_mail),
            sms_delivery=SMSDeliveryConfig(override=kept_sms),
        ),
        multifactorauth.init(),
        totp.init(),
        dashboard.init(),
    ]


routes = APIRouter()

# --- what a user does


async def with_access(validators: list[Any], _session: Any, context: Fields) -> list[Any]:
    if SITES != "own":
        return validators
    request = get_request_from_user_context(context)
    host = (request and request.get_header("host") or "").split(":")[0]
    return [*validators, AllowedDomainsClaim.validators.includes(host)]


async def at_site(request: Request) -> SessionContainer:
    """One verifier per request: with a shared one, concurrent requests would see each other's address."""
    return await verify_session(override_global_claim_validators=with_access)(request)


@routes.get("/site")
async def show_site(request: Request, found: SessionContainer = Depends(at_site)):
    site, user_id = site_of(request.headers.get("host")), found.get_user_id()
    user = await users.get_user(user_id)
    allowed = SITES == "own" or (user is not None and site in user.tenant_ids)
    return JSONResponse({"site": site, "userId": user_id}, status_code=200 if allowed else 403)


# --- what the application's own code does, without a session


def told(answer: Any) -> Fields:
    """The SDK's result: its status, and the reason if it is not OK."""
    return {"status": answer.status, **{name: value for name, value in vars(answer).items() if name != "status"}}


@routes.post("/admin/messages")
async def list_messages(fields: Fields = Body()):
    return {"messages": [message for message in messages if message["to"] == fields["to"]]}


@routes.post("/admin/tenant/methods")
async def set_methods(fields: Fields = Body()):
    return told(await tenants.create_or_update_tenant(fields["tenantId"], TenantConfigCreateOrUpdate.from_json(fields)))


@routes.post("/admin/tenant/provider")
async def put_provider(fields: Fields = Body()):
    config = ProviderConfig.from_json(fields["config"])
    return told(await tenants.create_or_update_third_party_config(fields["tenantId"], config))


@routes.post("/admin/tenant/user")
async def add_user(fields: Fields = Body()):
    return told(await tenants.associate_user_to_tenant(fields["tenantId"], RecipeUserId(fields["userId"])))


@routes.post("/admin/tenant/user/remove")
async def take_user(fields: Fields = Body()):
    return told(await tenants.disassociate_user_from_tenant(fields["tenantId"], RecipeUserId(fields["userId"])))
