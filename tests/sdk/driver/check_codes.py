"""Signing in without a password: codes and links by mail and by text message."""

import itertools
from urllib.parse import parse_qs, urlsplit

from check_flow import in_both_modes
from check_people import address
from check_third_party import app, new
from harness import check, same, true, until

# The core's default of passwordless_max_code_input_attempts.
ATTEMPTS = 5
numbers = itertools.count(1000)


def contacts():
    """One contact of each kind, as people type it, and as it is stored."""
    number = next(numbers)
    email = address("code")
    return [("email", email.upper(), email), ("phoneNumber", f"+1 650 253 {number}", f"+1650253{number}")]


class Flow:
    """One sign-in: the page that requested the code, and the messages sent."""

    def __init__(self, ways, kind, typed, kept, tenant="public"):
        self.ways, self.to, self.path = ways, kept, f"/auth/{tenant}/signinup/code"
        self.before = len(self.sent())
        answer = ways.device().send("POST", self.path, {kind: typed}).expect(200, "asking for a code").json
        same((answer["status"], answer["flowType"]), ("OK", "USER_INPUT_CODE_AND_MAGIC_LINK"), "asking for a code")
        self.device = {name: answer[name] for name in ("deviceId", "preAuthSessionId")}

    def sent(self):
        return self.ways.admin("/messages", to=self.to)["messages"]

    def message(self, number=0):
        """The first (or next) message sent in this flow."""
        wanted = self.before + number
        return until(10, f"a message to {self.to}", lambda: self.sent()[wanted:])[0]

    def resend(self):
        return self.ways.device().send("POST", f"{self.path}/resend", self.device).expect(200, "resend").json["status"]

    def consume(self, device=None, **given):
        device = device or self.ways.device()
        return device.send("POST", f"{self.path}/consume", given).expect(200, "consume").json

    def enter(self, code, device=None):
        return self.consume(device, **self.device, userInputCode=code)

    def follow(self, link, device=None):
        """As the page behind the link does, on whatever device the mail was read."""
        where = urlsplit(link)
        return self.consume(device, preAuthSessionId=parse_qs(where.query)["preAuthSessionId"][0], linkCode=where.fragment)


@in_both_modes("by mail and by text message: a code signs up, a link signs in, each once")
def life(world, mode):
    ways = app(world)
    for kind, typed, kept in contacts():
        flow, device = Flow(ways, kind, typed, kept), ways.device(mode)
        answer = flow.enter(flow.message()["code"], device)
        same((answer["status"], new(answer)), ("OK", True), f"the code sent to a new {kind}")
        user_id = answer["user"]["id"]
        same(device.signed_in(checked=True)["userId"], user_id, "user who signed up")
        found = ways.admin("/user", userId=user_id)
        same(found["emails" if kind == "email" else "phoneNumbers"], [kept], "how to reach the user")
        same(flow.enter(flow.message()["code"])["status"], "RESTART_FLOW_ERROR", "the code again")
        flow, device = Flow(ways, kind, typed, kept), ways.device(mode)
        link = flow.message()["link"]
        answer = flow.follow(link, device)
        same((answer["status"], new(answer)), ("OK", False), f"the link sent to a known {kind}")
        same(answer["user"]["id"], user_id, "the same user")
        same(flow.follow(link)["status"], "RESTART_FLOW_ERROR", "the link again")
        device.refreshed()
        same(device.signed_in()["userId"], user_id, "user after a refresh")


@check("a code that was sent again is valid along with the first, until one is used")
def resent(world):
    ways = app(world)
    for kind, typed, kept in contacts():
        flow = Flow(ways, kind, typed, kept)
        same(flow.resend(), "OK", "sending again")
        first, second = flow.message(0), flow.message(1)
        true(first["code"] != second["code"] and first["link"] != second["link"], "another code and link")
        same(flow.enter(first["code"])["status"], "OK", "the first code")
        same(flow.enter(second["code"])["status"], "RESTART_FLOW_ERROR", "the second code after the first")
        same(flow.resend(), "RESTART_FLOW_ERROR", "sending again when all is done")


@check("too many wrong codes end the flow, even for the right code")
def wrong(world):
    ways = app(world)
    for kind, typed, kept in contacts():
        flow = Flow(ways, kind, typed, kept)
        for count in range(1, ATTEMPTS):
            answer = flow.enter("wrong1")
            same(answer["status"], "INCORRECT_USER_INPUT_CODE_ERROR", "a wrong code")
            told = (answer["failedCodeInputAttemptCount"], answer["maximumCodeInputAttempts"])
            same(told, (count, ATTEMPTS), "attempts counted")
        same(flow.enter("wrong1")["status"], "RESTART_FLOW_ERROR", "the last wrong code")
        same(flow.enter(flow.message()["code"])["status"], "RESTART_FLOW_ERROR", "the right code, too late")
        same(flow.follow(flow.message()["link"])["status"], "RESTART_FLOW_ERROR", "the link, too late")
        again = Flow(ways, kind, typed, kept)
        same(new(again.enter(again.message()["code"])), True, "a new flow")


@check("a code of one tenant is useless in another")
def tenants(world):
    ways = app(world)
    for kind, typed, kept in contacts():
        blue = Flow(ways, kind, typed, kept, "blue")
        blue.path = blue.path.replace("blue", "green")
        same(blue.enter(blue.message()["code"])["status"], "RESTART_FLOW_ERROR", "the code for blue at green")
        same(blue.follow(blue.message()["link"])["status"], "RESTART_FLOW_ERROR", "the link for blue at green")
        users = {}
        for tenant in ("blue", "green"):
            flow, device = Flow(ways, kind, typed, kept, tenant), ways.device()
            answer = flow.enter(flow.message()["code"], device)
            same((answer["status"], new(answer)), ("OK", True), f"sign-up at {tenant}")
            same(device.signed_in()["tenantId"], tenant, "tenant of the session")
            users[tenant] = answer["user"]["id"]
        true(users["blue"] != users["green"], "a user per tenant")
