"""Access-token payload and session data."""

from check_flow import in_both_modes, long_app, user
from harness import check, same, true

# JSON that other languages treat differently.
VALUES = {
    "text": "Grüße, 世界 🌍 \u0000\u001f \"'\\/",
    "nothing": {"inner": None},
    "list": [1, [2, {"three": []}], {}],
    "number": 1234567890123,
    "fraction": 0.1,
    "big": 1e21,
    "yes": True,
    "": "empty name",
}


@in_both_modes("a payload update by the session takes effect at once")
def own_payload(world, mode):
    device = long_app(world).device(mode)
    device.login(user(), payload={"kept": 1, "gone": 2})
    expiry = device.claims()["exp"]
    answer = device.send("POST", "/payload", {"update": {"new": {"a": [1]}, "gone": None}})
    answer.expect(200, "payload update")
    claims = device.claims()
    same((claims["kept"], claims["new"], "gone" in claims), (1, {"a": [1]}, False), "claims")
    same(claims["exp"], expiry, "expiry is not moved")
    same(device.signed_in()["payload"]["new"], {"a": [1]}, "payload")
    device.refreshed()
    same(device.signed_in()["payload"]["new"], {"a": [1]}, "payload after refresh")


@check("a payload update by handle takes effect at a checked request and at refresh")
def payload_by_handle(world):
    app = long_app(world)
    device = app.device()
    handle = device.login(user(), payload={"step": 1})["handle"]
    same(app.admin("/payload", handle=handle, update={"step": 2})["done"], True, "update")
    same(device.signed_in()["payload"]["step"], 1, "payload verified locally")
    same(device.signed_in(checked=True)["payload"]["step"], 2, "payload when checked")
    same(device.claims()["step"], 2, "the checked request renews the token")
    app.admin("/payload", handle=handle, update={"step": 3})
    device.refreshed()
    same(device.claims()["step"], 3, "payload after refresh")
    same(app.admin("/payload", handle="unknown", update={})["done"], False, "unknown handle")


@check("protected claims cannot be set from a payload")
def protected(world):
    app = long_app(world)
    device = app.device()
    name = user()
    handle = device.login(name, payload={"sub": "someone", "sessionHandle": "other", "fine": 1})["handle"]
    same((device.claims()["sub"], device.claims()["fine"]), (name, 1), "claims")
    reply = app.try_admin("/payload", handle=handle, update={"sub": "someone else"})
    reply.expect(500, "update of a protected claim")
    true("protected field" in reply.message, f"reason: {reply.message}")
    same(app.admin("/info", handle=handle)["payload"].get("sub", name), name, "stored payload")
    device.refreshed()
    same(device.signed_in()["userId"], name, "user")


@in_both_modes("session data is replaced and read")
def own_data(world, mode):
    device = long_app(world).device(mode)
    device.login(user(), data={"first": 1})
    same(device.send("GET", "/data").json["data"], {"first": 1}, "data")
    device.send("POST", "/data", {"data": {"second": 2}}).expect(200, "update")
    same(device.send("GET", "/data").json["data"], {"second": 2}, "replaced data")
    device.refreshed()
    same(device.send("GET", "/data").json["data"], {"second": 2}, "data after refresh")


@check("session data is updated by handle")
def data_by_handle(world):
    app = long_app(world)
    device = app.device()
    handle = device.login(user())["handle"]
    same(app.admin("/data", handle=handle, data={"a": 1})["done"], True, "update")
    info = app.admin("/info", handle=handle)
    same(info["data"], {"a": 1}, "data")
    true(info["expiry"] > info["timeCreated"], "expiry after creation")
    same(app.admin("/data", handle="unknown", data={})["done"], False, "unknown handle")
    same(app.admin("/info", handle="unknown"), {"found": False}, "unknown handle's information")


@check("unusual JSON values come back unchanged")
def round_trip(world):
    app = long_app(world)
    device = app.device()
    handle = device.login(user(), payload={"v": VALUES}, data=VALUES)["handle"]
    same(device.claims()["v"], VALUES, "claims")
    same(device.signed_in()["payload"]["v"], VALUES, "payload")
    same(device.signed_in(checked=True)["payload"]["v"], VALUES, "payload when checked")
    info = app.admin("/info", handle=handle)
    same((info["data"], info["payload"]["v"]), (VALUES, VALUES), "stored values")


@check("sessions are listed by user; one, several or all of them are revoked")
def listing(world):
    app = long_app(world)
    name = user()
    devices = [app.device() for _ in range(5)]
    handles = [device.login(name)["handle"] for device in devices]
    other = app.device()
    other.login(user())

    def listed():
        return set(app.admin("/sessions", userId=name)["handles"])

    same(listed(), set(handles), "all sessions")
    same(app.admin("/revoke", handle=handles[0])["done"], True, "one")
    same(listed(), set(handles[1:]), "after one")
    gone = app.admin("/revoke", handles=[handles[1], "unknown", handles[0]])["handles"]
    same(gone, [handles[1]], "only the sessions that existed")
    same(set(app.admin("/revoke", userId=name)["handles"]), set(handles[2:]), "all the others")
    same(listed(), set(), "after all")
    same(app.admin("/revoke", userId=name)["handles"], [], "nothing left")
    same(app.admin("/sessions", userId="nobody")["handles"], [], "an unknown user")
    for device in devices:
        device.refresh().refuse("unauthorised", "refresh of a revoked session")
    other.refreshed()
