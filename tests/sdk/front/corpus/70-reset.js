// A new password by mail.
import { group, parameter } from "../case.js";
import { form, PASSWORD } from "../client.js";

const add = group("reset", "base");

const NEW = "another-word-2";
const ask = (device, email, want = "OK", options = {}) =>
  device.post("/user/password/reset/token", form({ email }, {}), want, options);
const reset = (device, token, want = "OK", options = {}, password = NEW) =>
  device.post("/user/password/reset", { ...form({ password }, {}), token, method: "token" }, want, options);
const INVALID = "RESET_PASSWORD_INVALID_TOKEN_ERROR";

for (const profile of ["base", "required", "fields"]) {
  for (const mode of ["cookie", "header"]) {
    add.under(profile)(`a new password, ${mode}`, async (t) => {
      const device = t.client(mode);
      const extra = profile === "fields" ? { name: "x", age: 1 } : {};
      const { body } = await device.post("/signup", form({ email: t.email(), password: PASSWORD, ...extra }), "OK");
      const stranger = t.client(mode);
      await ask(stranger, t.email());
      const mail = await t.mail(t.email(), "reset");
      await reset(stranger, parameter(mail, "token"));
      t.holds(stranger.front === undefined, "no session is made");
      await reset(stranger, parameter(mail, "token"), INVALID, { note: "the link again" });
      await stranger.signIn(t.email(), "WRONG_CREDENTIALS_ERROR", { note: "the old password" });
      await stranger.signIn(t.email(), "OK", { password: NEW, note: "the new password" });
      await device.refresh(200, { note: "the old session goes on" });
      await t.look("the user in the core", `/user/id?userId=${body?.user?.id}`);
    });
  }
}

add("people who are not there", async (t) => {
  const device = t.client("cookie");
  await ask(device, t.email("nobody"));
  await t.mail(t.email("nobody"), "reset", { none: true });
  await ask(device, `fake.${t.number}@stfakeemail.supertokens.com`, "OK", { note: "a fake address" });
  await ask(device, `  ${t.email("nobody")} `, "OK", { note: "blanks around" });
});

add("the answer is the same in a session", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await ask(device, t.email());
  const mail = await t.mail(t.email(), "reset");
  await reset(device, parameter(mail, "token"));
  await device.get("/user/email/verify", "OK", { note: "verified along with it" });
});

add("two links", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await ask(device, t.email());
  const first = await t.mail(t.email(), "reset");
  await ask(device, t.email());
  const second = await t.mail(t.email(), "reset", { count: 2 });
  await reset(device, parameter(second, "token"), "OK", { note: "the second" });
  await reset(device, parameter(first, "token"), INVALID, { note: "the first" });
});

add("bad bodies", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await ask(device, t.email());
  const mail = await t.mail(t.email(), "reset");
  const token = parameter(mail, "token");
  const send = (body, want, note) => device.post("/user/password/reset", body, want, { note, forget: true });
  const password = (value) => ({ formFields: [{ id: "password", value }] });
  await send(undefined, [400, "Missing input param: formFields"], "no body");
  await send({ token }, [400, "Missing input param: formFields"], "no fields");
  await send({ formFields: "x", token }, [400, "formFields must be an array"], "fields a text");
  await send({ formFields: [null], token }, [400, "All elements of formFields must be an object"], "an element null");
  await send({ formFields: [], token }, "FIELD_ERROR", "no elements");
  await send({ formFields: [{ id: "x", value: "y" }], token }, "FIELD_ERROR", "another id");
  await send({ ...password(1), token }, [400, "password value must be a string"], "a number");
  await send({ ...password("short"), token }, "FIELD_ERROR", "a short one");
  await send({ ...password("onlyletters"), token }, "FIELD_ERROR", "no digit");
  await send({ ...password("short") }, "FIELD_ERROR", "fields before the token");
  await send({ ...password(NEW) }, [400, "Please provide the password reset token"], "no token");
  await send({ ...password(NEW), token: null }, null, "token null");
  await send({ ...password(NEW), token: 1 }, [400, "The password reset token must be a string"], "token a number");
  await send({ ...password(NEW), token: "" }, null, "token empty");
  await send({ ...password(NEW), token: "nonsense" }, INVALID, "token nonsense");
  const many = {
    formFields: [
      { id: "password", value: NEW },
      { id: "email", value: "x" },
    ],
    token,
  };
  await send(many, [400, "Are you sending too many formFields?"], "too many");
  await send({ ...password(NEW), token, method: "x" }, "OK", "another method");
  const request = (body, want, note) => device.post("/user/password/reset/token", body, want, { note, forget: true });
  await request({ formFields: [{ id: "email", value: "nobody" }] }, "FIELD_ERROR", "no address");
  await request({ formFields: [] }, "FIELD_ERROR", "no address at all");
  await request({ formFields: [{ id: "email", value: 1 }] }, [400, "email value must be a string"], "address a number");
});

add("in a tenant", async (t) => {
  const tenant = await t.tenant({ firstFactors: null });
  const device = t.client("cookie");
  await device.post(`/${tenant}/signup`, form({ email: t.email(), password: PASSWORD }), "OK");
  await ask(device, t.email(), "OK", { note: "in public" });
  await t.mail(t.email(), "reset", { none: true });
  await device.post(`/${tenant}/user/password/reset/token`, form({ email: t.email() }), "OK");
  const mail = await t.mail(t.email(), "reset");
  const token = parameter(mail, "token");
  t.holds(parameter(mail, "tenantId") === tenant, "the link names the tenant");
  const body = { ...form({ password: NEW }), token, method: "token" };
  // Tokens belong to the app, not to a tenant.
  await reset(device, token, "OK", { note: "in another tenant" });
  await device.post(`/${tenant}/user/password/reset`, body, INVALID, { note: "in the tenant" });
  await device.post("/nobody/user/password/reset/token", form({ email: t.email() }), null, { note: "unknown tenant" });
  await device.post("/nobody/user/password/reset", body, null, { note: "unknown tenant, reset" });
});

add("people removed meanwhile", async (t) => {
  const device = t.client("cookie");
  const { body } = await device.signUp(t.email());
  await ask(device, t.email());
  const mail = await t.mail(t.email(), "reset");
  await t.core("POST", "/user/remove", { userId: body?.user?.id });
  await reset(device, parameter(mail, "token"), INVALID);
});

add.under("moved")("links of another website path", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await ask(device, t.email());
  await t.mail(t.email(), "reset");
});
