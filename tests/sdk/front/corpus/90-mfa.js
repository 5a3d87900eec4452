// Second factors: what is required, TOTP, codes by mail and text, passwords.
import { group } from "../case.js";
import { form, PASSWORD } from "../client.js";
import { totp } from "../totp.js";

const add = group("mfa", "mfa");

const linked = { shouldTryLinkingWithSessionUser: true };
const info = (device, want = "OK", options = {}) => device.put("/mfa/info", undefined, want, options);
const require = (t, ...factors) =>
  t.core("PUT", "/recipe/multitenancy/tenant/v2", { tenantId: t.own("tenant"), requiredSecondaryFactors: factors });

/** Someone who has signed up in a tenant that asks for the given factors. */
async function person(t, mode = "cookie", ...factors) {
  const tenant = await t.tenant({ firstFactors: null });
  if (factors.length > 0) await require(t, ...factors);
  const device = t.client(mode);
  const { body } = await device.post(`/${tenant}/signup`, form({ email: t.email(), password: PASSWORD }), "OK");
  return { device, tenant, userId: body?.user?.id };
}

const device2 = (device, deviceName, want = "OK", options = {}) =>
  device.post("/totp/device", deviceName === undefined ? {} : { deviceName }, want, options);

for (const mode of ["cookie", "header"]) {
  add(`nothing is required, ${mode}`, async (t) => {
    const { device, tenant } = await person(t, mode);
    t.holds(device.payload()["st-mfa"]?.v === true, "satisfied");
    await info(device);
    await device.put("/mfa/info", {}, "OK", { note: "with a body" });
    await info(device, [401, "unauthorised"], { cookies: "", bearer: null, forget: true, note: "without a session" });
    await device.put(`/${tenant}/mfa/info`, null, "OK", { note: "at the tenant's address" });
    await device.refresh();
    await info(device, "OK", { note: "first use" });
    await device.signOut();
  });

  add(`TOTP, ${mode}`, async (t) => {
    const { device, tenant } = await person(t, mode, "totp");
    t.holds(device.payload()["st-mfa"]?.v === false, "not satisfied");
    await info(device);
    await device.get("/totp/device/list", "OK", { note: "no devices" });
    const { body } = await device2(device, undefined);
    await info(device, "OK", { note: "an unverified device" });
    const verify = (name, code, want, note) =>
      device.post("/totp/device/verify", { deviceName: name, totp: code }, want, { note });
    const wrong = totp(body?.secret) === "000000" ? "111111" : "000000";
    await verify(body?.deviceName, wrong, "INVALID_TOTP_ERROR", "a wrong code");
    await verify("other", totp(body?.secret), "UNKNOWN_DEVICE_ERROR", "another device");
    await device.post("/totp/verify", { totp: wrong }, null, { note: "verify without a verified device" });
    await verify(body?.deviceName, totp(body?.secret, -1), "OK", "a right code");
    t.holds(device.payload()["st-mfa"]?.v === true, "satisfied");
    await verify(body?.deviceName, totp(body?.secret), "OK", "verified again");
    await info(device, "OK", { note: "set up" });
    await device.get("/totp/device/list", "OK", { note: "one device" });
    const second = t.client(mode);
    await second.post(`/${tenant}/signin`, form({ email: t.email(), password: PASSWORD }), "OK");
    await info(second, "OK", { note: "on a second device" });
    await device2(second, "other", 403, { note: "no set-up before the factor is complete" });
    const gone = { deviceName: body?.deviceName };
    await second.post("/totp/device/remove", gone, 403, { note: "no removal either" });
    await second.post("/totp/verify", { totp: wrong }, "INVALID_TOTP_ERROR", { note: "a wrong code there" });
    await second.post("/totp/verify", { totp: totp(body?.secret, 1) }, "OK", { note: "a right code there" });
    await device2(second, "other", "OK", { note: "set-up afterwards" });
    await device2(second, "other", null, { note: "the same name again" });
    await second.get("/totp/device/list", "OK", { note: "two devices" });
    await second.post("/totp/device/remove", { deviceName: "other" }, "OK", { note: "remove the unverified one" });
    await second.post("/totp/device/remove", { deviceName: "other" }, "OK", { note: "remove it again" });
    await second.post("/totp/device/remove", gone, "OK", { note: "remove the verified one" });
    await info(second, "OK", { note: "nothing left" });
    await second.refresh();
    await second.signOut();
  });
}

