"""What `sessiond doctor` says behind a real proxy: a right set-up, and many that are wrong in one way each.

Each set-up has a domain and a server of its own, behind one nginx. doctor.js uses the pages; afterwards doctor has to name
what is wrong, and nothing else.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from authority import certify  # noqa: E402
from browse import browse  # noqa: E402
from core import BINARY, REPOSITORY  # noqa: E402
from harness import same  # noqa: E402
from nginx import Nginx  # noqa: E402

OUTSIDE = "elsewhere.test"
MAIL = {"smtp_host": "mx.mail.test", "smtp_from_email": "shop@mail.test"}
HTTP = {"api_domain": "http://auth.{}.test", "website_domain": "http://www.{}.test"}
HIDE = "proxy_hide_header {};"
# nginx leaves these to an application that has its own ideas about CORS.
OWN_CORS = HIDE.format("Access-Control-Expose-Headers") + ' add_header Access-Control-Expose-Headers "content-length" always;'

# Each set-up: settings that differ from the right ones, with {} for its name; how nginx differs; what doctor finds.
SETUPS = {
    "right": {},
    "plain": {"settings": HTTP},
    "stranger": {"finds": ["origin-not-allowed"]},
    "renamed": {"settings": {"api_domain": "https://auth.{}.example"}, "finds": ["host-unknown"]},
    "rewritten": {"nginx": {"headers": {"Host": None}}, "finds": ["host-unknown"]},
    "https": {"settings": {"api_domain": HTTP["api_domain"]}, "finds": ["https-unknown", "same-site-none-insecure"]},
    "own": {
        "settings": {"api_domain": HTTP["api_domain"], "website_domain": ""},
        "nginx": {"location": "/auth/", "has_pages": True},
        "finds": ["origin-not-allowed", "https-unknown"],
    },
    "mixed": {"settings": {"api_domain": HTTP["api_domain"]}, "finds": ["http-api-of-https-page"]},
    "insecure": {"settings": {"cookie_secure": "false"}, "finds": ["cookie-not-secure"]},
    "foreign": {"settings": {"cookie_domain": "{}.test"}, "finds": ["host-unknown", "cookie-domain-foreign"]},
    "strict": {
        "settings": {"website_domain": f"https://www.{OUTSIDE}", "cookie_same_site": "lax"},
        "finds": ["same-site-too-strict"],
    },
    "none": {
        "settings": {**HTTP, "website_domain": f"http://www.{OUTSIDE}"},
        "finds": ["same-site-none-insecure"],
    },
    "moved": {"nginx": {"location": "/api/auth/", "target": "/auth/"}, "finds": ["refresh-cookie-missing"]},
    "unmoved": {"nginx": {"location": "/api/auth/"}, "finds": ["path-unknown"]},
    "cut": {"nginx": {"location": "/auth/", "target": "/"}, "finds": ["path-unknown"]},
    # The domain is an app's of its own, whose settings change while people are signed in.
    "twice": {"settings": {"api_domain": "https://auth.base.test", "website_domain": ""}, "finds": ["duplicate-cookies"]},
    "third": {"settings": {"website_domain": f"https://www.{OUTSIDE}"}, "finds": ["third-party-cookies-blocked"]},
    "framed": {"finds": ["third-party-cookies-blocked"]},
    "cookieless": {"nginx": {"headers": {"Cookie": ""}}, "finds": ["cookies-not-sent"]},
    "unset": {"nginx": {"more": HIDE.format("Set-Cookie")}, "finds": ["cookies-not-sent"]},
    "bare": {"nginx": {"headers": {"Authorization": ""}}, "finds": ["authorization-missing"]},
    "tokenless": {"nginx": {"more": HIDE.format("st-access-token")}, "finds": ["refresh-too-early"]},
    "unrefreshed": {
        "nginx": {"more": HIDE.format("st-access-token") + HIDE.format("st-refresh-token")},
        "finds": ["authorization-missing"],
    },
    "hidden": {"nginx": {"more": HIDE.format("front-token")}, "finds": ["sign-in-unnoticed"]},
    "unexposed": {"nginx": {"more": OWN_CORS}, "finds": ["sign-in-unnoticed"]},
    "eager": {"finds": ["refresh-too-early"]},
    "ridless": {
        "settings": {"anti_csrf": "VIA_CUSTOM_HEADER"},
        "nginx": {"headers": {"rid": ""}},
        "finds": ["rid-missing"],
    },
    "keys": {"settings": {"cookie_domain": "{}.test"}, "finds": ["unknown-key"]},
    # Another server for the same website.
    "staging": {
        "settings": {
            "api_domain": "https://auth-staging.keys.test",
            "website_domain": "https://www.keys.test",
            "cookie_domain": "keys.test",
        },
        "host": "auth-staging.keys.test",
    },
    "distrusted": {"settings": {"trusted_proxies": ""}, "finds": ["proxy-not-trusted"]},
    "large": {"finds": ["cookie-too-large"]},
    "unmailed": {"settings": {"smtp_host": "127.0.0.1", "smtp_port": "9"}, "finds": ["mail-failing"]},
}
# Here people wait until an access token has expired.
EXPIRING = ["right", "plain", "moved", "twice"]


def start(run, nginx, name, setup):
    """Starts the server of a set-up, and has nginx stand in front of it."""
    usual = {"api_domain": "https://auth.{}.test", "website_domain": "https://www.{}.test", "trusted_proxies": "127.0.0.1"}
    settings = {**usual, **MAIL, "master_key": "a master key of more than 32 bytes", **setup.get("settings", {})}
    settings = {key: str(value).format(name) for key, value in settings.items() if value != ""}
    validity = {"access_token_validity": 3, "access_token_validity_jitter": 0} if name in EXPIRING else {}
    server = run.front_door(name, settings, bcrypt_log_rounds=4, **validity)
    hosts = [setup.get("host", f"auth.{name}.test"), f"auth-{name}.{OUTSIDE}"]
    nginx.front_door(server.front_port, *hosts, **setup.get("nginx", {}))
    nginx.site(f"www.{name}.test")
    return server


def compare_with_reference():
    """docs/doctor.md says of every finding here, and of no other, that it is tested with a browser."""
    rows = re.findall(r"^\| `([a-z-]+)` \|.* \| ([^|]+) \|$", (REPOSITORY / "docs/doctor.md").read_text(), re.MULTILINE)
    told = {finding for finding, tested in rows if tested == "a browser"}
    same(told, {finding for setup in SETUPS.values() for finding in setup.get("finds", [])}, "findings tested with a browser")


def prepare(run):
    compare_with_reference()
    domains = [*(f"{name}.test" for name in SETUPS), OUTSIDE]
    home = certify(run.folder / "home", domains)
    nginx = Nginx(run.folder / "nginx", home, HERE / "dist")
    servers = {name: start(run, nginx, name, setup) for name, setup in SETUPS.items()}
    nginx.site(f"www.{OUTSIDE}")
    run.keep(nginx).start()
    told = {name: {"folder": str(server.folder), "core": server.uri, "finds": SETUPS[name].get("finds", [])} for name, server in servers.items()}
    return {"SETUPS": json.dumps(told), "PORTS": json.dumps(nginx.ports), "BINARY": BINARY, "HOME_OF_BROWSER": str(home)}


browse(HERE, prepare, "doctor.js", "doctor")
