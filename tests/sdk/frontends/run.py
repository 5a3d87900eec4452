"""The frontends' pages, against a server whose apps are front doors under names of their own; tokens live three seconds."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from authority import certify  # noqa: E402
from browse import browse  # noqa: E402

OUTSIDE = "elsewhere.test"
# Each frontend in each mode has a site whose cookies are the front door's alone; all share one whose cookies belong to
# all of its sub-domains, and one whose website is on another site.
OWN = [f"{frontend}-{mode}.test" for frontend in ("website", "web-js", "auth-react") for mode in ("cookie", "header")]
SITES = {
    **{domain: {} for domain in OWN},
    "shared.test": {"cookie_domain": "shared.test"},
    "cross.test": {"website_domain": f"https://www.{OUTSIDE}"},
}
# Here the server speaks TLS itself; the others are behind a proxy.
TLS = "tls.test"
TOKENS = {"access_token_validity": 3, "access_token_validity_jitter": 0, "bcrypt_log_rounds": 4}


def origins(domain):
    pages = ",".join(f"https://{name}.{domain}" for name in ("www", "app"))
    return {"app_name": domain, "api_domain": f"https://auth.{domain}", "website_domain": pages}


def prepare(run):
    home = certify(run.folder / "home", [*SITES, OUTSIDE, TLS])
    server = run.front_door(front={"trusted_proxies": "127.0.0.1"}, **TOKENS)
    for domain, own in SITES.items():
        server.put_app(domain.removesuffix(".test"), {"access_token_validity": 3, **origins(domain), **own})
    certificate = {"front_tls_cert": home / "sites.pem", "front_tls_key": home / "sites.key"}
    itself = run.front_door("tls", {**origins(TLS), **certificate}, **TOKENS)
    ports = {"FRONT_PORT": str(server.front_port), "TLS_PORT": str(itself.front_port)}
    return {**ports, "HOME_OF_BROWSER": str(home), "DOMAINS": ",".join(SITES)}


browse(HERE, prepare)
