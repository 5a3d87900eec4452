"""Services that know nothing but the address of the front door's keys: Python as in docs/front-door.md, word for word,
and PHP without a library.
"""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "driver"))
from app import Device  # noqa: E402
from core import REPOSITORY, FrontDoor  # noqa: E402
from harness import check, end_in_order, run, same, true  # noqa: E402

DOCUMENT = (REPOSITORY / "docs/front-door.md").read_text()
[PYTHON] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
ADDRESS = "https://auth.example.com"
CALL = "\nimport json, sys\nprint(json.dumps(claims_of(sys.argv[1])))\n"
PASSWORD = "correct horse 1"


class World:
    """A server, and one command per language that prints a token's claims or fails."""

    def __init__(self, folder):
        self.server = FrontDoor(folder / "server", {}, access_token_validity=4, access_token_validity_jitter=0)
        origin = f"http://localhost:{self.server.front_port}"
        self.issuer = f"{origin}/auth"
        same(PYTHON.count(ADDRESS), 2, "addresses in the document's example")
        (folder / "verify.py").write_text(PYTHON.replace(ADDRESS, origin) + CALL)
        self.services = {
            "Python": [HERE / ".venv/bin/python", folder / "verify.py"],
            "PHP": ["php", HERE / "verify.php", self.issuer],
        }

    def sign_up(self, host=None):
        """A new person's device and id."""
        device = Device(self.server.front_port, "header", host)
        answer = device.form("/auth/signup", email=f"{uuid.uuid4()}@example.org", password=PASSWORD)
        same(answer["status"], "OK", "signing up")
        return device, answer["user"]["id"]

    def ask(self, language, token):
        return subprocess.run([*self.services[language], token], capture_output=True, text=True, timeout=30)

    def accepts(self, language, token):
        done = self.ask(language, token)
        same(done.returncode, 0, f"{language}: {done.stderr[-500:]}")
        return json.loads(done.stdout)

    def refuses(self, language, token, reason):
        done = self.ask(language, token)
        true(done.returncode != 0 and reason in done.stderr, f"{language}: {done.stdout}{done.stderr[-500:]}, not {reason!r}")

    def signed(self, **claims):
        """A token of the core's for another purpose, with the key that signs sessions."""
        body = {"payload": {"sub": "someone", **claims}, "algorithm": "RS256", "jwksDomain": "https://x.example"}
        status, answer = self.server.call("POST", "/recipe/jwt", {**body, "useStaticSigningKey": False, "validity": 60})
        same((status, answer["status"]), (200, "OK"), f"a token of the core's: {answer}")
        return answer["jwt"]


def in_both(title):
    """One check per language."""

    def register(act):
        for language in ("Python", "PHP"):
            check(f"{title}, {language}")(lambda world, language=language: act(world, language))

    return register


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@in_both("a token is read until it expires")
def life(world, language):
    device, user = world.sign_up()
    claims = world.accepts(language, device.tokens["access"])
    same((claims["sub"], claims["st-ev"]["v"]), (user, False), "claims")
    device.wait_for_expiry()
    world.refuses(language, device.tokens["access"], "expired")
    device.refreshed()
    same(world.accepts(language, device.tokens["access"])["sub"], user, "sub after a refresh")


@in_both("forged tokens are refused")
def forged(world, language):
    head, body, signature = world.sign_up()[0].tokens["access"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = part({**claims, "sub": "somebody-else"})
    invalid = {"Python": "InvalidSignatureError", "PHP": "wrong signature"}[language]
    world.refuses(language, f"{head}.{other}.{signature}", invalid)
    unsigned = {"Python": "InvalidAlgorithmError", "PHP": "unknown algorithm"}[language]
    key = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    world.refuses(language, f"{part({'alg': 'none', 'kid': key})}.{body}.", unsigned)


@in_both("what the core signed for another purpose is no session")
def purpose(world, language):
    missing = {"Python": "MissingRequiredClaimError", "PHP": "not a session"}[language]
    world.refuses(language, world.signed(iss=world.issuer), missing)
    foreign = {"Python": "InvalidIssuerError", "PHP": "not a session"}[language]
    world.refuses(language, world.signed(iss="https://other.example/auth", sessionHandle="x"), foreign)


@in_both("a session of another app is none here")
def other_app(world, language):
    host = f"other.localhost:{world.server.front_port}"
    world.server.put_app("other", {"api_domain": f"http://{host}", "website_domain": f"http://{host}"})
    unknown = {"Python": "Unable to find a signing key", "PHP": "unknown key"}[language]
    world.refuses(language, world.sign_up(host)[0].tokens["access"], unknown)


def main():
    end_in_order()
    folder = Path(tempfile.mkdtemp(prefix="sessiond-jwks-"))
    world, failures = World(folder), 1
    try:
        failures = run("jwks", world, at_once=4)
    finally:
        world.server.stop()
        if failures:
            print(f"logs and files: {folder}")
        else:
            shutil.rmtree(folder)
    sys.exit(1 if failures else 0)


main()
