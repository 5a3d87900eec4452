"""The server itself: API keys, restarts."""

from check_flow import in_both_modes, user
from harness import check, same, true, until
from offers import needs

RIGHT = "right-key-of-at-least-20-characters"


def guarded(world):
    return world.core("guarded", api_keys=f"another-key-that-nobody-uses,{RIGHT}")


@check("the right API key opens everything")
def right_key(world):
    device = world.app("right-key", core=guarded(world), CORE_API_KEY=RIGHT).device()
    device.login(user())
    device.signed_in(checked=True)
    device.refreshed()
    device.signed_in()


@check("a wrong API key and a missing one open nothing")
def wrong_key(world):
    for name, settings in (("wrong-key", {"CORE_API_KEY": RIGHT + "x"}), ("no-key", {})):
        app = world.app(name, core=guarded(world), **settings)
        reply = app.device().send("POST", "/login", {"userId": user()})
        reply.expect(500, f"sign in with {name}")
        true("Invalid API key" in reply.message and "401" in reply.message, f"reason: {reply.message}")
        true(app.device().tokens == {}, "no tokens")
        reply = app.try_admin("/sessions", userId="anybody")
        true(reply.status == 500 and "Invalid API key" in reply.message, f"list: {reply.message}")


@in_both_modes("the server is killed and started again in the middle: nobody is logged out")
def killed(world, mode):
    restarted(world, mode, kill=True)


@in_both_modes("the server is stopped and started again in the middle: nobody is logged out")
def stopped(world, mode):
    restarted(world, mode, kill=False)


def restarted(world, mode, kill):
    here = f"restarting-{mode}-{'killed' if kill else 'stopped'}"  # nobody else's
    core = world.core(here)
    app = world.app(here, core=core)
    name = user()
    devices = [app.device(mode) for _ in range(10)]
    handles = {device.login(name, data={"n": n})["handle"] for n, device in enumerate(devices)}
    revoked = devices.pop()
    gone = revoked.signed_in()["handle"]
    app.admin("/revoke", handle=gone)
    devices[0].refreshed()  # not used before the restart
    devices[1].refreshed()
    devices[1].signed_in()
    core.stop(kill=kill)
    try:
        # Node needs no server for tokens whose keys it has; a refresh must fail without logging out.
        devices[2].signed_in()
        reply = devices[2].refresh()
        same(reply.status, 500, f"status of a refresh without the server ({reply.body[:200]})")
        true(len(devices[2].tokens) == 2, "tokens are kept")
    finally:
        core.start()
    # An application's kept-alive connection is found closed once.
    until(5, "the application reaches the server again", lambda: app.try_admin("/sessions", userId=name).status == 200)
    same(set(app.admin("/sessions", userId=name)["handles"]), handles - {gone}, "sessions")
    for n, device in enumerate(devices):
        device.signed_in()
        device.refreshed()
        device.signed_in(checked=True)
        same(device.send("GET", "/data").json["data"], {"n": n}, "data")
    revoked.me(checked=True).refuse("unauthorised", "the revoked session")


@check("recipes that do not exist yet say so through the SDK")
def awaited(world):
    needs(world, "awaited recipes")
    app = world.app("awaited", AWAITED="true")
    for recipe, name in (
        ("webauthn", "WebAuthn (passkeys)"),
        ("oauth2provider", "The OAuth2 provider"),
        ("saml", "SAML"),
    ):
        told = app.admin("/awaited", recipe=recipe)["told"]
        true(len(told) >= 3, f"calls of {recipe}: {told}")
        for thrown in told:
            true("501" in thrown and f"{name} is not available in sessiond yet" in thrown, f"{recipe}: {thrown}")
