"""Signing keys: rotation, both algorithms, static keys, custom JWTs."""

import json

from check_flow import in_both_modes, long_app, user
from harness import check, same, true, until

# Hours between keys. Below a minute, a development server publishes a new key a fifth of that time before using it.
EVERY_10_S = {"access_token_dynamic_signing_key_update_interval": 0.0028, "access_token_validity": 120}
EVERY_30_S = {"access_token_dynamic_signing_key_update_interval": 0.0084, "access_token_validity": 120}


def fresh(app, mode="header", **fields):
    device = app.device(mode)
    device.login(user(), **fields)
    return device


@in_both_modes("keys rotate by time while sessions live")
def rotation_by_time(world, mode):
    app = world.app("rotating", "rotating", core_settings=EVERY_10_S)
    old = fresh(app, mode)
    first = old.token_header()["kid"]

    def newer():
        device = fresh(app, mode)
        return device if device.token_header()["kid"] != first else None

    new = until(30, "a session is signed with a new key", newer)
    second = new.token_header()["kid"]
    published = [key["kid"] for key in world.core().jwks("rotating")]
    true({first, second} <= set(published), f"{first} and {second} are published: {published}")
    new.signed_in()
    old.signed_in()
    old.signed_in(checked=True)
    old.refreshed()
    true(old.token_header()["kid"] != first, "refresh signs with a new key")
    old.signed_in()


def works(device):
    """A request; right after a change of keys an application may have to fetch them again."""
    if device.me().status == 401:
        device.refreshed()
    return device.signed_in()


@check("keys rotated by the operator while sessions live: nobody is logged out")
def rotation_by_hand(world):
    app = world.app("by-hand", "by-hand", core_settings=EVERY_30_S)
    old = fresh(app)
    first = old.token_header()["kid"]
    world.core().cli("keys", "rotate", "--app", "by-hand")
    same(len([key for key in world.core().jwks("by-hand") if key["kid"].startswith("d-")]), 2, "dynamic keys")
    old.signed_in()
    old.signed_in(checked=True)

    def newer():
        device = fresh(app)
        works(device)
        return device.token_header()["kid"] != first

    until(15, "sessions are signed with the new key", newer)  # by time alone it would take 24 s
    old.signed_in()
    old.refreshed()
    true(old.token_header()["kid"] != first, "refresh signs with the new key")
    old.signed_in(checked=True)


@check("a key revoked by the operator: its tokens are refused when checked, its sessions continue after a refresh")
def revocation(world):
    app = world.app("revoking", "revoking")
    devices = [fresh(app) for _ in range(3)]
    kid = devices[0].token_header()["kid"]
    handles = [device.signed_in()["handle"] for device in devices]
    world.core().cli("keys", "revoke", kid, "--app", "revoking", "--reason", "it got out")
    true(kid not in [key["kid"] for key in world.core().jwks("revoking")], "the key is no longer published")
    for device, handle in zip(devices, handles):
        device.me(checked=True).refuse("try refresh token", "a token of the revoked key, checked")
        device.refreshed()
        true(device.token_header()["kid"] != kid, "refresh signs with another key")
        # The application knows the new key as soon as it may fetch the JWKS again.
        until(5, "the application accepts the new key", lambda: device.me().status == 200)
        same(device.signed_in(checked=True)["handle"], handle, "the session")


@check("RS256 next to EdDSA: each app signs its own way and refuses the other's tokens")
def two_algorithms(world):
    rsa_app = world.app("rsa", "rsa", core_settings={"access_token_signing_algorithm": "RS256"})
    rsa, ed = fresh(rsa_app), fresh(long_app(world))
    same((rsa.token_header()["alg"], ed.token_header()["alg"]), ("RS256", "EdDSA"), "algorithms")
    for device in (rsa, ed):
        device.signed_in()
        device.signed_in(checked=True)
        device.refreshed()
        device.signed_in()
    stranger = rsa_app.device()
    stranger.tokens = dict(ed.tokens)
    stranger.me().refuse("try refresh token", "the other app's access token")
    stranger.refresh(keep=False).refuse("unauthorised", "the other app's refresh token")
    ed.signed_in(checked=True)