add("TOTP: bad bodies", async (t) => {
  const { device } = await person(t, "cookie", "totp");
  const send = (path, body, want, note) => device.post(`/totp/${path}`, body, want, { note, forget: true });
  await send("device", { deviceName: 1 }, 500, "create: a number");
  await send("device", { deviceName: "" }, null, "create: empty");
  await send("device", { deviceName: null }, null, "create: null");
  await send("device", undefined, null, "create: no body");
  await send("device/remove", {}, 500, "remove: none");
  await send("device/remove", { deviceName: "" }, 500, "remove: empty");
  await send("device/verify", {}, 500, "verify: none");
  await send("device/verify", { deviceName: "x" }, 500, "verify: no code");
  await send("device/verify", { deviceName: "x", totp: 123456 }, 500, "verify: a number");
  await send("verify", {}, 500, "use: none");
  await send("verify", { totp: 1 }, 500, "use: a number");
  await send("verify", { totp: "x" }, null, "use: not a code");
  const none = t.client("cookie");
  await none.get("/totp/device/list", [401, "unauthorised"], { note: "no session: list" });
  for (const path of ["device", "device/remove", "device/verify", "verify"]) {
    await none.post(`/totp/${path}`, {}, [401, "unauthorised"], { note: `no session: ${path}` });
  }
});

add("TOTP: too many wrong codes", async (t) => {
  const { device } = await person(t, "cookie");
  const { body } = await device2(device, "phone");
  await device.post("/totp/device/verify", { deviceName: "phone", totp: totp(body?.secret, -1) }, "OK");
  const wrong = [-1, 0, 1, 2].some((offset) => totp(body?.secret, offset) === "000000") ? "111111" : "000000";
  for (let times = 1; times <= 5; times += 1) {
    await device.post("/totp/verify", { totp: wrong }, "INVALID_TOTP_ERROR", { note: `wrong, ${times}` });
  }
  await device.post("/totp/verify", { totp: wrong }, "LIMIT_REACHED_ERROR", { note: "once more" });
  await device.post("/totp/verify", { totp: totp(body?.secret) }, "LIMIT_REACHED_ERROR", { note: "right, too late" });
});

for (const [factor, contact] of [
  ["otp-email", (t) => ({ email: t.email() })],
  ["otp-phone", (t) => ({ phoneNumber: t.phone() })],
]) {
  add(`${factor} as second factor`, async (t) => {
    const { device, tenant, userId } = await person(t, "cookie", factor);
    await info(device);
    const { body } = await device.post("/signinup/code", { ...contact(t), ...linked }, null, { note: "code" });
    if (body?.status !== "OK") return;
    t.holds(body.flowType === "USER_INPUT_CODE", "codes only");
    const to = Object.values(contact(t))[0];
    const mail = await t.mail(to, "login");
    const consume = { preAuthSessionId: body.preAuthSessionId, deviceId: body.deviceId, ...linked };
    await device.post("/signinup/code/resend", consume, "RESTART_FLOW_ERROR", { note: "resend in public" });
    await device.post(`/${tenant}/signinup/code/resend`, consume, "OK");
    await device.post("/signinup/code/consume", { ...consume, userInputCode: "x" }, null, { note: "wrong code" });
    await device.post("/signinup/code/consume", { ...consume, userInputCode: mail?.code }, "OK", {
      note: "right code",
    });
    t.holds(device.payload()["st-mfa"]?.v === true, "satisfied");
    await info(device, "OK", { note: "complete" });
    await t.look("the user in the core", `/user/id?userId=${userId}`);
    const second = t.client("cookie");
    await second.post(`/${tenant}/signin`, form({ email: t.email(), password: PASSWORD }), "OK");
    await info(second, "OK", { note: "on a second device" });
    const { body: again } = await second.post("/signinup/code", { ...contact(t), ...linked }, "OK", {
      note: "code there",
    });
    const next = await t.mail(to, "login", { count: 3 });
    const use = {
      preAuthSessionId: again?.preAuthSessionId,
      deviceId: again?.deviceId,
      userInputCode: next?.code,
      ...linked,
    };
    await second.post("/signinup/code/consume", use, "OK", { note: "code used there" });
    await second.refresh();
  });
}

