// Codes and links by mail and text message.
import { group, linkCode, parameter } from "../case.js";
import { form, PASSWORD } from "../client.js";

const add = group("passwordless", "codes");

const flag = { shouldTryLinkingWithSessionUser: false };
const start = (device, contact, want = "OK", options = {}) =>
  device.post("/signinup/code", { ...contact, ...flag }, want, options);
const resend = (device, { deviceId, preAuthSessionId }, want = "OK", options = {}) =>
  device.post("/signinup/code/resend", { deviceId, preAuthSessionId, ...flag }, want, options);
const enter = (device, { deviceId, preAuthSessionId }, userInputCode, want = "OK", options = {}) =>
  device.post("/signinup/code/consume", { deviceId, preAuthSessionId, userInputCode, ...flag }, want, options);
const follow = (device, mail, want = "OK", options = {}) =>
  device.post(
    "/signinup/code/consume",
    { preAuthSessionId: parameter(mail, "preAuthSessionId"), linkCode: linkCode(mail), ...flag },
    want,
    options,
  );
const wrong = (mail) => (mail?.code === "111111" ? "222222" : "111111");

for (const [kind, contact] of [
  ["e-mail", (t) => ({ email: t.email() })],
  ["phone", (t) => ({ phoneNumber: t.phone() })],
]) {
  for (const mode of ["cookie", "header"]) {
    add(`by code and by link, ${kind}, ${mode}`, async (t) => {
      const to = Object.values(contact(t))[0];
      const [one, two] = [t.client(mode), t.client(mode)];
      const { body } = await start(one, contact(t));
      const mail = await t.mail(to, "login");
      await enter(one, body, wrong(mail), "INCORRECT_USER_INPUT_CODE_ERROR", { note: "wrong code" });
      const { body: answer } = await enter(one, body, mail?.code);
      t.holds(answer?.createdNewRecipeUser === true, "a new user");
      await enter(one, body, mail?.code, "RESTART_FLOW_ERROR", { note: "the code again" });
      await start(two, contact(t));
      const second = await t.mail(to, "login", { count: 2 });
      const { body: followed } = await follow(two, second);
      t.holds(followed?.createdNewRecipeUser === false, "the same user");
      await follow(two, second, "RESTART_FLOW_ERROR", { note: "the link again" });
      await two.get("/user/email/verify", "OK", { note: "verified by it" });
      await two.refresh();
      await two.signOut();
    });
  }

  add(`another code, ${kind}`, async (t) => {
    const to = Object.values(contact(t))[0];
    const device = t.client("cookie");
    const { body } = await start(device, contact(t));
    const first = await t.mail(to, "login");
    await resend(device, body);
    const second = await t.mail(to, "login", { count: 2 });
    t.holds(first?.code !== second?.code, "a new code");
    await resend(device, { ...body, preAuthSessionId: "other" }, "OK", { note: "another preAuthSessionId" });
    const unknown = { ...body, deviceId: Buffer.alloc(32, 1).toString("base64") };
    await resend(device, unknown, "RESTART_FLOW_ERROR", { note: "unknown device" });
    await resend(device, { ...body, deviceId: "other" }, 500, { note: "no device id at all" });
    await enter(device, body, first?.code, "OK", { note: "the first code" });
    await resend(device, body, "RESTART_FLOW_ERROR", { note: "after the sign-in" });
  });

  add(`too many wrong codes, ${kind}`, async (t) => {
    const device = t.client("cookie");
    const { body } = await start(device, contact(t));
    const mail = await t.mail(Object.values(contact(t))[0], "login");
    for (let times = 1; times < 5; times += 1) {
      await enter(device, body, wrong(mail), "INCORRECT_USER_INPUT_CODE_ERROR", { note: `wrong, ${times}` });
    }
    await enter(device, body, wrong(mail), "RESTART_FLOW_ERROR", { note: "wrong once more" });
    await enter(device, body, mail?.code, "RESTART_FLOW_ERROR", { note: "right, too late" });
  });
}

