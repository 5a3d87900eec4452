// Verification of an address by mail.
import { group, parameter } from "../case.js";
import { form, PASSWORD } from "../client.js";

const add = group("emailverification", "base");

const verify = (device, token, want, options) =>
  device.post("/user/email/verify", { method: "token", token }, want, options);
const send = (device, want = "OK", options = {}) => device.post("/user/email/verify/token", undefined, want, options);

for (const mode of ["cookie", "header"]) {
  for (const profile of ["base", "required", "csrf_token"]) {
    add.under(profile)(`on the same device, ${mode}`, async (t) => {
      const device = t.client(mode);
      await device.signUp(t.email());
      await device.get("/user/email/verify", "OK", { note: "not yet" });
      await send(device);
      const mail = await t.mail(t.email(), "verify");
      await verify(device, parameter(mail, "token"), "OK", { note: "verify" });
      t.holds(device.payload()["st-ev"]?.v === true, "the session knows");
      await device.get("/user/email/verify", "OK", { note: "is verified" });
      await send(device, "EMAIL_ALREADY_VERIFIED_ERROR");
      await verify(device, parameter(mail, "token"), "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR", {
        note: "the link again",
      });
      await device.refresh();
      await device.signIn(t.email(), "OK", { note: "a new session" });
      await t.mail(t.email(), "verify");
    });
  }
}

for (const mode of ["cookie", "header"]) {
  add(`on another device, ${mode}`, async (t) => {
    const [one, two, stranger] = [t.client(mode), t.client(mode), t.client(mode)];
    await one.signUp(t.email());
    await two.signIn(t.email());
    await send(one);
    const mail = await t.mail(t.email(), "verify");
    await verify(stranger, parameter(mail, "token"), "OK", { note: "without a session" });
    t.holds(stranger.front === undefined, "none is made");
    await send(two, "EMAIL_ALREADY_VERIFIED_ERROR", { note: "the others learn it when asking for a mail" });
    t.holds(two.payload()["st-ev"]?.v === true, "the session knows");
    await one.get("/user/email/verify", "OK", { note: "or by asking" });
    t.holds(one.payload()["st-ev"]?.v === true, "the session knows");
  });

  add(`in someone else's session, ${mode}`, async (t) => {
    const [one, other] = [t.client(mode), t.client(mode)];
    await one.signUp(t.email());
    await other.signUp(t.email("other"));
    await send(one);
    const mail = await t.mail(t.email(), "verify");
    await verify(other, parameter(mail, "token"), "OK", { note: "verify" });
    t.holds(other.payload()["st-ev"]?.v === false, "the other's claim stays");
    await other.get("/user/email/verify", "OK", { note: "the other" });
    await one.get("/user/email/verify", "OK", { note: "the one" });
  });
}

add("a claim that is false again", async (t) => {
  const device = t.client("cookie");
  const { body } = await device.signUp(t.email());
  await t.verify(body?.user?.id, t.email());
  await device.get("/user/email/verify", "OK", { note: "verified" });
  await t.core("POST", "/recipe/user/email/verify/remove", { userId: body?.user?.id, email: t.email() });
  await send(device, "OK", { note: "a mail, the claim said true" });
  t.holds(device.payload()["st-ev"]?.v === false, "the claim is corrected");
  await send(device, "OK", { note: "another mail" });
  const mail = await t.mail(t.email(), "verify", { count: 2 });
  await device.refresh();
  await verify(device, parameter(mail, "token"), "OK", { note: "first use of the new access token" });
});

add("two mails, two links", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await send(device);
  const first = await t.mail(t.email(), "verify");
  await send(device);
  const second = await t.mail(t.email(), "verify", { count: 2 });
  await verify(device, parameter(first, "token"), "OK", { note: "the first" });
  await verify(device, parameter(second, "token"), "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR", { note: "the second" });
});