add("a password as second factor", async (t) => {
  const tenant = await t.tenant({ firstFactors: ["otp-email"] });
  await require(t, "emailpassword");
  const device = t.client("cookie");
  const flag = { shouldTryLinkingWithSessionUser: false };
  const { body } = await device.post(`/${tenant}/signinup/code`, { email: t.email(), ...flag }, "OK");
  const mail = await t.mail(t.email(), "login");
  const { preAuthSessionId, deviceId } = body ?? {};
  await device.post(
    `/${tenant}/signinup/code/consume`,
    { preAuthSessionId, deviceId, userInputCode: mail?.code, ...flag },
    "OK",
  );
  await info(device);
  await device2(device, "x", 403, { note: "TOTP may not be set up now" });
  await device.post("/signup", form({ email: t.email("other"), password: PASSWORD }, linked), null, {
    note: "another address",
  });
  await device.post("/signup", form({ email: t.email(), password: PASSWORD }, linked), null, { note: "sign-up" });
  await info(device, "OK", { note: "complete" });
  await device.post("/signin", form({ email: t.email(), password: PASSWORD }, linked), null, { note: "sign-in" });
  await device.post(
    "/signin",
    form({ email: t.email(), password: "wrong-pass-1" }, linked),
    "WRONG_CREDENTIALS_ERROR",
    {
      note: "a wrong password",
    },
  );
});

add("a factor required of one person", async (t) => {
  const { device, tenant, userId } = await person(t, "cookie");
  await t.core("PUT", "/recipe/user/metadata", {
    userId,
    metadataUpdate: { _supertokens: { requiredSecondaryFactors: ["totp", "otp-phone"] } },
  });
  await info(device, "OK", { note: "found at once" });
  await device.post(`/${tenant}/signin`, form({ email: t.email(), password: PASSWORD }), "OK");
  await info(device, "OK", { note: "in a new session" });
  await device2(device, "x", "OK", { note: "either may be set up" });
});

add("a factor that nobody can complete", async (t) => {
  const { device } = await person(t, "cookie", "custom");
  await info(device, 500);
});

add("a session made before second factors", async (t) => {
  const { device } = await person(t, "cookie", "totp");
  const sessionHandle = device.payload().sessionHandle;
  const { userDataInJWT } = await t.core("GET", `/recipe/session?sessionHandle=${sessionHandle}`);
  const { "st-mfa": _, ...rest } = userDataInJWT;
  await t.core("PUT", "/recipe/jwt/data", { sessionHandle, userDataInJWT: rest });
  await device.refresh(200);
  await info(device, "OK", { note: "derived from the login method" });
});

add("another device where no factor is required", async (t) => {
  const { device, tenant } = await person(t, "cookie");
  const { body } = await device2(device, "phone");
  await device.post("/totp/device/verify", { deviceName: "phone", totp: totp(body?.secret, -1) }, "OK");
  const second = t.client("cookie");
  await second.post(`/${tenant}/signin`, form({ email: t.email(), password: PASSWORD }), "OK");
  await info(second, "OK", { note: "without a code" });
  await device2(second, "other", "OK", { note: "added without a code" });
  await second.post("/totp/verify", { totp: totp(body?.secret) }, "OK");
  await info(second, "OK", { note: "with a code" });
  await device2(second, "tablet", "OK", { note: "added with a code" });
  await second.post("/totp/device/remove", { deviceName: "phone" }, "OK", { note: "removed with a code" });
});
