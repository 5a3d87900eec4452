"""The prebuilt pages, against a server with three apps, and a provider at which people are always signed in."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from authority import certify  # noqa: E402
from browse import browse  # noqa: E402
from provider import Provider  # noqa: E402

# At each provider of the site, one person is signed in.
PEOPLE = {"ours": "ada@provider.example", "theirs": "bob@provider.example"}


def provided(provider):
    """The server's configuration for both: one provider that is told whom to sign in."""
    client = {**provider.client("prebuilt"), "scope": ["openid", "email"]}
    return [
        {
            "thirdPartyId": name,
            "name": name.title(),
            "oidcDiscoveryEndpoint": provider.discovery,
            "authorizationEndpointQueryParams": {"login_hint": email},
            "clients": [client],
        }
        for name, email in PEOPLE.items()
    ]


def prepare(run):
    provider = Provider()
    provider.people = {email: {"email": email, "email_verified": True} for email in PEOPLE.values()}
    server = run.front_door(bcrypt_log_rounds=4)
    apps = {
        "pages": {
            "recipe_list": "emailverification,userroles,emailpassword,thirdparty,passwordless,multifactorauth,totp",
            "passwordless_contact_method": "EMAIL",
            "passwordless_flow_type": "USER_INPUT_CODE",
            "first_factors": "emailpassword,thirdparty",
            "email_verification_mode": "REQUIRED",
            "account_linking": "verified",
            "third_party_providers": json.dumps(provided(provider)),
            "provider_private_networks": "127.0.0.0/8",
        },
        "codes": {
            "recipe_list": "passwordless",
            "passwordless_contact_method": "EMAIL",
            "passwordless_flow_type": "USER_INPUT_CODE_AND_MAGIC_LINK",
        },
        "texts": {
            "recipe_list": "passwordless",
            "passwordless_contact_method": "PHONE",
            "passwordless_flow_type": "USER_INPUT_CODE",
        },
    }
    for name, settings in apps.items():
        origins = {"api_domain": f"https://auth.{name}.localhost", "website_domain": f"https://www.{name}.localhost"}
        server.put_app(name, {"app_name": name, **origins, **settings})
    home = certify(run.folder / "home", [f"{name}.localhost" for name in apps])
    environment = {"FRONT_PORT": str(server.front_port), "CORE_URI": server.uri, "HOME_OF_BROWSER": str(home)}
    return {**environment, "PROVIDER": provider.uri, "ADA": PEOPLE["ours"], "BOB": PEOPLE["theirs"]}


browse(HERE, prepare, "prebuilt.js", "prebuilt")
