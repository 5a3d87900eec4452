// Sessions that the front door did not make, and sessions that come to an end.
import { group } from "../case.js";

const add = group("made elsewhere", "base");

/** A session made by the core on a service's behalf, on a device of someone who has an account. */
async function made(t, mode, options = {}) {
  const device = t.client(mode);
  const { body } = await device.signUp(t.email());
  const session = await t.core("POST", "/recipe/session", {
    userId: body?.user?.id,
    enableAntiCsrf: false,
    userDataInJWT: { job: "import" },
    userDataInDatabase: {},
    ...options,
  });
  const [access, refresh] = [session.accessToken.token, session.refreshToken.token];
  device.access = access;
  device.refreshToken = refresh;
  if (mode === "cookie") {
    device.jar.set("sAccessToken", { sent: encodeURIComponent(access), path: "/" });
    device.jar.set("sRefreshToken", { sent: encodeURIComponent(refresh), path: "/auth/session/refresh" });
  }
  return { device, session, userId: body?.user?.id };
}

for (const mode of ["cookie", "header"]) {
  add(`a session made by a service, ${mode}`, async (t) => {
    const { device } = await made(t, mode);
    await device.get("/user/email/verify", "OK", { note: "the claim is added" });
    await device.refresh();
    await device.get("/user/email/verify", "OK", { note: "first use" });
    await device.signOut();
  });

  add(`signed with a static key, ${mode}`, async (t) => {
    const { device } = await made(t, mode, { useDynamicSigningKey: false });
    await device.get("/user/email/verify", [401, "try refresh token"], { note: "verify" });
    await device.signOut([401, "try refresh token"]);
    await device.refresh(200, { note: "a refresh mends it" });
    await device.get("/user/email/verify", "OK", { note: "first use" });
  });

  add.under("static_keys")(`signed with a dynamic key, ${mode}`, async (t) => {
    const { device } = await made(t, mode, { useDynamicSigningKey: true });
    await device.get("/user/email/verify", [401, "try refresh token"], { note: "verify" });
    await device.refresh(200);
    await device.get("/user/email/verify", "OK", { note: "first use" });
  });

  add.under("csrf_token")(`without a CSRF token, ${mode}`, async (t) => {
    const { device } = await made(t, mode);
    const want = mode === "cookie" ? [401, "try refresh token"] : "OK";
    await device.post("/user/email/verify/token", undefined, want, { note: "POST" });
    await device.get("/user/email/verify", "OK", { note: "GET" });
    await device.refresh(null);
  });

  add(`someone without an account, ${mode}`, async (t) => {
    const { device } = await made(t, mode, { userId: t.own("nobody") });
    await device.get("/user/email/verify", [401, "unauthorised"], { forget: true, note: "is anything verified?" });
    await device.post("/user/email/verify/token", undefined, [401, "unauthorised"], { forget: true, note: "a mail" });
    await device.refresh(200, { note: "the session itself is fine" });
    await device.signOut();
  });

  add(`all sessions of a person revoked, ${mode}`, async (t) => {
    const { device, userId } = await made(t, mode);
    await device.refresh();
    await t.core("POST", "/recipe/session/remove", { userId });
    await device.post("/user/email/verify", { token: "x", method: "token" }, [401, "unauthorised"], { forget: true });
    await device.signOut([401, "unauthorised"], { forget: true });
    await device.refresh([401, "unauthorised"]);
  });

  add.under("brief")(`a session that ended, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    await t.sleep(4);
    await device.get("/user/email/verify", [401, "try refresh token"]);
    await device.refresh([401, "unauthorised"]);
    await device.signIn(t.email(), "OK", { note: "a new one" });
  });
}

add("a session of someone who was linked meanwhile", async (t) => {
  const { device, userId } = await made(t, "cookie");
  const other = t.client("cookie");
  const { body } = await other.signUp(t.email("primary"));
  await t.core("POST", "/recipe/accountlinking/user/primary", { recipeUserId: body?.user?.id });
  await t.core("POST", "/recipe/accountlinking/user/link", { recipeUserId: userId, primaryUserId: body?.user?.id });
  await device.get("/user/email/verify", null, { note: "the old session", forget: true });
  await device.refresh(null, { note: "refresh of it" });
  await device.signIn(t.email(), "OK", { note: "a new session" });
  t.holds(device.payload().sub === body?.user?.id, "the session is the primary user's");
  t.holds(device.payload().rsub === userId, "and the login method's");
  await device.get("/user/email/verify", "OK", { note: "the login method's address" });
  await device.refresh();
});
