// Paths, methods, tenants, versions, keys, discovery and login methods.
import { group } from "../case.js";
import { form } from "../client.js";

const add = group("routes", "base");

const PATHS = [
  ["GET", "/jwt/jwks.json", 200],
  ["GET", "/jwt/jwks.json/", 200],
  ["GET", "/jwt/jwks.json//", 200],
  ["GET", "/jwt/jwks.json///", 404],
  ["GET", "//jwt/jwks.json", 404],
  ["GET", "/jwt//jwks.json", 404],
  ["GET", "/jwt/jwks.json?x=1", 200],
  ["GET", "/jwt/jwks.json/?x=1", 200],
  ["GET", "/jwt/JWKS.json", 404],
  ["GET", "/jwt/jwks%2ejson", 404],
  ["GET", "/public/jwt/jwks.json", 200],
  ["GET", "/public/jwt/jwks.json/", 200],
  ["GET", "/PUBLIC/jwt/jwks.json", 200],
  ["GET", "/nobody/jwt/jwks.json", 200],
  ["GET", "/a_b/jwt/jwks.json", 404],
  ["GET", "/a/b/jwt/jwks.json", 404],
  ["POST", "/jwt/jwks.json", 404],
  ["HEAD", "/jwt/jwks.json", 404],
  ["PUT", "/signin", 404],
  ["GET", "/signin", 404],
  ["DELETE", "/signout", 404],
  ["GET", "/signout", 404],
  ["GET", "/session/refresh", 404],
  ["PATCH", "/session/refresh", 404],
  ["GET", "/signin/", 404],
  ["GET", "/", 404],
  ["GET", "", 404],
  ["POST", "/signinup/code", 404],
  ["GET", "/passwordless/email/exists?email=a@b.cd", 404],
  ["GET", "/authorisationurl?thirdPartyId=google", 404],
  ["PUT", "/mfa/info", 404],
  ["POST", "/totp/device", 404],
  ["GET", "/webauthn/email/exists?email=a@b.cd", 404],
  ["GET", "/.well-known/openid-configuration", 200],
  ["GET", "/.well-known/openid-configuration/", 200],
  ["GET", "/public/.well-known/openid-configuration", 200],
  ["GET", "/.well-known/jwks.json", 404],
  ["GET", "/loginmethods", 200],
  ["GET", "/public/loginmethods", 200],
  ["GET", "/Public/loginmethods", 200],
  ["GET", "/loginmethods?clientType=web", 200],
  ["GET", "/nobody/loginmethods", 500],
];

add("paths", async (t) => {
  const device = t.client("cookie");
  for (const [method, path, want] of PATHS) {
    await device.send(method, path, undefined, want, { note: `${method} ${path}`, forget: true });
  }
  for (const path of [
    "/jwt/jwks.json",
    "/AUTH/jwt/jwks.json",
    "/auth2/jwt/jwks.json",
    "/recipe/signin",
    "/hello",
    "/",
  ]) {
    await device.get(path, 404, { absolute: true, note: `GET ${path}, beside the base path` });
  }
});

for (const profile of [
  "nothing",
  "fields",
  "codes",
  "phone_code",
  "mail_link",
  "first_factors",
  "mfa",
  "moved",
  "required",
]) {
  add.under(profile)("login methods and keys of this configuration", async (t) => {
    const device = t.client("cookie");
    await device.get("/loginmethods", "OK");
    const tenant = await t.tenant();
    await device.get(`/${tenant}/loginmethods`, "OK", { note: "a new tenant" });
    await t.core("PUT", "/recipe/multitenancy/tenant/v2", { tenantId: tenant, firstFactors: ["otp-phone", "custom"] });
    await device.get(`/${tenant}/loginmethods`, "OK", { note: "a tenant's own" });
    await device.get(`/${tenant.toUpperCase()}/loginmethods`, "OK", { note: "in capitals" });
    await t.core("PUT", "/recipe/multitenancy/tenant/v2", { tenantId: tenant, firstFactors: [] });
    await device.get(`/${tenant}/loginmethods`, "OK", { note: "none at all" });
    await device.get("/.well-known/openid-configuration", 200);
    await device.get("/jwt/jwks.json", 200);
    await device.post("/signup", {}, t.settings.recipe_list.includes("emailpassword") ? 400 : 404);
    await device.refresh([t.expired, "unauthorised"], { note: "refresh without tokens" });
    await device.signOut([t.expired, "unauthorised"], { note: "sign-out without tokens" });
  });
}

for (const version of [
  null,
  "",
  "x",
  "1.15",
  "1.17",
  "1.18",
  "1.19",
  "2.0",
  "3.0",
  "3.1",
  "4.2",
  "9.9",
  "1.16,1.17",
  "2.0,3.0",
  "3.1, 2.0",
]) {
  add(`fdi-version ${version}`, async (t) => {
    const device = t.client("cookie");
    const options = { headers: { "fdi-version": version } };
    await device.signUp(t.email(), "OK", options);
    await device.signIn(t.email(), "OK", options);
    const fields = form({ email: t.email(), password: "pass-word-1" }, {});
    await device.post("/signin", fields, "OK", { ...options, note: "sign-in without the flag" });
  });
}

for (const rid of [
  null,
  "",
  "emailpassword",
  "session",
  "passwordless",
  "thirdpartyemailpassword",
  "nonsense",
  "anti-csrf",
]) {
  add(`rid ${rid}`, async (t) => {
    const device = t.client("cookie");
    const headers = { rid };
    await device.signUp(t.email(), "OK", { headers });
    await device.get("/jwt/jwks.json", 200, { headers });
    await device.get(`/signup/email/exists?email=${t.email()}`, "OK", { headers });
    await device.refresh(200, { headers });
    await device.signOut("OK", { headers });
  });
}

add("people of a tenant", async (t) => {
  const tenant = await t.tenant({ firstFactors: null });
  const device = t.client("cookie");
  const fields = form({ email: t.email(), password: "pass-word-1" });
  await device.post(`/${tenant}/signup`, fields, "OK");
  t.holds(device.payload().tId === tenant, "the session is the tenant's");
  await device.post(`/${tenant}/signin`, fields, "OK");
  await device.get("/user/email/verify", "OK", { note: "verified elsewhere" });
  await t.client("cookie").signIn(t.email(), "WRONG_CREDENTIALS_ERROR", { note: "not of the public tenant" });
  await device.get(`/${tenant}/emailpassword/email/exists?email=${t.email()}`, "OK", { note: "exists there" });
  await device.get(`/emailpassword/email/exists?email=${t.email()}`, "OK", { note: "exists here" });
  await device.post(`/${tenant.toUpperCase()}/signin`, fields, "OK", { note: "the name in capitals" });
  await device.refresh();
  await device.post("/nobody/signin", fields, 500, { note: "a tenant that does not exist", forget: true });
  await device.post("/nobody/signup", fields, 500, { note: "sign-up there", forget: true });
  await device.get(`/nobody/emailpassword/email/exists?email=${t.email()}`, 500, {
    note: "exists there?",
    forget: true,
  });
  await t.core("PUT", "/recipe/multitenancy/tenant/v2", { tenantId: tenant, firstFactors: ["thirdparty"] });
  await device.post(`/${tenant}/signin`, fields, [401, "unauthorised"], {
    note: "no longer a first factor",
    forget: true,
  });
  await device.post(`/${tenant}/signup`, fields, [401, "unauthorised"], { note: "sign-up neither", forget: true });
  await device.signOut();
});
