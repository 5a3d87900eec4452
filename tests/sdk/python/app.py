"""A small FastAPI application that keeps its sessions in sessiond through the official Python SDK.

Settings come from the environment; tests/sdk/driver/app.py names them and the routes.
"""

import os
from typing import Any

import awaited
import jwt
import people
import roles
import uvicorn
import ways
from fastapi import Body, Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse
from supertokens_python import InputAppInfo, SupertokensConfig, init
from supertokens_python.framework.fastapi import get_middleware
from supertokens_python.recipe import multitenancy, session
from supertokens_python.recipe.jwt.interfaces import CreateJwtOkResult
from supertokens_python.recipe.multitenancy import asyncio as tenants
from supertokens_python.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_python.recipe.session import SessionContainer
from supertokens_python.recipe.session import asyncio as sessions
from supertokens_python.recipe.session.framework.fastapi import verify_session
from supertokens_python.types import RecipeUserId

PORT = int(os.environ["APP_PORT"])
CORE_URI = os.environ["CORE_URI"]
PEOPLE = os.environ.get("PEOPLE") == "true"
ROLES = os.environ.get("ROLES") == "true"
WAYS = os.environ.get("WAYS") == "true"
AWAITED = os.environ.get("AWAITED") == "true"
ORIGIN = f"http://localhost:{PORT}"

init(
    framework="fastapi",
    mode="asgi",
    telemetry=False,
    app_info=InputAppInfo(app_name="python app", api_domain=ORIGIN, website_domain=ORIGIN),
    supertokens_config=SupertokensConfig(
        connection_uri=CORE_URI, api_key=os.environ.get("CORE_API_KEY") or None
    ),
    recipe_list=[
        session.init(
            anti_csrf=os.environ.get("ANTI_CSRF", "NONE"),  # type: ignore
            use_dynamic_access_token_signing_key=os.environ.get("STATIC_KEYS") != "true",
            cookie_domain=".shop.example" if ways.SITES == "shared" else None,
        ),
        *(ways.recipes() if WAYS else [multitenancy.init()]),
        *(people.recipes() if PEOPLE else []),
        *(roles.recipes() if ROLES else []),
        *(awaited.recipes() if AWAITED else []),
    ],
)

app = FastAPI()
app.add_middleware(get_middleware())
if PEOPLE:
    app.include_router(people.routes)
if ROLES:
    app.include_router(roles.routes)
if WAYS:
    app.include_router(ways.routes)
if AWAITED:
    app.include_router(awaited.routes)

Fields = dict[str, Any]


@app.middleware("http")
async def errors_as_json(request: Request, call_next):  # type: ignore
    try:
        return await call_next(request)
    except Exception as error:  # what the SDK raises about the core
        return JSONResponse({"error": str(error)}, status_code=500)


@app.get("/health")
async def health():
    return PlainTextResponse("ok")


def describe(found: SessionContainer) -> Fields:
    return {
        "handle": found.get_handle(),
        "userId": found.get_user_id(),
        "tenantId": found.get_tenant_id(),
        "payload": found.get_access_token_payload(),
    }


# --- what a user does


@app.post("/login")
async def login(request: Request, fields: Fields = Body()):
    created = await sessions.create_new_session(
        request,
        fields.get("tenantId", "public"),
        RecipeUserId(fields["userId"]),
        fields.get("payload", {}),
        fields.get("data", {}),
    )
    return describe(created)


@app.get("/me")
@app.post("/me")
async def me(found: SessionContainer = Depends(verify_session())):
    return describe(found)


@app.get("/me-checked")
@app.post("/me-checked")
async def me_checked(found: SessionContainer = Depends(verify_session(check_database=True))):
    return describe(found)


@app.post("/payload")
async def payload(fields: Fields = Body(), found: SessionContainer = Depends(verify_session())):
    await found.merge_into_access_token_payload(fields["update"])
    return describe(found)


