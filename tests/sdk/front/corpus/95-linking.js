// Accounts linked by rule: always, and only with verified addresses.
import { group, linkCode, parameter } from "../case.js";
import { form, PASSWORD } from "../client.js";

const add = group("linking", "link_always");
const flag = { shouldTryLinkingWithSessionUser: false };
const linked = { shouldTryLinkingWithSessionUser: true };

/** Signs in by a mailed or texted code. */
async function byCode(t, device, contact, { count = 1, want = "OK", more = flag } = {}) {
  const { body } = await device.post("/signinup/code", { ...contact, ...more }, want === "OK" ? "OK" : undefined);
  if (body?.status !== "OK") return undefined;
  const mail = await t.mail(Object.values(contact)[0], "login", { count });
  const { preAuthSessionId, deviceId } = body;
  const use = { preAuthSessionId, deviceId, userInputCode: mail?.code, ...more };
  return device.post("/signinup/code/consume", use, want);
}
const ask = (device, email, want) => device.post("/user/password/reset/token", form({ email }, {}), want);

for (const profile of ["link_always", "link_verified"]) {
  const under = add.under(profile);
  under("a password, then a code", async (t) => {
    const [one, two] = [t.client("cookie"), t.client("cookie")];
    const { body } = await one.signUp(t.email());
    await byCode(t, two, { email: t.email() }, { want: null });
    await one.get("/user/email/verify", "OK", { note: "the first session" });
    await one.signIn(t.email(), null);
    await t.look("the user in the core", `/user/id?userId=${body?.user?.id}`);
    await one.refresh();
  });

  under("a code, then a password", async (t) => {
    const [one, two] = [t.client("cookie"), t.client("cookie")];
    const answer = await byCode(t, one, { email: t.email() });
    await two.signUp(t.email(), null);
    await two.signIn(t.email(), null);
    await ask(two, t.email());
    await t.look("the user in the core", `/user/id?userId=${answer?.body?.user?.id}`);
  });

  under("verified by mail, then linked", async (t) => {
    const [one, two] = [t.client("cookie"), t.client("cookie")];
    await one.signUp(t.email());
    await one.post("/user/email/verify/token", null, "OK");
    const mail = await t.mail(t.email(), "verify");
    await one.post("/user/email/verify", { token: parameter(mail, "token"), method: "token" }, "OK");
    await one.get("/user/email/verify", "OK", { note: "after it" });
    await byCode(t, two, { email: t.email() });
    await one.signIn(t.email());
    await two.refresh();
  });

  under("a reset for someone who has codes only", async (t) => {
    const [one, two] = [t.client("cookie"), t.client("cookie")];
    await byCode(t, one, { email: t.email() });
    await ask(two, t.email(), "OK");
    const mail = await t.mail(t.email(), "reset");
    const body = { ...form({ password: PASSWORD }, {}), token: parameter(mail, "token"), method: "token" };
    await two.post("/user/password/reset", body, "OK");
    await two.signIn(t.email(), null);
    await one.refresh();
  });

  under("sign-up while a password account is unverified", async (t) => {
    const [one, two] = [t.client("cookie"), t.client("cookie")];
    await one.signUp(t.email());
    const { body } = await two.post("/signinup/code", { email: t.email(), ...flag }, null, { note: "code" });
    if (body?.status === "OK") {
      const mail = await t.mail(t.email(), "login");
      const use = { preAuthSessionId: body.preAuthSessionId, linkCode: linkCode(mail), ...flag };
      await two.post("/signinup/code/consume", use, null, { note: "link" });
    }
    await ask(two, t.email(), "OK");
    await one.get("/user/email/verify", "OK", { note: "the first" });
  });

  under("linked to the session's user", async (t) => {
    const device = t.client("cookie");
    const { body } = await device.signUp(t.email());
    await byCode(t, device, { phoneNumber: t.phone() }, { want: null, more: linked });
    await t.verify(body?.user?.id, t.email());
    await device.get("/user/email/verify", "OK", { note: "verified" });
    await byCode(t, device, { phoneNumber: t.phone(1) }, { want: null, more: linked });
    await t.look("the user in the core", `/user/id?userId=${body?.user?.id}`);
    const other = t.client("cookie");
    await byCode(t, other, { phoneNumber: t.phone(2) });
    await byCode(t, device, { phoneNumber: t.phone(2) }, { want: null, more: linked, count: 2 });
    await device.refresh();
  });

  under("account takeover by a reset", async (t) => {
    const [one, two] = [t.client("cookie"), t.client("cookie")];
    await byCode(t, one, { phoneNumber: t.phone() });
    await one.post("/signup", form({ email: t.email(), password: PASSWORD }, linked), null, {
      note: "a password added",
    });
    await ask(two, t.email(), profile === "link_always" ? "PASSWORD_RESET_NOT_ALLOWED" : "OK");
  });

  under("before version 3.1, the flag absent", async (t) => {
    const device = t.client("cookie");
    const options = { headers: { "fdi-version": "3.0" } };
    await device.signUp(t.email(), "OK", options);
    await device.signIn(t.email(), null, options);
    await device.post("/signup", form({ email: t.email("other"), password: PASSWORD }, {}), null, {
      ...options,
      note: "another",
    });
    await device.get("/user/email/verify", null, { note: "who it is now" });
  });
}

