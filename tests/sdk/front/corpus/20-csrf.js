// The three CSRF modes, the attributes of cookies, and CORS.
import { group } from "../case.js";
import { form } from "../client.js";

const token = group("csrf", "csrf_token");

token("the token has to come back", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  t.holds(device.antiCsrf && device.antiCsrf === device.payload().antiCsrfToken, "the header equals the claim");
  const again = [401, "try refresh token"];
  const without = { headers: { "anti-csrf": null }, forget: true };
  const wrong = { headers: { "anti-csrf": "wrong" }, forget: true };
  await device.post("/user/email/verify/token", undefined, again, { ...without, note: "POST without" });
  await device.post("/user/email/verify/token", undefined, again, { ...wrong, note: "POST with another" });
  await device.get("/user/email/verify", "OK", { ...without, note: "GET without" });
  await device.get("/user/email/verify", "OK", { ...wrong, note: "GET with another" });
  await device.post("/signout", undefined, again, { ...without, note: "sign-out without" });
  await device.post("/user/email/verify/token", undefined, "OK", { forget: true, note: "POST with" });
  await device.post("/user/email/verify", { token: "x", method: "token" }, again, {
    ...without,
    note: "optional session",
  });
});

token("refresh compares it, too", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const before = device.antiCsrf;
  await device.refresh([401, "unauthorised"], { headers: { "anti-csrf": null }, forget: true, note: "without" });
  await device.refresh([401, "unauthorised"], { headers: { "anti-csrf": "x" }, forget: true, note: "another" });
  await device.refresh();
  t.holds(device.antiCsrf !== before, "a new one each time");
  await device.get("/user/email/verify", "OK", { note: "first use echoes it" });
  await device.refresh(200, { note: "refresh without rid", headers: { rid: null } });
  await device.post("/user/email/verify/token", undefined, "OK", { note: "first use by POST" });
  await device.signOut();
  t.holds(device.antiCsrf === undefined, "nothing is left");
});

token("no check in headers", async (t) => {
  const device = t.client("header");
  await device.signUp(t.email());
  t.holds(device.payload().antiCsrfToken === null, "no token is made");
  await device.post("/user/email/verify/token", undefined, "OK");
  await device.refresh();
  await device.signOut();
});

for (const profile of ["csrf_header", "cross_site"]) {
  const custom = token.under(profile);
  custom("a rid of any kind is enough", async (t) => {
    const device = t.client("cookie");
    await device.signUp(t.email(), "OK");
    const without = { headers: { rid: null }, forget: true };
    await device.post("/user/email/verify/token", undefined, [401, "try refresh token"], {
      ...without,
      note: "POST without",
    });
    await device.post("/user/email/verify/token", undefined, "OK", {
      headers: { rid: "x" },
      forget: true,
      note: "any rid",
    });
    await device.get("/user/email/verify", "OK", { ...without, note: "GET without" });
    await device.refresh([401, "unauthorised"], { ...without, note: "refresh without" });
    await device.refresh(200);
    await device.get("/user/email/verify", "OK", { ...without, forget: false, note: "first use" });
    await device.signOut([401, "try refresh token"], { ...without, note: "sign-out without" });
    await device.signOut();
  });
  custom("headers need no rid", async (t) => {
    const device = t.client("header");
    const without = { headers: { rid: null } };
    await device.signUp(t.email(), "OK", without);
    await device.post("/user/email/verify/token", undefined, "OK", without);
    await device.refresh(200, without);
    await device.signOut("OK", without);
  });
}

token.under("csrf_none")("no check at all", async (t) => {
  const device = t.client("cookie");
  const without = { headers: { rid: null } };
  await device.signUp(t.email(), "OK", without);
  await device.refresh(200, without);
  await device.post("/user/email/verify/token", undefined, "OK", without);
  await device.signOut("OK", without);
});

token.under("insecure")("SameSite none without Secure", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email(), 500);
  await device.signIn(t.email(), 500, { note: "sign-in" });
  const other = t.client("header");
  await other.signIn(t.email(), "OK", { note: "headers are possible" });
  await other.refresh();
});

const local = token.under("localhost");
local("several origins", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email(), "OK");
  const from = (origin) => ({ headers: { Origin: origin, rid: "x" }, note: `from ${origin}`, forget: true });
  await device.signIn(t.email(), "OK", from("http://localhost:3000"));
  await device.signIn(t.email(), 500, from("https://www.shop.example"));
  await device.signIn(t.email(), "OK", from("https://www.elsewhere.example"));
  await device.signIn(t.email(), "OK", from("null"));
  await device.signIn(t.email(), "OK", from(null));
  await device.refresh();
  await device.signOut();
});

for (const profile of ["base", "localhost"]) {
  const cors = token.under(profile);
  cors("CORS", async (t) => {
    const origin = t.settings.website_domain.split(",").at(-1);
    const device = t.client(null);
    const ask = (from) => ({
      headers: {
        Origin: from,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "anti-csrf,content-type,fdi-version,rid,st-auth-mode",
        rid: null,
        "st-auth-mode": null,
        "fdi-version": null,
      },
    });
    const preflight = (path, from, note) => device.send("OPTIONS", path, undefined, 204, { ...ask(from), note });
    await preflight("/signin", origin, "preflight");
    await preflight("/session/refresh", origin, "preflight of a refresh");
    await preflight("/jwt/jwks.json", origin, "preflight of the keys");
    await preflight("/signin", "https://evil.example", "preflight from elsewhere");
    await device.get("/loginmethods", "OK", { headers: { Origin: origin }, note: "from the website" });
    await device.get("/loginmethods", "OK", { headers: { Origin: "https://evil.example" }, note: "from elsewhere" });
    await device.get("/loginmethods", "OK", { headers: { Origin: null }, note: "from no page" });
    await device.get("/user/email/verify", 401, { headers: { Origin: origin }, note: "an error" });
    await device.refresh(401, { headers: { Origin: origin }, note: "an error that clears" });
    await device.post("/signin", {}, 400, { headers: { Origin: origin }, note: "bad input" });
    await device.get("/none", 404, { headers: { Origin: origin }, note: "no route" });
  });
}

for (const profile of [
  "base",
  "cross_site",
  "localhost",
  "csrf_none",
  "moved",
  "older_host",
  "static_keys",
  "no_roles",
  "required",
]) {
  token.under(profile)("a session under this configuration", async (t) => {
    const device = t.client("cookie");
    await device.signUp(t.email());
    const cookies = [...device.jar].map(([name, cookie]) => `${name}=${cookie.sent}`).join("; ");
    await device.refresh(200, { cookies });
    const access = `sAccessToken=${device.jar.get("sAccessToken")?.sent}`;
    await device.post("/user/email/verify/token", undefined, "OK", { cookies: access, note: "first use" });
    await device.signIn(t.email(), "OK", { cookies: access });
    const [email, password] = [t.email(), "pass-word-1"];

    const flagged = form({ email, password }, { shouldTryLinkingWithSessionUser: true });
    await t
      .client("cookie")
      .post("/signin", flagged, [t.expired, "unauthorised"], { note: "flag true without a session" });
    await device.signOut("OK", { cookies: `sAccessToken=${device.jar.get("sAccessToken")?.sent}` });
  });
}