@app.get("/data")
async def read_data(found: SessionContainer = Depends(verify_session())):
    return {"data": await found.get_session_data_from_database()}


@app.post("/data")
async def write_data(fields: Fields = Body(), found: SessionContainer = Depends(verify_session())):
    await found.update_session_data_in_database(fields["data"])
    return {}


@app.post("/logout")
async def logout(found: SessionContainer = Depends(verify_session())):
    await found.revoke_session()
    return {}


# --- what the application's own code does, without a session


@app.post("/admin/info")
async def info(fields: Fields = Body()):
    found = await sessions.get_session_information(fields["handle"])
    if found is None:
        return {"found": False}
    return {
        "found": True,
        "userId": found.user_id,
        "tenantId": found.tenant_id,
        "expiry": found.expiry,
        "timeCreated": found.time_created,
        "data": found.session_data_in_database,
        "payload": found.custom_claims_in_access_token_payload,
    }


@app.post("/admin/payload")
async def merge_payload(fields: Fields = Body()):
    return {"done": await sessions.merge_into_access_token_payload(fields["handle"], fields["update"])}


@app.post("/admin/data")
async def replace_data(fields: Fields = Body()):
    return {"done": await sessions.update_session_data_in_database(fields["handle"], fields["data"])}


@app.post("/admin/sessions")
async def list_sessions(fields: Fields = Body()):
    found = await sessions.get_all_session_handles_for_user(
        fields["userId"], True, fields.get("tenantId")
    )
    return {"handles": found}


@app.post("/admin/revoke")
async def revoke(fields: Fields = Body()):
    if "handle" in fields:
        return {"done": await sessions.revoke_session(fields["handle"])}
    if "handles" in fields:
        return {"handles": await sessions.revoke_multiple_sessions(fields["handles"])}
    gone = await sessions.revoke_all_sessions_for_user(
        fields["userId"], True, fields.get("tenantId")
    )
    return {"handles": gone}


@app.post("/admin/tenant")
async def put_tenant(fields: Fields = Body()):
    answer = await tenants.create_or_update_tenant(fields["tenantId"], TenantConfigCreateOrUpdate())
    return {"createdNew": answer.created_new}


@app.post("/admin/tenant/get")
async def get_tenant(fields: Fields = Body()):
    return {"found": await tenants.get_tenant(fields["tenantId"]) is not None}


@app.post("/admin/tenant/list")
async def list_tenants():
    found = await tenants.list_all_tenants()
    return {"tenants": [tenant.tenant_id for tenant in found.tenants]}


@app.post("/admin/tenant/remove")
async def remove_tenant(fields: Fields = Body()):
    return {"didExist": (await tenants.delete_tenant(fields["tenantId"])).did_exist}


@app.post("/admin/jwt")
async def create_jwt(fields: Fields = Body()):
    answer = await sessions.create_jwt(
        fields.get("payload", {}), fields.get("validity"), fields.get("useStatic")
    )
    if isinstance(answer, CreateJwtOkResult):
        return {"status": "OK", "jwt": answer.jwt}
    return {"status": "UNSUPPORTED_ALGORITHM_ERROR"}


def verify_as_another_service(token: str) -> Fields:
    """Knows only the address of the JWKS."""
    try:
        key = jwt.PyJWKClient(f"{CORE_URI}/.well-known/jwks.json").get_signing_key_from_jwt(token)
        payload = jwt.decode(token, key.key, algorithms=[key.algorithm_name])
        return {"valid": True, "payload": payload, "header": jwt.get_unverified_header(token)}
    except jwt.PyJWTError as error:
        return {"valid": False, "reason": str(error)}


@app.post("/admin/jwt/verify")
async def verify_jwt(fields: Fields = Body()):
    return await run_in_threadpool(verify_as_another_service, fields["jwt"])


@app.post("/admin/jwks")
async def jwks():
    return {"keys": [vars(key) for key in (await sessions.get_jwks()).keys]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
