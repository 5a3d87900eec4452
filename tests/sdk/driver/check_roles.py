"""Roles, permissions and metadata of users, and roles in access tokens."""

from check_data import VALUES
from check_flow import in_both_modes, user
from harness import check, same

OK = {"status": "OK"}
UNKNOWN = {"status": "UNKNOWN_ROLE_ERROR"}


def app(world):
    return world.app("roles", "roles", ROLES="true")


def listed(answer, member):
    same(answer["status"], "OK", f"status beside {member}")
    return sorted(answer[member])


@check("a role is created, grows, shrinks and is removed")
def life_of_a_role(world):
    roles = app(world)
    role = user()
    same(roles.admin("/role/permissions", role=role), UNKNOWN, "permissions of an unknown role")
    same(roles.admin("/role", role=role, permissions=["a", "b"]), {**OK, "createdNewRole": True}, "created")
    same(roles.admin("/role", role=role, permissions=["b", "c"]), {**OK, "createdNewRole": False}, "extended")
    same(listed(roles.admin("/role/permissions", role=role), "permissions"), ["a", "b", "c"], "permissions")
    same(role in listed(roles.admin("/role/list"), "roles"), True, "among all roles")
    same(role in listed(roles.admin("/permission/roles", permission="c"), "roles"), True, "found by permission")
    same(roles.admin("/role/permissions/remove", role=role, permissions=["c", "never"]), OK, "permission removed")
    same(listed(roles.admin("/role/permissions", role=role), "permissions"), ["a", "b"], "permissions left")
    same(role in listed(roles.admin("/permission/roles", permission="c"), "roles"), False, "found by permission")
    same(roles.admin("/role/remove", role=role), {**OK, "didRoleExist": True}, "removed")
    same(roles.admin("/role/remove", role=role), {**OK, "didRoleExist": False}, "removed again")
    same(role in listed(roles.admin("/role/list"), "roles"), False, "among all roles afterwards")
    same(roles.admin("/role/permissions/remove", role=role, permissions=["a"]), UNKNOWN, "permission of no role")
    same(listed(roles.admin("/permission/roles", permission=role), "roles"), [], "roles with an unknown permission")


@check("users are given roles in a tenant, and lose them with the role")
def assignments(world):
    roles = app(world)
    roles.admin("/tenant", tenantId="t1")
    role, other, name = user(), user(), user()
    same(roles.admin("/user/role", userId=name, role=role), UNKNOWN, "given an unknown role")
    same(roles.admin("/role/users", role=role), UNKNOWN, "users of an unknown role")
    same(listed(roles.admin("/user/roles", userId=name), "roles"), [], "roles at first")
    for each in (role, other):
        roles.admin("/role", role=each, permissions=[])
        given = roles.admin("/user/role", userId=name, role=each)
        same(given, {**OK, "didUserAlreadyHaveRole": False}, "given")
    again = roles.admin("/user/role", userId=name, role=role)
    same(again, {**OK, "didUserAlreadyHaveRole": True}, "given again")
    same(listed(roles.admin("/user/roles", userId=name), "roles"), sorted([role, other]), "roles")
    same(listed(roles.admin("/user/roles", userId=name, tenantId="t1"), "roles"), [], "roles in another tenant")
    roles.admin("/user/role", userId=name, role=role, tenantId="t1")
    same(roles.admin("/role/users", role=role, tenantId="t1"), {**OK, "users": [name]}, "users in the tenant")
    taken = roles.admin("/user/role/remove", userId=name, role=other)
    same(taken, {**OK, "didUserHaveRole": True}, "taken away")
    taken = roles.admin("/user/role/remove", userId=name, role=other)
    same(taken, {**OK, "didUserHaveRole": False}, "taken away again")
    roles.admin("/role/remove", role=role)
    same(listed(roles.admin("/user/roles", userId=name), "roles"), [], "roles left")
    same(listed(roles.admin("/user/roles", userId=name, tenantId="t1"), "roles"), [], "roles left in the tenant")
    roles.admin("/role", role=role, permissions=[])
    same(roles.admin("/role/users", role=role), {**OK, "users": []}, "users of a new role of that name")


@in_both_modes("a route for a role refuses without it and passes with it")
def role_in_the_token(world, mode):
    roles = app(world)
    roles.admin("/role", role="admin", permissions=["read", "write"])
    name = user()
    device = roles.device(mode)
    device.login(name)
    same(device.claims()["st-role"]["v"], [], "roles in the token")
    for path, claim in (("/admins", "st-role"), ("/writers", "st-perm")):
        refused = device.send("GET", path).expect(403, f"{path} without the role").json
        same([error["id"] for error in refused["claimValidationErrors"]], [claim], "what is missing")
    roles.admin("/user/role", userId=name, role="admin")
    device.send("GET", "/admins").expect(403, "with a token from before")
    same(device.send("POST", "/roles").expect(200, "roles read anew").json["roles"], ["admin"], "roles")
    same(device.claims()["st-role"]["v"], ["admin"], "roles in the new token")
    same(sorted(device.claims()["st-perm"]["v"]), ["read", "write"], "permissions in the new token")
    for path in ("/admins", "/writers"):
        same(device.send("GET", path).expect(200, path).json, {"userId": name}, path)
    device.refreshed()
    device.send("GET", "/admins").expect(200, "after refresh")
    other = roles.device(mode)
    other.login(name)
    other.send("GET", "/writers").expect(200, "a later session")
    roles.admin("/user/role/remove", userId=name, role="admin")
    device.send("POST", "/roles").expect(200, "roles read anew")
    device.send("GET", "/admins").expect(403, "after the role was taken away")


@check("a user's metadata is merged, read and cleared")
def metadata(world):
    roles = app(world)
    name = user()
    same(roles.admin("/metadata", userId=name)["metadata"], {}, "metadata at first")
    update = {"a": {"x": 1, "none": None}, "b": [1], "c": True}
    same(roles.admin("/metadata/update", userId=name, update=update)["metadata"], update, "first update")
    merged = {"a": {"y": 2}, "b": [1]}
    answer = roles.admin("/metadata/update", userId=name, update={"a": {"y": 2}, "c": None})
    same(answer["metadata"], merged, "merged")
    same(roles.admin("/metadata", userId=name)["metadata"], merged, "read")
    same(roles.admin("/metadata/clear", userId=name)["status"], "OK", "cleared")
    same(roles.admin("/metadata", userId=name)["metadata"], {}, "metadata afterwards")
    roles.admin("/metadata/update", userId=name, update={"values": VALUES})
    same(roles.admin("/metadata", userId=name)["metadata"]["values"], VALUES, "unusual values")
