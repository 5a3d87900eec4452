// Claims in the access token: verified address, roles, permissions.
import { group } from "../case.js";
import { form, PASSWORD } from "../client.js";

const add = group("claims", "base");

async function give(t, userId, ...roles) {
  for (const [name, permissions] of roles) {
    await t.core("PUT", "/recipe/role", { role: t.own(name), permissions });
    await t.core("PUT", "/recipe/user/role", { userId, role: t.own(name) });
  }
}

for (const profile of ["base", "required", "no_roles", "no_permissions", "nothing"]) {
  if (profile === "nothing") continue;
  add.under(profile)("roles and permissions", async (t) => {
    const device = t.client("cookie");
    const { body } = await device.signUp(t.email());
    await give(t, body?.user?.id, ["reader", ["read"]]);
    await device.refresh(200, { note: "a refresh does not look" });
    await device.get("/user/email/verify", "OK", { note: "other claims stay" });
    await device.signIn(t.email(), "OK", { note: "a new session does" });
    await give(t, body?.user?.id, ["writer", ["read", "write"]], ["empty", []]);
    await device.signIn(t.email(), "OK", { note: "several roles" });
    await t.core("POST", "/recipe/user/role/remove", { userId: body?.user?.id, role: t.own("reader") });
    await device.signIn(t.email(), "OK", { note: "one fewer" });
    await t.core("POST", "/recipe/role/remove", { role: t.own("writer") });
    await t.core("POST", "/recipe/role/remove", { role: t.own("empty") });
    await device.signIn(t.email(), "OK", { note: "none" });
  });
}

for (const mode of ["cookie", "header"]) {
  for (const profile of ["base", "required"]) {
    add.under(profile)(`verified behind the session's back, ${mode}`, async (t) => {
      const device = t.client(mode);
      const { body } = await device.signUp(t.email());
      await t.verify(body?.user?.id, t.email());
      t.holds(device.payload()["st-ev"]?.v === false, "the token does not know yet");
      await device.refresh(200, { note: "nor after a refresh" });
      await device.get("/user/email/verify", "OK", { note: "but the route finds out" });
      t.holds(device.payload()["st-ev"]?.v === true, "and says so");
      await device.get("/user/email/verify", "OK", { note: "again" });
      await t.core("POST", "/recipe/user/email/verify/remove", { userId: body?.user?.id, email: t.email() });
      await device.get("/user/email/verify", "OK", { note: "and back" });
      t.holds(device.payload()["st-ev"]?.v === false, "unverified");
      await device.refresh();
      await device.signIn(t.email(), "OK", { note: "a new session" });
    });
  }
}

add("roles of a tenant", async (t) => {
  const tenant = await t.tenant({ firstFactors: null });
  const device = t.client("cookie");
  const { body } = await device.signUp(t.email());
  const userId = body?.user?.id;
  await t.core("POST", `/${tenant}/recipe/multitenancy/tenant/user`, { recipeUserId: userId });
  await give(t, userId, ["here", ["a"]]);
  await t.core("PUT", "/recipe/role", { role: t.own("there"), permissions: ["b"] });
  await t.core("PUT", `/${tenant}/recipe/user/role`, { userId, role: t.own("there") });
  await device.signIn(t.email(), "OK", { note: "in public" });
  const fields = {
    formFields: [
      { id: "email", value: t.email() },
      { id: "password", value: "pass-word-1" },
    ],
  };
  await device.post(`/${tenant}/signin`, fields, "OK", { note: "in the tenant" });
  await device.refresh();
  await device.get("/user/email/verify", "OK");
});

add.under("static_keys")("static keys sign", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await device.refresh();
  await device.get("/user/email/verify", "OK");
  await device.signOut();
});

add("a payload changed behind the session's back", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const sessionHandle = device.payload().sessionHandle;
  const { userDataInJWT } = await t.core("GET", `/recipe/session?sessionHandle=${sessionHandle}`);
  const more = { ...userDataInJWT, extra: { a: [1, "ü"] }, zero: null };
  await t.core("PUT", "/recipe/jwt/data", { sessionHandle, userDataInJWT: more });
  await device.refresh(200, { note: "a refresh shows it" });
  await device.get("/user/email/verify", "OK", { note: "an update drops what is null" });
  await device.get("/user/email/verify", "OK", { note: "again" });
});

for (const mode of ["cookie", "header"]) {
  add.under("required_all")(`routes for sessions that lack what is required, ${mode}`, async (t) => {
    const tenant = await t.tenant({ firstFactors: null });
    const required = { tenantId: tenant, requiredSecondaryFactors: ["totp"] };
    await t.core("PUT", "/recipe/multitenancy/tenant/v2", required);
    const device = t.client(mode);
    await device.post(`/${tenant}/signup`, form({ email: t.email(), password: PASSWORD }), "OK");
    const { "st-ev": verified, "st-mfa": factors } = device.payload();
    t.holds(verified?.v === false && factors?.v === false, "neither is met");
    await device.get("/user/email/verify", "OK", { note: "asks" });
    await device.post("/user/email/verify/token", undefined, "OK", { note: "wants a mail" });
    await device.post("/user/email/verify", { method: "token", token: "no" }, null, { note: "a wrong link" });
    await device.put("/mfa/info", undefined, "OK", { note: "what is to do" });
    await device.get("/totp/device/list", "OK", { note: "devices" });
    await device.post("/totp/device", { deviceName: "phone" }, "OK", { note: "a device" });
    await device.post("/totp/device/verify", { deviceName: "phone", totp: "x" }, null, { note: "a wrong code" });
    await device.post("/totp/verify", { totp: "x" }, null, { note: "a wrong code" });
    await device.post("/totp/device/remove", { deviceName: "phone" }, "OK", { note: "no device" });
    await device.refresh();
    await device.signOut();
  });
}
