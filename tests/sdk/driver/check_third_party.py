"""Signing in with an account at a provider, which the tests play themselves."""

import uuid
from urllib.parse import parse_qsl, urlencode, urlsplit

from check_flow import in_both_modes
from check_people import address
from harness import check, same, true

CALLBACK = "http://localhost/auth/callback/house"
ALL_METHODS = ["emailpassword", "thirdparty", "otp-email", "otp-phone", "link-email", "link-phone"]


def app(world):
    """An application with two tenants, each of which is a separate client of the provider "house"."""
    ways = world.app("ways", "ways", PEOPLE="true", WAYS="true")
    with world.locks["ways"]:
        for tenant in ("blue", "green"):
            if not ways.admin("/tenant/get", tenantId=tenant)["found"]:
                ways.admin("/tenant/methods", tenantId=tenant, firstFactors=ALL_METHODS)
                house(world, ways, tenant)
    return ways


def house(world, ways, tenant, name="house", **settings):
    """Makes the tenant a client of the provider."""
    provider = world.provider()
    client = {**provider.client(f"{name}-at-{tenant}"), "scope": ["openid", "email"]}
    config = {"thirdPartyId": name, "name": name.title(), "clients": [client], **settings}
    config = {**config, "oidcDiscoveryEndpoint": provider.discovery}
    same(ways.admin("/tenant/provider", tenantId=tenant, config=config)["status"], "OK", f"provider of {tenant}")


def person(world, **claims):
    """A new user with an account at the provider."""
    subject = f"sub-{uuid.uuid4()}"
    world.provider().people[subject] = {"email": address("house"), "email_verified": True, **claims}
    return subject


def ask(device, tenant, name="house"):
    """Where the application sends people who want to sign in with the provider."""
    query = urlencode({"thirdPartyId": name, "redirectURIOnProviderDashboard": CALLBACK})
    return device.send("GET", f"/auth/{tenant}/authorisationurl?{query}").expect(200, "authorisationurl").json


def finish(device, tenant, asked, given, name="house"):
    """The data that the callback page sends when the person returns."""
    info = {"redirectURIOnProviderDashboard": CALLBACK, "redirectURIQueryParams": given}
    if "pkceCodeVerifier" in asked:
        info["pkceCodeVerifier"] = asked["pkceCodeVerifier"]
    return device.send("POST", f"/auth/{tenant}/signinup", {"thirdPartyId": name, "redirectURIInfo": info})


def sign_in(world, device, tenant, subject, name="house"):
    asked = ask(device, tenant, name)
    given = world.provider().sign_in(asked["urlWithQueryParams"], subject)
    return finish(device, tenant, asked, given, name).expect(200, "signinup").json


def new(answer):
    """Whether the reply says that the user is new (two generations of SDK replies)."""
    return answer["createdNewRecipeUser"] if "createdNewRecipeUser" in answer else answer["createdNewUser"]


@in_both_modes("a provider's new user signs up, comes back as the same, with another address later")
def life(world, mode):
    ways = app(world)
    subject = person(world)
    claims = world.provider().people[subject]
    device = ways.device(mode)
    answer = sign_in(world, device, "blue", subject)
    same((answer["status"], new(answer)), ("OK", True), "first sign-in")
    user_id = answer["user"]["id"]
    same(device.signed_in(checked=True)["tenantId"], "blue", "tenant of the session")
    found = ways.admin("/user", userId=user_id)
    same((found["emails"], found["tenantIds"]), ([claims["email"]], ["blue"]), "the user")
    for later in (None, address("moved")):
        claims["email"] = later or claims["email"]
        device = ways.device(mode)
        answer = sign_in(world, device, "blue", subject)
        same((answer["status"], new(answer)), ("OK", False), "sign-in again")
        same(answer["user"]["id"], user_id, "the same user")
        same(ways.admin("/user", userId=user_id)["emails"], [claims["email"]], "address")
        device.refreshed()
        same(device.signed_in()["userId"], user_id, "user after a refresh")


@check("one person is two users in two tenants, which are two clients of the provider")
def two_clients(world):
    ways = app(world)
    subject = person(world)
    users = {}
    for tenant in ("blue", "green"):
        device = ways.device()
        url = urlsplit(ask(device, tenant)["urlWithQueryParams"])
        same(dict(parse_qsl(url.query))["client_id"], f"house-at-{tenant}", f"client of {tenant}")
        answer = sign_in(world, device, tenant, subject)
        same((answer["status"], new(answer)), ("OK", True), f"first sign-in at {tenant}")
        same(device.signed_in()["tenantId"], tenant, "tenant of the session")
        users[tenant] = answer["user"]["id"]
    true(users["blue"] != users["green"], "a user per tenant")
    ways.admin("/user/remove", userId=users["blue"])
    same(new(sign_in(world, ways.device(), "blue", subject)), True, "after deletion at blue, new there")
    same(new(sign_in(world, ways.device(), "green", subject)), False, "but not at green")
    device = ways.device()
    asked = ask(device, "blue")
    given = world.provider().sign_in(asked["urlWithQueryParams"], subject)
    true(finish(device, "green", asked, given).status != 200, "a code for blue is good for nothing at green")
    same(device.tokens, {}, "no session")


@check("a provider that supplies no address is refused, or allowed where addresses are not required")
def no_address(world):
    ways = app(world)
    house(world, ways, "blue", "nameless", requireEmail=False)
    subject = person(world, email=None)
    del world.provider().people[subject]["email"]
    refused = sign_in(world, ways.device(), "blue", subject)
    same(refused["status"], "NO_EMAIL_GIVEN_BY_PROVIDER", "where an address is required")
    device = ways.device()
    answer = sign_in(world, device, "blue", subject, "nameless")
    same((answer["status"], new(answer)), ("OK", True), "where none is required")
    emails = ways.admin("/user", userId=answer["user"]["id"])["emails"]
    same(len(emails), 1, "an address of the SDK's making")
    true(subject in emails[0] and "nameless" in emails[0], f"address {emails}")
    device.signed_in(checked=True)
    same(new(sign_in(world, ways.device(), "blue", subject, "nameless")), False, "the same user again")


@check("a provider's code is valid once, and an unknown provider is refused")
def codes(world):
    ways = app(world)
    device = ways.device()
    asked = ask(device, "blue")
    given = world.provider().sign_in(asked["urlWithQueryParams"], person(world))
    same(finish(device, "blue", asked, given).expect(200, "signinup").json["status"], "OK", "the code")
    other = ways.device()
    true(finish(other, "blue", asked, given).status != 200, "the same code again")
    same(other.tokens, {}, "no session for the code's second user")
    finish(other, "blue", asked, given, "elsewhere").expect(400, "an unknown provider")
