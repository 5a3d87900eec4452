"""Tenants from the users' point of view: separate login methods, one login for many sub-domains, one login for each."""

from check_flow import in_both_modes
from check_people import PASSWORD, account, address, refused_by, verified
from check_third_party import app as ways
from check_third_party import house, new, person, sign_in
from harness import check, same, true
from offers import offers

PORT = ":8080"


def by_method(world):
    """Tenant paper allows only passwords, tenant cloud only the provider."""
    app = ways(world)
    with world.locks["by method"]:
        if not app.admin("/tenant/get", tenantId="cloud")["found"]:
            for tenant, method in (("paper", "emailpassword"), ("cloud", "thirdparty")):
                app.admin("/tenant/methods", tenantId=tenant, firstFactors=[method])
                house(world, app, tenant)
    return app


def refused(reply, what):
    """Refused by the SDK, or by the core through it; in any case without a session."""
    true(reply.status in (401, 403) or reply.status == 500 and "not enabled" in reply.body, f"{what}: {reply.status} {reply.body}")


@check("each tenant offers its own login methods, and refuses the others")
def methods(world):
    app = by_method(world)
    offered = {}
    for tenant in ("paper", "cloud"):
        found = app.device().send("GET", f"/auth/{tenant}/loginmethods").expect(200, "loginmethods").json
        offered[tenant] = {name: found[name]["enabled"] for name in ("emailPassword", "thirdParty", "passwordless")}
        names = [provider["id"] for provider in found["thirdParty"]["providers"]]
        same(names, ["house"], f"providers of {tenant}")
    none = dict.fromkeys(("emailPassword", "thirdParty", "passwordless"), False)
    same(offered, {"paper": {**none, "emailPassword": True}, "cloud": {**none, "thirdParty": True}}, "methods offered")
    same(new(sign_in(world, app.device(), "cloud", person(world))), True, "the provider at cloud")
    device = app.device()
    email, user_id = account(app, app.device(), "paper", "paper")
    same(app.admin("/tenant/user", tenantId="cloud", userId=user_id)["status"], "OK", "the user is in both tenants")
    for path, at in (("signin", email), ("signup", address("cloud"))):
        fields = [{"id": "email", "value": at}, {"id": "password", "value": PASSWORD}]
        refused(device.send("POST", f"/auth/cloud/{path}", {"formFields": fields}), f"{path} with a password at cloud")
    same(device.tokens, {}, "no session")
    same(device.form("/auth/paper/signin", email=email, password=PASSWORD)["status"], "OK", "sign-in at paper")


def site(tenant):
    return f"{tenant}.shop.example{PORT}"


def sign_up(app, device, tenant, name):
    """On a page that names no tenant; the mailed link names it."""
    email = address(name)
    answer = device.form("/auth/signup", email=email, password=PASSWORD)
    same(answer["status"], "OK", f"sign-up at {device.host}")
    verified(app, device, email, tenant)
    return email, answer["user"]["id"]


@in_both_modes("one login per sub-domain: the address tells the tenant, a session of one is refused at the other")
def own_logins(world, mode):
    app = world.app("sites-own", "sites-own", PEOPLE="true", WAYS="true", SITES="own")
    devices, users = {}, {}
    for tenant in ("a", "b"):
        app.admin("/tenant/methods", tenantId=tenant, firstFactors=["emailpassword"])
        device = devices[tenant] = app.device(mode, site(tenant))
        email, users[tenant] = sign_up(app, device, tenant, "own")
        same(device.claims()["tId"], tenant, "tenant in the token")
        true(not device.cookie_domain, f"cookies are for this host only, not {device.cookie_domain}")
        found = device.send("GET", "/site").expect(200, "the own site").json
        same(found, {"site": tenant, "userId": users[tenant]}, "at the own site")
    # Only b knows the last address.
    for tenant, status in (("a", "WRONG_CREDENTIALS_ERROR"), ("b", "OK")):
        same(app.device(mode, site(tenant)).form("/auth/signin", email=email, password=PASSWORD)["status"], status, f"sign-in at {tenant}")
    for tenant, other in (("a", "b"), ("b", "a")):
        strayed = devices[tenant].copy()
        strayed.host = site(other)
        refused_by(strayed.send("GET", "/site"), "st-t-dmns", f"a session of {tenant} at {other}")
    for device in devices.values():
        device.refreshed()
        device.send("GET", "/site").expect(200, "the own site after a refresh")


@in_both_modes("one login for many sub-domains: one session serves the sites of all tenants of the user, and no others")
def shared_login(world, mode):
    app = world.app("sites-shared", "sites-shared", PEOPLE="true", WAYS="true", SITES="shared")
    for tenant in ("a", "b", "c"):
        app.admin("/tenant/methods", tenantId=tenant, firstFactors=["emailpassword"])
    device = app.device(mode, "login.shop.example" + PORT)
    email, user_id = sign_up(app, device, "public", "shared")
    if mode == "cookie":
        same(device.cookie_domain.lstrip("."), "shop.example", "domain of the cookies")

    def sites(device):
        """The tenants whose sites accept the session."""
        answers = {}
        for tenant in ("a", "b", "c"):
            device.host = site(tenant)
            answers[tenant] = device.send("GET", "/site").status
        true(set(answers.values()) <= {200, 403}, f"answers: {answers}")
        return [tenant for tenant, status in answers.items() if status == 200]

    same(sites(device), [], "sites before the user is in a tenant")
    for tenant in ("a", "b"):
        same(app.admin("/tenant/user", tenantId=tenant, userId=user_id)["status"], "OK", f"added to {tenant}")
    same(sites(device), ["a", "b"], "sites")
    found = app.admin("/user", userId=user_id)["tenantIds"]
    same(sorted(found), ["a", "b", "public"], "tenants of the user")
    same(app.admin("/tenant/user/remove", tenantId="b", userId=user_id)["status"], "OK", "taken out of b")
    device.refreshed()
    same(sites(device), ["a"], "sites afterwards, with the same session")
    other = app.device().form("/auth/c/signup", email=email, password=PASSWORD)
    same(other["status"], "OK", "somebody else signs up at c with the address")
    if offers(world, "account linking"):
        same(app.admin("/link/primary", recipeUserId=user_id)["status"], "OK", "primary")
    clash = app.try_admin("/tenant/user", tenantId="c", userId=user_id)
    if offers(world, "association errors"):
        same(clash.json["status"], "EMAIL_ALREADY_EXISTS_ERROR", "added to c, where the address is somebody's")
    else:
        same(clash.status, 500, f"added to c, where the address is somebody's: {clash.body}")
    same(sites(device), ["a"], "sites after the refusal")
