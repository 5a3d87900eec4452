// What else the application has, apart from sessions, when ROLES=true: roles and permissions, which sessions carry, and
// metadata. The routes: tests/sdk/driver/app.py.
import { Router } from "express";
import UserMetadata from "supertokens-node/recipe/usermetadata/index.js";
import UserRoles from "supertokens-node/recipe/userroles/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";

export const recipes = () => [UserRoles.init(), UserMetadata.init()];

/** What a user does. */
export const routes = Router();

const requiring = (validator) =>
  verifySession({ overrideGlobalClaimValidators: (others) => [...others, validator] });

const admins = requiring(UserRoles.UserRoleClaim.validators.includes("admin"));
routes.get("/admins", admins, (req, res) => res.json({ userId: req.session.getUserId() }));
const writers = requiring(UserRoles.PermissionClaim.validators.includes("write"));
routes.get("/writers", writers, (req, res) => res.json({ userId: req.session.getUserId() }));
routes.post("/roles", verifySession(), async (req, res) => {
  await req.session.fetchAndSetClaim(UserRoles.UserRoleClaim);
  await req.session.fetchAndSetClaim(UserRoles.PermissionClaim);
  res.json({ roles: await req.session.getClaimValue(UserRoles.UserRoleClaim) });
});

/** What the application's own code does, without a session. */
export const admin = Router();

const on = (path, act) =>
  admin.post(path, async (req, res) => {
    const { tenantId = "public", ...rest } = req.body;
    res.json(await act({ tenantId, ...rest }));
  });
on("/role", ({ role, permissions }) => UserRoles.createNewRoleOrAddPermissions(role, permissions));
on("/role/remove", ({ role }) => UserRoles.deleteRole(role));
on("/role/list", () => UserRoles.getAllRoles());
on("/role/users", ({ tenantId, role }) => UserRoles.getUsersThatHaveRole(tenantId, role));
on("/role/permissions", ({ role }) => UserRoles.getPermissionsForRole(role));
on("/role/permissions/remove", ({ role, permissions }) => UserRoles.removePermissionsFromRole(role, permissions));
on("/permission/roles", ({ permission }) => UserRoles.getRolesThatHavePermission(permission));
on("/user/role", ({ tenantId, userId, role }) => UserRoles.addRoleToUser(tenantId, userId, role));
on("/user/role/remove", ({ tenantId, userId, role }) => UserRoles.removeUserRole(tenantId, userId, role));
on("/user/roles", ({ tenantId, userId }) => UserRoles.getRolesForUser(tenantId, userId));
on("/metadata", ({ userId }) => UserMetadata.getUserMetadata(userId));
on("/metadata/update", ({ userId, update }) => UserMetadata.updateUserMetadata(userId, update));
on("/metadata/clear", ({ userId }) => UserMetadata.clearUserMetadata(userId));