@check("the JWKS that this SDK passes on works for an app that uses RS256")
def sdk_jwks(world):
    app = world.app("rsa", "rsa", core_settings={"access_token_signing_algorithm": "RS256"})
    fresh(app)
    keys = app.admin("/jwks")["keys"]
    kinds = {(key.get("kty") or key.get("Kty"), key.get("alg") or key.get("Alg")) for key in keys}
    same(kinds, {("RSA", "RS256")}, "kinds of keys")


@in_both_modes("switching the algorithm, there and back, logs nobody out")
def switching(world, mode):
    name = f"switch-{mode}"
    app = world.app(name, name, core_settings=EVERY_30_S)
    device = fresh(app, mode)
    for algorithm in ("RS256", "EdDSA"):
        settings = {**EVERY_30_S, "access_token_signing_algorithm": algorithm}
        world.core().put_app(name, settings)
        device.signed_in()
        device.signed_in(checked=True)

        def switched():
            device.refreshed()
            works(device)
            return device.token_header()["alg"] == algorithm

        until(20, f"tokens are signed with {algorithm}", switched)
        device.signed_in(checked=True)
    kinds = {key["alg"] for key in world.core().jwks(name)}
    same(kinds, {"RS256", "EdDSA"}, "both kinds are published side by side")


@check("an application that switches to static keys logs nobody out")
def static_keys(world):
    dynamic = world.app("turning", "turning")
    static = world.app("turned", "turning", STATIC_KEYS="true")
    device = fresh(dynamic)
    true(device.token_header()["kid"].startswith("d-"), "a dynamic key first")
    device.port = static.port
    device.me().refuse("try refresh token", "a token of the other kind")
    device.refreshed()
    true(device.token_header()["kid"].startswith("s-"), "a static key after refresh")
    device.signed_in()
    device.signed_in(checked=True)
    device.refreshed()
    same(device.token_header()["kid"], fresh(static).token_header()["kid"], "there is one static key")


@check("custom JWTs of static and dynamic keys verify against the published keys")
def custom_jwts(world):
    for app, algorithm in (
        (long_app(world), "EdDSA"),
        (world.app("rsa", "rsa", core_settings={"access_token_signing_algorithm": "RS256"}), "RS256"),
    ):
        for static, prefix in ((True, "s-"), (False, "d-"), (None, "s-")):
            fields = {} if static is None else {"useStatic": static}
            made = app.admin("/jwt", payload={"scope": ["read"]}, validity=1000, **fields)
            same(made["status"], "OK", "status")
            checked = app.admin("/jwt/verify", jwt=made["jwt"])
            true(checked["valid"], f"verified by another service: {checked}")
            header, claims = checked["header"], checked["payload"]
            same(header["alg"], algorithm, "alg")
            true(header["kid"].startswith(prefix), f"kid {header['kid']} for static={static}")
            true("version" not in header, "no version in the header")
            same((claims["scope"], claims["exp"] - claims["iat"]), (["read"], 1000), "claims")
            true(claims["iss"].startswith("http://localhost:"), f"issuer {claims['iss']}")
        head, body, _ = made["jwt"].split(".")
        forged = app.admin("/jwt/verify", jwt=f"{head}.{body}.{'A' * 86}")
        same(forged["valid"], False, "a forged signature")


@check("a custom JWT is not a session")
def jwt_is_no_session(world):
    app = long_app(world)
    device = app.device()
    made = app.admin("/jwt", payload={"sub": "someone"}, validity=1000, useStatic=False)
    device.tokens["access"] = made["jwt"]
    for checked in (False, True):
        device.me(checked).expect(401, "a custom JWT as an access token")
    true("someone" in json.dumps(app.admin("/jwt/verify", jwt=made["jwt"])), "though it is valid")
