"""Two tenants of one app."""

from check_flow import in_both_modes, user
from harness import check, same, true


def app(world):
    app = world.app("tenants", "tenants")
    for tenant in ("t1", "t2"):
        app.admin("/tenant", tenantId=tenant)
    return app


@check("tenants are created once, listed, found and removed")
def life(world):
    tenants = app(world)
    same(tenants.admin("/tenant", tenantId="passing")["createdNew"], True, "createdNew at first")
    same(tenants.admin("/tenant", tenantId="passing")["createdNew"], False, "createdNew again")
    listed = set(tenants.admin("/tenant/list")["tenants"])
    same(listed, {"public", "t1", "t2", "passing"}, "tenants")
    same(tenants.admin("/tenant/get", tenantId="passing")["found"], True, "found")
    device = tenants.device()
    device.login(user(), tenantId="passing")
    same(tenants.admin("/tenant/remove", tenantId="passing")["didExist"], True, "removed")
    same(tenants.admin("/tenant/remove", tenantId="passing")["didExist"], False, "removed again")
    same(tenants.admin("/tenant/get", tenantId="passing")["found"], False, "found afterwards")
    device.refresh().refuse("unauthorised", "refresh of a session whose tenant is gone")


@in_both_modes("sessions of two tenants live side by side")
def two_tenants(world, mode):
    tenants = app(world)
    devices = {name: tenants.device(mode) for name in ("public", "t1", "t2")}
    name = user()
    handles = {}
    for tenant, device in devices.items():
        session = device.login(name, tenantId=tenant)
        same(session["tenantId"], tenant, "tenant of the session")
        same(device.claims()["tId"], tenant, "tenant in the token")
        handles[tenant] = session["handle"]
        true(tenant == "public" or handles[tenant].endswith(f"_{tenant}"), f"handle {handles[tenant]}")
    for tenant, device in devices.items():
        same(device.signed_in()["tenantId"], tenant, "tenant, verified locally")
        same(device.signed_in(checked=True)["tenantId"], tenant, "tenant, checked")
        device.refreshed()
        same(device.signed_in()["tenantId"], tenant, "tenant after refresh")
        same(tenants.admin("/info", handle=handles[tenant])["tenantId"], tenant, "information")


@check("sessions are listed and revoked in one tenant or in all")
def by_tenant(world):
    tenants = app(world)
    name = user()
    devices = {tenant: tenants.device() for tenant in ("public", "t1", "t2")}
    handles = {tenant: device.login(name, tenantId=tenant)["handle"] for tenant, device in devices.items()}

    def listed(**where):
        return set(tenants.admin("/sessions", userId=name, **where)["handles"])

    same(listed(tenantId="t1"), {handles["t1"]}, "sessions in t1")
    same(listed(tenantId="public"), {handles["public"]}, "sessions in public")
    gone = tenants.admin("/revoke", userId=name, tenantId="t1")["handles"]
    same(gone, [handles["t1"]], "revoked in t1")
    devices["t1"].me(checked=True).refuse("unauthorised", "the session in t1")
    devices["t2"].signed_in(checked=True)
    same(listed(), {handles["public"], handles["t2"]}, "sessions in all tenants")
    gone = set(tenants.admin("/revoke", userId=name)["handles"])
    same(gone, {handles["public"], handles["t2"]}, "revoked in all tenants")


@check("an unknown tenant is refused with a clear error")
def unknown(world):
    reply = app(world).device().send("POST", "/login", {"userId": user(), "tenantId": "nowhere"})
    reply.expect(500, "sign in to an unknown tenant")
    true("combination not found" in reply.message, f"reason: {reply.message}")
