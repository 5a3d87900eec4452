"""The frontends' pages, against a server whose apps are front doors under names of their own; tokens live three seconds."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from browse import browse  # noqa: E402

# Each frontend in each mode has a site whose cookies are the front door's alone; all share one whose cookies belong to
# all of its sub-domains, and one whose website is on another site.
OWN = [f"{frontend}-{mode}.test" for frontend in ("website", "web-js", "auth-react") for mode in ("cookie", "header")]
SITES = {
    **{domain: {} for domain in OWN},
    "shared.test": {"cookie_domain": "shared.test"},
    "cross.test": {"website_domain": "https://www.elsewhere.test"},
}


def prepare(run):
    server = run.front_door(trusted_proxies="127.0.0.1", access_token_validity_jitter=0, bcrypt_log_rounds=4)
    for domain, own in SITES.items():
        pages = ",".join(f"https://{name}.{domain}" for name in ("www", "app"))
        settings = {"app_name": domain, "api_domain": f"https://auth.{domain}", "website_domain": pages, **own}
        server.put_app(domain.removesuffix(".test"), {"access_token_validity": 3, **settings})
    return {"FRONT_PORT": str(server.front_port), "HOME_OF_BROWSER": str(run.folder), "DOMAINS": ",".join(SITES)}


browse(HERE, prepare)