add("bad bodies", async (t) => {
  const device = t.client("cookie");
  const one = [400, "Please provide exactly one of email or phoneNumber"];
  const code = (body, want, note) => device.post("/signinup/code", { ...flag, ...body }, want, { note });
  await device.send("POST", "/signinup/code", undefined, one, { note: "code: no body" });
  await code({}, one, "code: none");
  await code({ email: "a@b.cd", phoneNumber: "+4915112345678" }, one, "code: both");
  await code({ email: "nobody" }, "GENERAL_ERROR", "code: no address");
  await code({ email: "" }, null, "code: empty address");
  await code({ email: null }, null, "code: address null");
  await code({ email: 1 }, null, "code: address a number");
  await code({ phoneNumber: "1" }, "GENERAL_ERROR", "code: no number");
  await code({ phoneNumber: "015112345678" }, "GENERAL_ERROR", "code: no country");
  await code({ phoneNumber: "+49 1511 2345678" }, "OK", "code: blanks in the number");
  await code({ phoneNumber: "+1 (201) 555-0123" }, "OK", "code: brackets in the number");
  await code({ phoneNumber: "+12345" }, "GENERAL_ERROR", "code: too short");
  await code({ phoneNumber: "+999123456789" }, "GENERAL_ERROR", "code: no such country");
  await code({ phoneNumber: 4915112345678 }, null, "code: a number");
  await code({ email: ` ${t.email("Blanks")} ` }, "OK", "code: blanks around, capitals");
  await t.mail(t.email("Blanks"), "login");
  const { body } = await start(device, { email: t.email() });
  const again = (more, want, note) => device.post("/signinup/code/resend", { ...flag, ...more }, want, { note });
  await again({}, [400, "Please provide preAuthSessionId"], "resend: none");
  await again({ deviceId: body?.deviceId }, [400, "Please provide preAuthSessionId"], "resend: no preAuthSessionId");
  await again({ preAuthSessionId: "x" }, [400, "Please provide a deviceId"], "resend: no device");
  await again({ preAuthSessionId: "x", deviceId: "x" }, 500, "resend: not base64");
  const use = (more, want, note) => device.post("/signinup/code/consume", { ...flag, ...more }, want, { note });
  const { preAuthSessionId, deviceId } = body ?? {};
  const either = [400, "Please provide one of (linkCode) or (deviceId+userInputCode) and not both"];
  const pair = [400, "Please provide both deviceId and userInputCode"];
  await use({}, [400, "Please provide preAuthSessionId"], "consume: none");
  await use({ preAuthSessionId }, either, "consume: no code");
  await use({ preAuthSessionId, deviceId }, pair, "consume: device only");
  await use({ preAuthSessionId, userInputCode: "1" }, pair, "consume: code only");
  await use({ preAuthSessionId, linkCode: "x", deviceId }, either, "consume: link and device");
  await use({ preAuthSessionId, linkCode: "x", deviceId, userInputCode: "1" }, either, "consume: all");
  await use({ preAuthSessionId: "x", linkCode: "x" }, "RESTART_FLOW_ERROR", "consume: unknown");
  await use({ preAuthSessionId, linkCode: "x" }, null, "consume: a wrong link");
  await use({ preAuthSessionId, deviceId: "x", userInputCode: "1" }, null, "consume: another device");
  await use({ preAuthSessionId, deviceId, userInputCode: "" }, null, "consume: an empty code");
  await use({ preAuthSessionId, deviceId, userInputCode: 1 }, null, "consume: a number");
});

add("who exists", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email("password"));
  const { body } = await start(device, { email: t.email() });
  await enter(device, body, (await t.mail(t.email(), "login"))?.code);
  const texted = await start(device, { phoneNumber: t.phone() });
  await enter(device, texted.body, (await t.mail(t.phone(), "login"))?.code);
  const ask = (path, want = "OK", headers = {}) =>
    device.get(path, want, { note: `GET ${path}`, headers, forget: true });
  const phone = encodeURIComponent(t.phone());
  await ask(`/passwordless/email/exists?email=${t.email()}`);
  await ask(`/passwordless/email/exists?email=${t.email("password")}`);
  await ask(`/emailpassword/email/exists?email=${t.email()}`);
  await ask("/passwordless/email/exists", [400, "Please provide the email as a GET param"]);
  await ask(`/passwordless/phonenumber/exists?phoneNumber=${phone}`);
  await ask(`/signup/phonenumber/exists?phoneNumber=${phone}`);
  await ask(`/passwordless/phonenumber/exists?phoneNumber=%2B4915100000000`);
  await ask(`/passwordless/phonenumber/exists?phoneNumber=nonsense`);
  await ask(`/passwordless/phonenumber/exists?phoneNumber=${t.phone()}`, undefined);
  await ask("/passwordless/phonenumber/exists", [400, "Please provide the phoneNumber as a GET param"]);
  for (const rid of ["passwordless", "emailpassword", "anti-csrf"]) {
    for (const who of ["user", "password"]) {
      await device.get(`/signup/email/exists?email=${t.email(who)}`, "OK", {
        headers: { rid },
        note: `${who}, rid ${rid}`,
      });
    }
  }
});

