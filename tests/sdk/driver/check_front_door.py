"""Sessions that an application on an SDK and the front door share: whichever began them, both verify, refresh and end
them."""

import uuid

from app import Device, send
from check_flow import in_both_modes
from harness import check, same, true

PASSWORD = "correct horse 1"
ON_THE_FRONT_DOOR = "/auth/user/email/verify"


class Both:
    """A browser that uses an application and the front door of one host: it sends its cookies to both."""

    def __init__(self, world, mode):
        self.server = world.front_door()
        self.app = world.app("beside", core=self.server)
        self.device = Device(self.server.front_port, mode)

    def at_front(self):
        self.device.port = self.server.front_port
        return self.device

    def at_app(self):
        self.device.port = self.app.port
        return self.device

    def sign_up(self):
        """Signs up at the front door; returns the person's id."""
        email = f"person-{uuid.uuid4()}@example.org"
        answer = self.at_front().form("/auth/signup", email=email, password=PASSWORD)
        same(answer["status"], "OK", "signing up")
        return answer["user"]["id"]

    def is_known_to_both(self, user, handle):
        for checked in (False, True):
            seen = self.at_app().signed_in(checked)
            same((seen["userId"], seen["handle"]), (user, handle), f"the session for the application, checked: {checked}")
        self.at_front().send("GET", ON_THE_FRONT_DOOR).expect(200, "a request to the front door")
        same(self.device.claims()["sub"], user, "sub")


def stated(claims):
    """What a token says about session and person, apart from when the front door looked it up."""
    return [claims[name] for name in ("iss", "tId", "rsub")] + [claims[name]["v"] for name in ("st-ev", "st-role", "st-perm")]


@in_both_modes("a session begun at the front door is verified by the SDK and refreshed on either side")
def begun_at_front(world, mode):
    both = Both(world, mode)
    user = both.sign_up()
    claims = both.device.claims()
    handle = claims["sessionHandle"]
    both.is_known_to_both(user, handle)
    same(both.at_app().signed_in()["payload"]["st-ev"]["v"], False, "claim for the application")
    for side in (both.at_app, both.at_app, both.at_front, both.at_front):
        side().refreshed()
        both.is_known_to_both(user, handle)
    same(stated(both.device.claims()), stated(claims), "claims after all refreshes")
    both.at_app().send("POST", "/auth/signout", {}).expect(200, "sign out at the application")
    true(not both.device.tokens, "no tokens afterwards")


@in_both_modes("a session begun by the SDK is refreshed and ended at the front door")
def begun_at_app(world, mode):
    both = Both(world, mode)
    user = both.sign_up()
    both.at_front().send("POST", "/auth/signout", {}).expect(200, "sign out at the front door")
    handle = both.at_app().login(user, payload={"role": "admin"})["handle"]
    both.is_known_to_both(user, handle)
    both.at_front().refreshed()
    both.is_known_to_both(user, handle)
    same(both.at_app().signed_in()["payload"]["role"], "admin", "custom claim after a refresh at the front door")
    kept = both.device.copy()
    both.at_front().send("POST", "/auth/signout", {}).expect(200, "sign out at the front door")
    true(not both.device.tokens, "no tokens afterwards")
    kept.port = both.app.port
    kept.me(checked=True, keep=False).refuse("unauthorised", "the application afterwards, checked")
    kept.refresh().refuse("unauthorised", "a refresh afterwards")


@in_both_modes("a token that one side replaced is theft on the other")
def theft(world, mode):
    for first, second in (("at_app", "at_front"), ("at_front", "at_app")):
        both = Both(world, mode)
        both.sign_up()
        thief = both.device.copy()
        # Twice: the front door takes a token that was replaced just now for a request that comes late.
        for _ in range(2):
            getattr(both, first)().refreshed()
            both.at_app().signed_in()
        thief.port = both.server.front_port if second == "at_front" else both.app.port
        thief.refresh().refuse("token theft detected", f"the replaced token {second}")
        getattr(both, first)().refresh().refuse("unauthorised", "the owner afterwards")


@check("another service verifies tokens of the front door by its JWKS")
def jwks(world):
    both = Both(world, "header")
    user = both.sign_up()
    answer = both.app.admin("/jwt/verify", jwt=both.device.tokens["access"])
    same((answer["valid"], answer["payload"]["sub"]), (True, user), "what the service reads")
    own = send(both.server.front_port, "GET", "/auth/jwt/jwks.json").expect(200, "the front door's JWKS").json
    true(answer["header"]["kid"] in [key["kid"] for key in own["keys"]], "the key is published at the front door")
