"""The life of a session: create, verify, expire, refresh, retry, reuse detected, revoke; in both transfer modes."""

import uuid

from app import part, send
from harness import check, same, true

SHORT = {"access_token_validity": 3}


def long_app(world):
    return world.app("long", "long")


def short_app(world):
    return world.app("short", "short", core_settings=SHORT)


def in_both_modes(title):
    """One check per transfer mode."""

    def register(act):
        for mode in ("header", "cookie"):
            check(f"{title}, {mode} mode")(lambda world, mode=mode: act(world, mode))
        return act

    return register


def user():
    return f"user-{uuid.uuid4()}"


@in_both_modes("create, verify, expire, refresh, go on")
def life(world, mode):
    device = short_app(world).device(mode)
    name = user()
    session = device.login(name, payload={"role": "admin"})
    same(session["userId"], name, "user id")
    same(session["tenantId"], "public", "tenant")
    claims = device.claims()
    same(claims["sub"], name, "sub")
    same(claims["sessionHandle"], session["handle"], "handle in the token")
    same(claims["role"], "admin", "custom claim")
    same(device.signed_in()["handle"], session["handle"], "verified handle")
    same(device.signed_in(checked=True)["userId"], name, "user, checked in the database")
    old = device.copy()
    device.wait_for_expiry()
    device.me().refuse("try refresh token", "an expired access token")
    device.me(checked=True).refuse("try refresh token", "an expired access token, checked")
    reply = device.refreshed()
    true(reply.header("front-token"), "refresh sends a front token")
    true(device.tokens["access"] != old.tokens["access"], "refresh gives a new access token")
    true(device.tokens["refresh"] != old.tokens["refresh"], "refresh gives a new refresh token")
    again = device.signed_in()
    same(again["handle"], session["handle"], "the session stays the same")
    same(again["payload"]["role"], "admin", "custom claim after refresh")
    same(device.signed_in(checked=True)["handle"], session["handle"], "checked after refresh")


@in_both_modes("the first use of a refreshed token renews it, later ones do not")
def promotion(world, mode):
    device = long_app(world).device(mode)
    device.login(user())
    device.refreshed()
    true(device.claims()["parentRefreshTokenHash1"], "a refreshed token names its parent")
    first = device.tokens["access"]
    device.signed_in()
    true(device.tokens["access"] != first, "its first use gives a token that stands alone")
    same(device.claims()["parentRefreshTokenHash1"], None, "parent in the token that stands alone")
    second = device.tokens["access"]
    device.signed_in()
    same(device.tokens["access"], second, "access token after further use")


@in_both_modes("a lost refresh reply is retried with the same refresh token")
def retry(world, mode):
    device = long_app(world).device(mode)
    handle = device.login(user())["handle"]
    for _ in range(3):
        device.refresh(keep=False).expect(200, "refresh whose reply is lost")
    device.refreshed()
    same(device.signed_in()["handle"], handle, "handle after retries")
    device.refreshed()
    same(device.signed_in(checked=True)["handle"], handle, "handle after the next refresh")


@in_both_modes("a stale refresh token is reported as theft and ends the session")
def theft(world, mode):
    app = long_app(world)
    device = app.device(mode)
    handle = device.login(user())["handle"]
    thief = device.copy()
    device.refreshed()
    device.signed_in()
    thief.refresh().refuse("token theft detected", "a refresh token used after its successor")
    true(not thief.tokens, f"the thief's tokens are taken away: {list(thief.tokens)}")
    same(app.admin("/info", handle=handle)["found"], False, "the session after theft")
    device.me(checked=True).refuse("unauthorised", "the owner after theft, checked")
    device.refresh().refuse("unauthorised", "the owner's refresh after theft")
    true("refresh" not in device.tokens, "the owner's tokens are taken away")


@check("a refresh token two generations old is reported as theft")
def old_generation(world):
    device = long_app(world).device()
    device.login(user())
    thief = device.copy()
    device.refreshed()
    device.refreshed()
    thief.refresh().refuse("token theft detected", "a refresh token two generations old")