add("the same address with a password and by code", async (t) => {
  const [one, two] = [t.client("cookie"), t.client("cookie")];
  await one.signUp(t.email());
  const { body } = await start(two, { email: t.email() });
  const { body: answer } = await enter(two, body, (await t.mail(t.email(), "login"))?.code);
  t.holds(answer?.createdNewRecipeUser === true, "another user, nothing is linked");
  await one.get("/user/email/verify", "OK", { note: "the other is not verified" });
});

add("versions of the FDI", async (t) => {
  for (const [index, version] of ["1.17", "1.19", "2.0", "3.0", "4.2"].entries()) {
    const device = t.client("cookie");
    const headers = { "fdi-version": version };
    const contact = index % 2 === 0 ? { email: t.email(`v${index}`) } : { phoneNumber: t.phone(index) };
    const { body } = await device.post("/signinup/code", contact, "OK", { headers });
    const mail = await t.mail(Object.values(contact)[0], "login");
    await device.post("/signinup/code/consume", { ...body, userInputCode: mail?.code }, "OK", { headers });
  }
});

add("in a tenant", async (t) => {
  const tenant = await t.tenant({ firstFactors: ["otp-email"] });
  const device = t.client("cookie");
  const { body } = await device.post(`/${tenant}/signinup/code`, { email: t.email(), ...flag }, "OK");
  const mail = await t.mail(t.email(), "login");
  const { body: texted } = await device.post(`/${tenant}/signinup/code`, { phoneNumber: t.phone(), ...flag }, [
    401,
    "unauthorised",
  ]);
  t.holds(texted?.deviceId === undefined, "no texts here");
  await enter(device, body ?? {}, mail?.code, "RESTART_FLOW_ERROR", { note: "in public" });
  const use = { ...body, flowType: undefined, userInputCode: mail?.code, ...flag };
  await device.post(`/${tenant}/signinup/code/consume`, use, "OK");
  await device.post("/nobody/signinup/code", { email: t.email(), ...flag }, 500, {
    note: "unknown tenant",
    forget: true,
  });
});

const text = add.under("phone_code");
text("texted codes only", async (t) => {
  const device = t.client("cookie");
  const wanted = 'Please provide a phoneNumber since you have set the contactMethod to "PHONE"';
  await start(device, { email: t.email() }, [400, wanted], { note: "an e-mail" });
  const { body } = await start(device, { phoneNumber: t.phone() });
  const mail = await t.mail(t.phone(), "login");
  t.holds(mail?.link === undefined, "no link");
  await resend(device, body);
  await enter(device, body, mail?.code);
  await device.signUp(t.email(), 404);
});

const link = add.under("mail_link");
link("mailed links only", async (t) => {
  const device = t.client("cookie");
  const wanted = 'Please provide an email since you have set the contactMethod to "EMAIL"';
  await start(device, { phoneNumber: t.phone() }, [400, wanted], { note: "a number" });
  const { body } = await start(device, { email: t.email() });
  t.holds(body?.flowType === "MAGIC_LINK", "a link");
  const mail = await t.mail(t.email(), "login");
  await enter(device, body, "123456", [401, "unauthorised"], { note: "a code" });
  await follow(device, mail, undefined);
  await device.post("/signin", form({ email: t.email(), password: PASSWORD }), "WRONG_CREDENTIALS_ERROR");
  await device.get(`/signup/email/exists?email=${t.email()}`, "OK", { note: "the recipe enabled first answers" });
});

const first = add.under("first_factors");
first("some factors are not first ones", async (t) => {
  const device = t.client("cookie");
  const { body } = await start(device, { email: t.email() });
  t.holds(body?.flowType === "USER_INPUT_CODE", "codes only");
  const mail = await t.mail(t.email(), "login");
  await device.post(
    "/signinup/code/consume",
    { preAuthSessionId: body?.preAuthSessionId, linkCode: "x", ...flag },
    [401, "unauthorised"],
    {
      note: "a link",
    },
  );
  await start(device, { phoneNumber: t.phone() }, [401, "unauthorised"], { note: "a text" });
  await enter(device, body, mail?.code);
  await device.put("/mfa/info", {}, "OK");
});