add("bad bodies", async (t) => {
  const device = t.client("cookie");
  const missing = [400, "Please provide the email verification token"];
  const mistyped = [400, "The email verification token must be a string"];
  const ask = (body, want, note) => device.post("/user/email/verify", body, want, { note, forget: true });
  const refused = async (who) => {
    await ask(undefined, missing, `${who}: no body`);
    await ask({}, missing, `${who}: no members`);
    await ask({ token: null }, undefined, `${who}: null`);
    await ask({ token: 1 }, mistyped, `${who}: a number`);
    await ask({ token: { a: 1 } }, mistyped, `${who}: an object`);
    await ask({ token: "" }, undefined, `${who}: empty`);
    await ask({ token: "nonsense" }, "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR", `${who}: no method`);
    await ask({ token: "nonsense", method: "x" }, "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR", `${who}: another method`);
    await ask([], missing, `${who}: an array`);
  };
  await refused("no session");
  await device.signUp(t.email());
  await refused("session");
  const invalid = [400, "API input error: Please make sure to pass a valid JSON input in the request body"];
  await device.send("POST", "/user/email/verify", undefined, invalid, { text: "{", note: "cut off" });
  await device.send("POST", "/user/email/verify/token", undefined, undefined, {
    text: "{",
    note: "cut off, but not read",
  });
});

add("who has no session", async (t) => {
  const device = t.client("cookie");
  await device.get("/user/email/verify", [401, "unauthorised"]);
  await send(device, [401, "unauthorised"]);
  await device.signUp(t.email());
  await device.signOut();
  await device.get("/user/email/verify", [401, "unauthorised"], { note: "signed out" });
  await send(device, [401, "unauthorised"], { note: "signed out, mail" });
});

add("other addresses of the routes", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await device.get("/public/user/email/verify", "OK");
  await device.get("/user/email/verify/", "OK");
  await device.get("/nobody/user/email/verify", null, { note: "GET, unknown tenant" });
  await device.post("/nobody/user/email/verify/token", undefined, null, { note: "POST token, unknown tenant" });
  await device.post("/nobody/user/email/verify", { token: "x", method: "token" }, null, {
    note: "POST, unknown tenant",
  });
  await device.put("/user/email/verify", {}, 404);
  await device.get("/user/email/verify/token", 404);
});

add("in a tenant", async (t) => {
  const tenant = await t.tenant({ firstFactors: null });
  const device = t.client("cookie");
  await device.post(`/${tenant}/signup`, form({ email: t.email(), password: PASSWORD }), "OK");
  await send(device);
  const mail = await t.mail(t.email(), "verify");
  const token = parameter(mail, "token");
  t.holds(parameter(mail, "tenantId") === tenant, "the link names the tenant");
  await verify(device, token, "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR", { note: "in another tenant" });
  await device.post(`/${tenant}/user/email/verify`, { method: "token", token }, "OK", { note: "in the tenant" });
  await device.get("/user/email/verify", "OK");
});

add("an address that changed meanwhile", async (t) => {
  const device = t.client("cookie");
  const { body } = await device.signUp(t.email());
  await send(device);
  const mail = await t.mail(t.email(), "verify");
  await t.core("PUT", "/recipe/user", { recipeUserId: body?.user?.id, email: t.email("new") });
  await verify(device, parameter(mail, "token"), "OK", { note: "the old address" });
  await device.get("/user/email/verify", "OK", { note: "the new one is not verified" });
  await send(device);
  const second = await t.mail(t.email("new"), "verify");
  await verify(device, parameter(second, "token"), "OK", { note: "the new address" });
});

add.under("moved")("links of another website path", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await send(device, "OK", { cookies: `sAccessToken=${device.jar.get("sAccessToken")?.sent}` });
  await t.mail(t.email(), "verify");
});

for (const origin of ["http://localhost:3000", "https://www.shop.example", "https://www.elsewhere.example", null]) {
  add.under("localhost")(`a mail asked for at ${origin}`, async (t) => {
    const device = t.client("header");
    await device.signUp(t.email());
    await send(device, "OK", { headers: { Origin: origin } });
    await t.mail(t.email(), "verify");
    await device.post("/user/password/reset/token", form({ email: t.email() }), "OK", { headers: { Origin: origin } });
    await t.mail(t.email(), "reset");
  });
}

add("asked from a page of another origin", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const from = (origin) => ({ headers: { Origin: origin }, forget: true, note: `from ${origin}` });
  await device.get("/user/email/verify", "OK", from("https://evil.example"));
  await device.get("/user/email/verify", "OK", from("https://www.shop.example"));
  await device.get("/user/email/verify", "OK", from(null));
});
