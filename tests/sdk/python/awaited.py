"""What else the application has when AWAITED=true: the recipes that sessiond does not have yet.

The route: tests/sdk/driver/app.py.
"""

from typing import Any

from fastapi import APIRouter, Body
from supertokens_python.recipe import oauth2provider, saml, webauthn
from supertokens_python.recipe.oauth2provider import asyncio as clients
from supertokens_python.recipe.saml import asyncio as companies
from supertokens_python.recipe.webauthn import functions as passkeys

SITE = {"relying_party_id": "localhost", "relying_party_name": "python app", "origin": "http://localhost"}


def recipes():
    return [webauthn.init(), oauth2provider.init(), saml.init()]


CALLS: dict[str, list[Any]] = {
    "webauthn": [
        lambda: passkeys.register_options(**SITE, email="jane@example.org"),
        lambda: passkeys.sign_in_options(**SITE),
        lambda: passkeys.get_generated_options(webauthn_generated_options_id="o"),
        lambda: passkeys.list_credentials(recipe_user_id="u"),
    ],
    "oauth2provider": [
        lambda: clients.get_oauth2_client("c"),
        lambda: clients.get_oauth2_clients(),
        lambda: clients.revoke_tokens_by_session_handle("h"),
    ],
    "saml": [
        lambda: companies.list_clients("public"),
        lambda: companies.create_login_request("public", "c", "r", "a"),
        lambda: companies.get_user_info("public", "a", "c"),
    ],
}

routes = APIRouter()


@routes.post("/admin/awaited")
async def awaited(fields: dict[str, Any] = Body()):
    told: list[str] = []
    for call in CALLS[fields["recipe"]]:
        try:
            told.append(repr(await call()))
        except Exception as error:  # what the SDK raises about the core
            told.append(str(error))
    return {"told": told}
