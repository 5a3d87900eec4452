// What else the application has, apart from sessions, when PEOPLE=true: accounts with an e-mail and a password,
// required verification of the address, roles, metadata, lists of users, linked accounts. The routes:
// tests/sdk/driver/app.py.
import { Router } from "express";
import supertokens from "supertokens-node";
import AccountLinking from "supertokens-node/recipe/accountlinking/index.js";
import EmailPassword from "supertokens-node/recipe/emailpassword/index.js";
import EmailVerification from "supertokens-node/recipe/emailverification/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import UserMetadata from "supertokens-node/recipe/usermetadata/index.js";
import UserRoles from "supertokens-node/recipe/userroles/index.js";

// No mail is sent: mails that would be sent are kept and can be requested.
const mails = [];
const emailDelivery = {
  override: (original) => ({
    ...original,
    sendEmail: async (mail) => {
      mails.push({ type: mail.type, email: mail.user.email, link: mail.emailVerifyLink ?? mail.passwordResetLink });
    },
  }),
};

export const recipes = () => [
  EmailPassword.init({ emailDelivery }),
  EmailVerification.init({ mode: "REQUIRED", emailDelivery }),
  UserRoles.init(),
  UserMetadata.init(),
];

const describe = (user) => ({
  found: true,
  id: user.id,
  emails: user.emails,
  phoneNumbers: user.phoneNumbers,
  tenantIds: user.tenantIds,
  isPrimary: user.isPrimaryUser,
  timeJoined: user.timeJoined,
  methods: user.loginMethods.map((method) => ({
    recipeId: method.recipeId,
    recipeUserId: method.recipeUserId.getAsString(),
    email: method.email,
    verified: method.verified,
  })),
});

/** What a user does. */
export const routes = Router();

const needsRole = (role) =>
  verifySession({
    overrideGlobalClaimValidators: (validators) => [...validators, UserRoles.UserRoleClaim.validators.includes(role)],
  });
routes.get("/admin-only", needsRole("admin"), (req, res) => res.json({ userId: req.session.getUserId() }));
routes.get("/metadata", verifySession(), async (req, res) => {
  res.json({ metadata: (await UserMetadata.getUserMetadata(req.session.getUserId())).metadata });
});
routes.post("/metadata", verifySession(), async (req, res) => {
  const { metadata } = await UserMetadata.updateUserMetadata(req.session.getUserId(), req.body.update);
  res.json({ metadata });
});
routes.post("/change-password", verifySession(), async (req, res) => {
  const { oldPassword, newPassword } = req.body;
  const { session } = req;
  const [userId, tenant, recipeUserId] = [session.getUserId(), session.getTenantId(), session.getRecipeUserId()];
  const { loginMethods } = await supertokens.getUser(userId);
  const { email } = loginMethods.find((method) => method.recipeUserId.getAsString() === recipeUserId.getAsString());
  const known = await EmailPassword.verifyCredentials(tenant, email, oldPassword);
  if (known.status !== "OK") return res.json({ status: known.status });
  const { status } = await EmailPassword.updateEmailOrPassword({
    recipeUserId,
    password: newPassword,
    tenantIdForPasswordPolicy: tenant,
  });
  if (status === "OK") {
    const handles = await Session.getAllSessionHandlesForUser(userId);
    await Session.revokeMultipleSessions(handles.filter((handle) => handle !== session.getHandle()));
  }
  res.json({ status });
});

/** What the application's own code does, without a session. */
export const admin = Router();

admin.post("/mails", (req, res) => res.json({ mails: mails.filter((mail) => mail.email === req.body.email) }));
admin.post("/role", async (req, res) => {
  const { role, permissions } = req.body;
  res.json({ createdNew: (await UserRoles.createNewRoleOrAddPermissions(role, permissions)).createdNewRole });
});
admin.post("/role/give", async (req, res) => {
  const { userId, role, tenantId = "public" } = req.body;
  const { status, didUserAlreadyHaveRole } = await UserRoles.addRoleToUser(tenantId, userId, role);
  res.json({ status, hadIt: didUserAlreadyHaveRole });
});
admin.post("/role/list", async (req, res) => {
  const { userId, tenantId = "public" } = req.body;
  res.json({ roles: (await UserRoles.getRolesForUser(tenantId, userId)).roles });
});
admin.post("/metadata", async (req, res) => {
  res.json({ metadata: (await UserMetadata.getUserMetadata(req.body.userId)).metadata });
});
admin.post("/users", async (req, res) => {
  const { newestFirst, tenantId = "public", limit, paginationToken, query } = req.body;
  const list = newestFirst ? supertokens.getUsersNewestFirst : supertokens.getUsersOldestFirst;
  const { users, nextPaginationToken } = await list({ tenantId, limit, paginationToken, query });
  res.json({ users: users.map(({ id, emails }) => ({ id, emails })), next: nextPaginationToken ?? null });
});
admin.post("/users/count", async (_req, res) => res.json({ count: await supertokens.getUserCount() }));
admin.post("/users/by-info", async (req, res) => {
  const { accountInfo, union = false } = req.body;
  const users = await supertokens.listUsersByAccountInfo("public", accountInfo, union);
  res.json({ users: users.map(({ id, emails }) => ({ id, emails })) });
});
admin.post("/user", async (req, res) => {
  const user = await supertokens.getUser(req.body.userId);
  res.json(user ? describe(user) : { found: false });
});
admin.post("/user/remove", async (req, res) => {
  const { userId, allLinked = true } = req.body;
  res.json({ status: (await supertokens.deleteUser(userId, allLinked)).status });
});
admin.post("/link/primary", async (req, res) => {
  const answer = await AccountLinking.createPrimaryUser(supertokens.convertToRecipeUserId(req.body.recipeUserId));
  res.json({ status: answer.status, wasPrimary: answer.wasAlreadyAPrimaryUser });
});
admin.post("/link", async (req, res) => {
  const { recipeUserId, primaryUserId } = req.body;
  const answer = await AccountLinking.linkAccounts(supertokens.convertToRecipeUserId(recipeUserId), primaryUserId);
  const { status, accountsAlreadyLinked, user } = answer;
  res.json({ status, wereLinked: accountsAlreadyLinked, user: user && describe(user) });
});
admin.post("/unlink", async (req, res) => {
  const answer = await AccountLinking.unlinkAccount(supertokens.convertToRecipeUserId(req.body.recipeUserId));
  res.json({ wasLinked: answer.wasLinked, wasDeleted: answer.wasRecipeUserDeleted });
});
admin.post("/id/map", async (req, res) => {
  const { userId: superTokensUserId, externalUserId, force } = req.body;
  res.json(await supertokens.createUserIdMapping({ superTokensUserId, externalUserId, force }));
});
admin.post("/id/find", async (req, res) => {
  const answer = await supertokens.getUserIdMapping({ userId: req.body.userId, userIdType: req.body.kind });
  const { status, superTokensUserId, externalUserId, externalUserIdInfo } = answer;
  res.json({ status, internal: superTokensUserId ?? null, external: externalUserId ?? null, note: externalUserIdInfo ?? null });
});
admin.post("/id/note", async (req, res) => {
  const { userId, note } = req.body;
  const answer = await supertokens.updateOrDeleteUserIdMappingInfo({ userId, externalUserIdInfo: note });
  res.json({ status: answer.status });
});
admin.post("/id/unmap", async (req, res) => {
  const { userId, force } = req.body;
  res.json({ existed: (await supertokens.deleteUserIdMapping({ userId, force })).didMappingExist });
});