add.under("codes")("without a rule nothing is linked", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const texted = { phoneNumber: t.phone(), ...linked };
  await device.post("/signinup/code", texted, 500, { note: "code with the flag" });
  await device.post("/signup", form({ email: t.email("other"), password: PASSWORD }, linked), 500, {
    note: "password with it",
  });
});

/** A password account whose address becomes verified while a primary account with the address exists. */
async function overtaken(t, mode) {
  const device = t.client(mode);
  const { body } = await device.signUp(t.email());
  const code = await t.core("POST", "/recipe/signinup/code", { email: t.email() });
  const { preAuthSessionId, deviceId, userInputCode } = code;
  const made = await t.core("POST", "/recipe/signinup/code/consume", { preAuthSessionId, deviceId, userInputCode });
  await t.core("POST", "/recipe/accountlinking/user/primary", { recipeUserId: made.user.id });
  return { device, userId: body?.user?.id, primaryId: made.user.id };
}

for (const mode of ["cookie", "header"]) {
  const under = add.under("link_verified");
  under(`verification links, the session is replaced, ${mode}`, async (t) => {
    const { device, userId, primaryId } = await overtaken(t, mode);
    await device.post("/user/email/verify/token", undefined, "OK");
    const mail = await t.mail(t.email(), "verify");
    const before = device.payload().sessionHandle;
    await device.post("/user/email/verify", { token: parameter(mail, "token"), method: "token" }, "OK");
    t.holds(device.payload().sub === primaryId && device.payload().rsub === userId, "the primary user's session");
    t.holds(device.payload().sessionHandle !== before, "a new session");
    await device.get("/user/email/verify", "OK", { note: "goes on" });
    await device.refresh();
    await device.signOut();
  });

  for (const [route, act] of [
    ["GET", (device) => device.get("/user/email/verify", null, { note: "asks" })],
    ["POST token", (device) => device.post("/user/email/verify/token", undefined, null, { note: "asks" })],
  ]) {
    under(`linked behind the session's back, ${route}, ${mode}`, async (t) => {
      const { device, userId, primaryId } = await overtaken(t, mode);
      await t.verify(userId, t.email());
      await t.core("POST", "/recipe/accountlinking/user/link", { recipeUserId: userId, primaryUserId: primaryId });
      await act(device);
      t.holds(device.payload().sub === primaryId, "the primary user's session");
      await device.get("/user/email/verify", "OK", { note: "goes on" });
      await device.refresh();
    });
  }
}
