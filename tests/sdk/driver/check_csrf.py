"""Anti-CSRF by token."""

from check_flow import user
from harness import check, same, true


def app(world):
    return world.app("csrf", "csrf", ANTI_CSRF="VIA_TOKEN")


@check("anti-CSRF by token: needed for changing requests in cookie mode, not for reading ones")
def in_cookies(world):
    device = app(world).device("cookie")
    device.login(user())
    true(device.anti_csrf, "sign in gives an anti-CSRF token")
    for path in ("/me", "/me-checked"):
        device.send("POST", path, {}).expect(200, "the right token")
        device.send("POST", path, {}, anti_csrf=None).refuse("try refresh token", "no token")
        device.send("POST", path, {}, anti_csrf="wrong").refuse("try refresh token", "a wrong token")
        device.send("GET", path, anti_csrf=None).expect(200, "reading without a token")


@check("anti-CSRF by token: a refresh without it is refused, with it the session continues")
def at_refresh(world):
    device = app(world).device("cookie")
    handle = device.login(user())["handle"]
    first = device.anti_csrf
    for wrong in (None, "wrong"):
        device.refresh(keep=False, anti_csrf=wrong).refuse("unauthorised", f"refresh with {wrong}")
    same(app(world).admin("/info", handle=handle)["found"], True, "the session is still there")
    device.refreshed()
    true(device.anti_csrf and device.anti_csrf != first, "refresh gives a new anti-CSRF token")
    device.send("POST", "/me", {}).expect(200, "the new token")
    device.send("POST", "/me", {}, anti_csrf=first).refuse("try refresh token", "the old token")


@check("anti-CSRF by token: not required in header mode")
def in_headers(world):
    device = app(world).device("header")
    device.login(user())
    device.send("POST", "/me", {}, anti_csrf=None).expect(200, "header mode without a token")
    device.refreshed(anti_csrf=None)
    device.send("POST", "/me", {}, anti_csrf=None).expect(200, "header mode after refresh")
