"""The prebuilt pages, against a server with two apps, and a provider at which one person is always signed in."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from authority import certify  # noqa: E402
from browse import browse  # noqa: E402
from provider import Provider  # noqa: E402

PERSON = "ada@provider.example"


def provided(provider):
    """The server's configuration for a provider; whoever is sent there is known already."""
    who = {"login_hint": "ada"}
    client = {**provider.client("prebuilt"), "scope": ["openid", "email"]}
    return [{
        "thirdPartyId": "ours",
        "name": "Ours",
        "oidcDiscoveryEndpoint": provider.discovery,
        "authorizationEndpointQueryParams": who,
        "clients": [client],
    }]


def prepare(run):
    provider = Provider()
    provider.people["ada"] = {"email": PERSON, "email_verified": True}
    server = run.front_door(bcrypt_log_rounds=4)
    apps = {
        "pages": {
            "recipe_list": "emailverification,userroles,emailpassword,thirdparty,multifactorauth,totp",
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
    }
    for name, settings in apps.items():
        origins = {"api_domain": f"https://auth.{name}.localhost", "website_domain": f"https://www.{name}.localhost"}
        server.put_app(name, {"app_name": name, **origins, **settings})
    home = certify(run.folder / "home", [f"{name}.localhost" for name in apps])
    environment = {"FRONT_PORT": str(server.front_port), "CORE_URI": server.uri, "HOME_OF_BROWSER": str(home)}
    return {**environment, "PROVIDER": provider.uri, "PERSON": PERSON}


browse(HERE, prepare, "prebuilt.js", "prebuilt")
