// A small Express application that keeps its sessions in sessiond through the official Node SDK.
// Settings come from the environment; tests/sdk/driver/app.py names them and the routes.
import { existsSync } from "node:fs";
import express from "express";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import Multitenancy from "supertokens-node/recipe/multitenancy/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import * as awaited from "./awaited.js";
import * as people from "./people.js";
import * as roles from "./roles.js";
import * as ways from "./ways.js";

const env = process.env;
const port = Number(env.APP_PORT);
const origin = `http://localhost:${port}`;

supertokens.init({
  framework: "express",
  telemetry: false,
  appInfo: { appName: "node app", apiDomain: origin, websiteDomain: origin },
  supertokens: { connectionURI: env.CORE_URI, apiKey: env.CORE_API_KEY || undefined },
  recipeList: [
    Session.init({
      antiCsrf: env.ANTI_CSRF || "NONE",
      useDynamicAccessTokenSigningKey: env.STATIC_KEYS !== "true",
      cookieDomain: env.SITES === "shared" ? ".shop.example" : undefined,
    }),
    ...(env.WAYS === "true" ? ways.recipes() : [Multitenancy.init()]),
    ...(env.PEOPLE === "true" ? people.recipes() : []),
    ...(env.ROLES === "true" ? roles.recipes() : []),
    ...(env.AWAITED === "true" ? awaited.recipes() : []),
  ],
});

const app = express();
app.get("/health", (_req, res) => res.send("ok"));
app.use(middleware());
app.use(express.json());
if (env.STATIC_DIR) app.use(express.static(env.STATIC_DIR));

const describe = (session) => ({
  handle: session.getHandle(),
  userId: session.getUserId(),
  tenantId: session.getTenantId(),
  payload: session.getAccessTokenPayload(),
});

// --- what a user does

app.post("/login", async (req, res) => {
  const { userId, payload = {}, data = {}, tenantId = "public" } = req.body;
  const id = supertokens.convertToRecipeUserId(userId);
  res.json(describe(await Session.createNewSession(req, res, tenantId, id, payload, data)));
});
app.get("/me", verifySession(), (req, res) => res.json(describe(req.session)));
app.post("/me", verifySession(), (req, res) => res.json(describe(req.session)));
app.get("/me-checked", verifySession({ checkDatabase: true }), (req, res) => res.json(describe(req.session)));
app.post("/me-checked", verifySession({ checkDatabase: true }), (req, res) => res.json(describe(req.session)));
app.post("/payload", verifySession(), async (req, res) => {
  await req.session.mergeIntoAccessTokenPayload(req.body.update);
  res.json(describe(req.session));
});
app.get("/data", verifySession(), async (req, res) => {
  res.json({ data: await req.session.getSessionDataFromDatabase() });
});
app.post("/data", verifySession(), async (req, res) => {
  await req.session.updateSessionDataInDatabase(req.body.data);
  res.json({});
});
app.post("/logout", verifySession(), async (req, res) => {
  await req.session.revokeSession();
  res.json({});
});

if (env.PEOPLE === "true") app.use(people.routes);
if (env.ROLES === "true") app.use(roles.routes);
if (env.WAYS === "true") app.use(ways.routes);

// --- what the application's own code does, without a session

const admin = express.Router();
app.use("/admin", admin);
if (env.PEOPLE === "true") admin.use(people.admin);
if (env.ROLES === "true") admin.use(roles.admin);
if (env.WAYS === "true") admin.use(ways.admin);
if (env.AWAITED === "true") admin.use(awaited.admin);
admin.post("/info", async (req, res) => {
  const info = await Session.getSessionInformation(req.body.handle);
  res.json(
    info
      ? {
          found: true,
          userId: info.userId,
          tenantId: info.tenantId,
          expiry: info.expiry,
          timeCreated: info.timeCreated,
          data: info.sessionDataInDatabase,
          payload: info.customClaimsInAccessTokenPayload,
        }
      : { found: false },
  );
});
admin.post("/payload", async (req, res) => {
  res.json({ done: await Session.mergeIntoAccessTokenPayload(req.body.handle, req.body.update) });
});
admin.post("/data", async (req, res) => {
  res.json({ done: await Session.updateSessionDataInDatabase(req.body.handle, req.body.data) });
});
admin.post("/sessions", async (req, res) => {
  const { userId, tenantId } = req.body;
  res.json({ handles: await Session.getAllSessionHandlesForUser(userId, true, tenantId) });
});
admin.post("/revoke", async (req, res) => {
  const { handle, handles, userId, tenantId } = req.body;
  if (handle !== undefined) res.json({ done: await Session.revokeSession(handle) });
  else if (handles !== undefined) res.json({ handles: await Session.revokeMultipleSessions(handles) });
  else res.json({ handles: await Session.revokeAllSessionsForUser(userId, true, tenantId) });
});
admin.post("/tenant", async (req, res) => {
  const answer = await Multitenancy.createOrUpdateTenant(req.body.tenantId, {});
  res.json({ createdNew: answer.createdNew });
});
admin.post("/tenant/get", async (req, res) => {
  res.json({ found: (await Multitenancy.getTenant(req.body.tenantId)) !== undefined });
});
admin.post("/tenant/list", async (_req, res) => {
  const { tenants } = await Multitenancy.listAllTenants();
  res.json({ tenants: tenants.map((tenant) => tenant.tenantId) });
});
admin.post("/tenant/remove", async (req, res) => {
  res.json({ didExist: (await Multitenancy.deleteTenant(req.body.tenantId)).didExist });
});
admin.post("/jwt", async (req, res) => {
  const { payload, validity, useStatic } = req.body;
  const answer = await Session.createJWT(payload, validity, useStatic);
  res.json({ status: answer.status, jwt: answer.jwt });
});
admin.post("/jwt/verify", async (req, res) => {
  // As another service would do it: it knows only the address of the JWKS.
  const keys = createRemoteJWKSet(new URL(`${env.CORE_URI}/.well-known/jwks.json`));
  try {
    const { payload } = await jwtVerify(req.body.jwt, keys);
    res.json({ valid: true, payload, header: decodeProtectedHeader(req.body.jwt) });
  } catch (error) {
    res.json({ valid: false, reason: String(error) });
  }
});
admin.post("/jwks", async (_req, res) => res.json({ keys: (await Session.getJWKS()).keys }));

// A single-page site handles its own addresses.
if (env.STATIC_DIR && existsSync(`${env.STATIC_DIR}/index.html`)) {
  app.get("/{*path}", (_req, res) => res.sendFile(`${env.STATIC_DIR}/index.html`));
}

app.use(errorHandler());
app.use((error, _req, res, _next) => res.status(500).json({ error: String(error?.message ?? error) }));

const server = app.listen(port, "127.0.0.1");
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