@check("the timeline shows why a session ended in theft")
def why(world):
    device = long_app(world).device()
    handle = device.login(user())["handle"]
    thief = device.copy()
    device.refreshed()
    device.signed_in()
    before = world.core().timeline("long", handle).lower()
    true("reuse" not in before, f"no reuse before it happened: {before}")
    thief.refresh().refuse("token theft detected", "a stale refresh token")
    after = world.core().timeline("long", handle).lower()
    for word in ("created", "reuse", "revoked"):
        true(word in after, f"'{word}' in the timeline: {after}")
    for token in (*device.tokens.values(), *thief.tokens.values()):
        true(token.lower() not in after, "no token in the timeline")


@in_both_modes("sign out ends the session and takes the tokens away")
def sign_out(world, mode):
    app = long_app(world)
    device = app.device(mode)
    handle = device.login(user())["handle"]
    kept = device.copy()
    device.send("POST", "/auth/signout", {}).expect(200, "sign out")
    true(not device.tokens, f"no tokens after sign out: {list(device.tokens)}")
    device.me().expect(401, "a request without tokens")
    same(app.admin("/info", handle=handle)["found"], False, "the session after sign out")
    kept.refresh().refuse("unauthorised", "a refresh after sign out")


@in_both_modes("the application revokes its caller's session")
def revoke_own(world, mode):
    device = long_app(world).device(mode)
    device.login(user())
    kept = device.copy()
    device.send("POST", "/logout", {}).expect(200, "log out")
    true(not device.tokens, f"no tokens afterwards: {list(device.tokens)}")
    kept.refresh().refuse("unauthorised", "a refresh afterwards")


@check("checkDatabase refuses a revoked session at once, local verification until the token expires")
def blacklist(world):
    app = long_app(world)
    device = app.device()
    handle = device.login(user())["handle"]
    same(app.admin("/revoke", handle=handle)["done"], True, "revoked")
    device.me().expect(200, "local verification of a revoked session")
    device.me(checked=True, keep=False).refuse("unauthorised", "checked verification")
    same(app.admin("/revoke", handle=handle)["done"], False, "revoked a second time")


@check("damaged, foreign and made-up tokens are refused, never with an error")
def bad_tokens(world):
    app = long_app(world)
    device = app.device()
    device.login(user())
    head, body, signature = device.tokens["access"].split(".")
    flipped = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    no_algorithm = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIiwia2lkIjoiZC0xIiwidmVyc2lvbiI6IjUifQ"
    for token in (f"{head}.{body}.{flipped}", f"{no_algorithm}.{body}.", "a.b.c", "nonsense"):
        for path in ("/me", "/me-checked"):
            reply = send(app.port, "GET", path, headers={"Authorization": f"Bearer {token}"})
            same(reply.status, 401, f"status for {token[:20]}… on {path} ({reply.body[:200]})")
    refresh = device.tokens["refresh"]
    for token in (refresh[:-4] + "AAAA", refresh[: len(refresh) // 2], "nonsense", device.tokens["access"]):
        reply = send(app.port, "POST", "/auth/session/refresh", {}, {"Authorization": f"Bearer {token}"})
        reply.refuse("unauthorised", "a made-up refresh token")
    device.refreshed()
    device.signed_in()


@check("access tokens carry what the protocol version of this SDK requires")
def token_shape(world):
    device = long_app(world).device()
    device.login(user())
    header = device.token_header()
    same(header["alg"], "EdDSA", "alg")
    same(header["typ"], "JWT", "typ")
    true(header["kid"].startswith("d-"), f"kid {header['kid']}")
    claims = part(device.tokens["access"], 1)
    wanted = {"4": {"tId"}, "5": {"tId", "rsub"}}[header["version"]]
    true(wanted <= set(claims), f"claims of version {header['version']}: {sorted(claims)}")
    same(claims["antiCsrfToken"], None, "antiCsrfToken without anti-CSRF")
    true(isinstance(claims["iat"], int) and isinstance(claims["exp"], int), "iat and exp are integers")
