// Sign-up and sign-in with passwords, and every body that is refused.
import { deflateSync, brotliCompressSync, gzipSync } from "node:zlib";
import { group } from "../case.js";
import { form, PASSWORD } from "../client.js";

const add = group("emailpassword", "base");

const MISSING = "Missing input param: formFields";
const ARRAY = "formFields must be an array";
const OBJECT = "All elements of formFields must be an object";
const MEMBERS = "All elements of formFields must contain an 'id' and 'value' field";
const email = (value) => ({ id: "email", value });
const password = (value) => ({ id: "password", value });
const good = [email("bad-bodies@example.com"), password(PASSWORD)];

const BODIES = [
  ["no members", {}, MISSING],
  ["formFields null", { formFields: null }, ARRAY],
  ["formFields a text", { formFields: "x" }, ARRAY],
  ["formFields a number", { formFields: 1 }, ARRAY],
  ["formFields false", { formFields: false }, ARRAY],
  ["formFields an object", { formFields: {} }, ARRAY],
  ["an element null", { formFields: [null] }, OBJECT],
  ["an element a text", { formFields: ["email"] }, OBJECT],
  ["an element a number after good ones", { formFields: [...good, 1] }, OBJECT],
  ["an element an array", { formFields: [[]] }, MEMBERS],
  ["an element without members", { formFields: [{}] }, MEMBERS],
  ["no id", { formFields: [{ value: "x" }] }, MEMBERS],
  ["id a number", { formFields: [{ id: 1, value: "x" }] }, MEMBERS],
  ["id null", { formFields: [{ id: null, value: "x" }] }, MEMBERS],
  ["no value", { formFields: [{ id: "email" }, password(PASSWORD)] }, MEMBERS],
  ["email a number", { formFields: [email(1), password(PASSWORD)] }, "email value must be a string"],
  ["email null", { formFields: [email(null), password(PASSWORD)] }, "email value must be a string"],
  ["email an object", { formFields: [email({}), password(PASSWORD)] }, "email value must be a string"],
  ["password a number", { formFields: [email("a@b.cd"), password(12345678)] }, "password value must be a string"],
  ["password null", { formFields: [email("a@b.cd"), password(null)] }, "password value must be a string"],
  ["both mistyped", { formFields: [password(true), email(true)] }, undefined],
  ["one too many", { formFields: [...good, { id: "x", value: "" }] }, "Are you sending too many formFields?"],
  ["email twice and password", { formFields: [...good, email("b@c.de")] }, "Are you sending too many formFields?"],
];

const FIELDS = [
  ["no elements", []],
  ["only an e-mail", [email("a@b.cd")]],
  ["only a password", [password(PASSWORD)]],
  ["both empty", [email(""), password("")]],
  ["e-mail of blanks", [email("   "), password(PASSWORD)]],
  [
    "other ids only",
    [
      { id: "x", value: 1 },
      { id: "y", value: 2 },
    ],
  ],
  ["e-mail twice", [email("a@b.cd"), email("b@c.de")]],
  ["no address", [email("nobody"), password(PASSWORD)]],
  ["no dot", [email("a@b"), password(PASSWORD)]],
  ["top level of one letter", [email("a@b.c"), password(PASSWORD)]],
  ["digits in the top level", [email("a@b.c1"), password(PASSWORD)]],
  ["two at signs", [email("a@b@c.de"), password(PASSWORD)]],
  ["a blank within", [email("a b@c.de"), password(PASSWORD)]],
  ["not ASCII in the domain", [email("a@bü.de"), password(PASSWORD)]],
  ["dots in a row", [email("a..b@c.de"), password(PASSWORD)]],
  ["everything wrong", [email("nobody"), password("short")]],
];

for (const [path, rid] of [
  ["/signup", "emailpassword"],
  ["/signin", "emailpassword"],
  ["/user/password/reset/token", "emailpassword"],
]) {
  add(`bad bodies of ${path}`, async (t) => {
    const device = t.client("cookie");
    const options = { headers: { rid }, forget: true };
    for (const [note, body, message] of BODIES) {
      // The form for a reset mail has the e-mail only.
      const want = message === undefined || path.endsWith("token") ? undefined : [400, message];
      await device.post(path, body, want, { ...options, note });
    }
    for (const [note, formFields] of FIELDS) await device.post(path, { formFields }, undefined, { ...options, note });
  });

  add(`texts that are no bodies of ${path}`, async (t) => {
    const device = t.client("cookie");
    const invalid = [400, "API input error: Please make sure to pass a valid JSON input in the request body"];
    const send = (text, want, note, headers = {}) =>
      device.send("POST", path, undefined, want, {
        text,
        note,
        headers: { "Content-Type": "application/json", ...headers },
      });
    await device.send("POST", path, undefined, [400, MISSING], { note: "no body" });
    await send("", [400, MISSING], "an empty body");
    await send("{", invalid, "cut off");
    await send("{'formFields': []}", invalid, "wrong quotes");
    await send("nonsense", invalid, "a word");
    await send("[]", [400, MISSING], "an array");
    await send('"text"', [400, MISSING], "a text");
    await send("1", [400, MISSING], "a number");
    await send("true", [400, MISSING], "true");
    await send("null", 500, "null");
    const fine = JSON.stringify({ formFields: [] });
    await send(fine, "FIELD_ERROR", "no content type", { "Content-Type": null });
    await send(fine, "FIELD_ERROR", "content type text", { "Content-Type": "text/plain" });
    await send(fine, "FIELD_ERROR", "content type with charset", { "Content-Type": "application/json; charset=utf-8" });
    await send(fine, "FIELD_ERROR", "content type in capitals", { "Content-Type": "APPLICATION/JSON" });
    await send("formFields=x", null, "a form", { "Content-Type": "application/x-www-form-urlencoded" });
  });
}

add("encodings of a body", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const plain = Buffer.from(JSON.stringify(form({ email: t.email(), password: PASSWORD })));
  const send = (text, encoding, want, type = "application/json") =>
    device.send("POST", "/signin", undefined, want, {
      text,
      note: `${encoding} ${type}`,
      headers: { "Content-Encoding": encoding, "Content-Type": type },
      forget: true,
    });
  await send(gzipSync(plain), "gzip", "OK");
  await send(deflateSync(plain), "deflate", "OK");
  await send(brotliCompressSync(plain), "br", null);
  await send(plain, "identity", "OK");
  await send(plain, "gzip", null);
  await send(plain, "nonsense", null);
  await send(plain, null, "OK", "application/json; charset=UTF-8");
  await send(plain, null, null, "application/json; charset=nonsense");
  await send(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain]), null, null, "application/json with a mark");
  await send(Buffer.from([0x7b, 0xff, 0x7d]), null, null, "application/json, not UTF-8");
});

const PASSWORDS = [
  ["seven characters", "abcdef1", "Password must contain at least 8 characters, including a number"],
  ["eight characters", "abcdefg1", undefined],
  ["blanks count", "abc def1", undefined],
  ["a hundred characters", `${"a".repeat(99)}1`, "Password's length must be lesser than 100 characters"],
  ["ninety-nine characters", `${"a".repeat(98)}1`, undefined],
  ["digits only", "12345678", "Password must contain at least one alphabet"],
  ["no digit", "abcdefgh", "Password must contain at least one number"],
  ["letters that are not ASCII", "äöüäöüä1", "Password must contain at least one alphabet"],
  ["surrogate pairs count twice", "😀😀😀a1", undefined],
  ["short, no digit", "abc", "Password must contain at least 8 characters, including a number"],
  ["blanks around stay", "  abcdefg1  ", undefined],
];

add("passwords", async (t) => {
  for (const [index, [note, value, error]] of PASSWORDS.entries()) {
    const device = t.client("cookie");
    const body = form({ email: t.email(`p${index}`), password: value });
    const { body: answer } = await device.post("/signup", body, error ? "FIELD_ERROR" : "OK", { note });
    if (error) t.holds(answer?.formFields?.[0]?.error === error, error);
    else await device.post("/signin", body, "OK", { note: `${note}, sign-in` });
  }
});

add("addresses", async (t) => {
  const sign = (value, want, path = "/signup") =>
    t.client("cookie").post(path, form({ email: value, password: PASSWORD }), want, { note: `${path} ${value}` });
  await sign(`  blanks.${t.number}@example.com  `, "OK");
  await sign(`blanks.${t.number}@example.com`, "OK", "/signin");
  await sign(`Capitals.${t.number}@Example.COM`, "OK");
  await sign(`capitals.${t.number}@example.com`, "OK", "/signin");
  await sign(`capitals.${t.number}@example.com`, "FIELD_ERROR");
  await sign(`plus+tag.${t.number}@example.com`, "OK");
  await sign(`"quoted ${t.number}"@example.com`, "OK");
  await sign(`literal.${t.number}@[127.0.0.1]`, "OK");
  await sign(`ünï.${t.number}@example.com`, "OK");
  await sign(`fake.${t.number}@stfakeemail.supertokens.com`, "FIELD_ERROR");
  await sign(`fake.${t.number}@stfakeemail.supertokens.com`, "WRONG_CREDENTIALS_ERROR", "/signin");
  await sign(`fake.${t.number}@x.fakeemail.com`, undefined);
});

for (const mode of ["cookie", "header"]) {
  add(`sign-up and sign-in, ${mode}`, async (t) => {
    const device = t.client(mode);
    const { body } = await device.signUp(t.email());
    t.holds(body?.user?.loginMethods?.length === 1, "one login method");
    const again = await device.signUp(t.email(), "FIELD_ERROR", { note: "sign-up again" });
    const text = "This email already exists. Please sign in instead.";
    t.holds(again.body?.formFields?.[0]?.error === text, "says so");
    await device.signIn(t.email(), "WRONG_CREDENTIALS_ERROR", { password: "wrong-pass-1", note: "wrong password" });
    await device.signIn(t.email(), "WRONG_CREDENTIALS_ERROR", { password: "x", note: "short password" });
    await device.signIn(t.email("nobody"), "WRONG_CREDENTIALS_ERROR", { note: "unknown address" });
    await device.signIn(t.email());
    await t.look("the session in the core", `/recipe/session?sessionHandle=${device.payload().sessionHandle}`);
    await t.look("the user in the core", `/user/id?userId=${body?.user?.id}`);
    await t.mail(t.email(), "verify", { none: true });
  });
}

add("email exists", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const missing = [400, "Please provide the email as a GET param"];
  for (const path of ["/emailpassword/email/exists", "/signup/email/exists"]) {
    const ask = (query, want, note) => device.get(`${path}${query}`, want, { note: `${path} ${note}`, forget: true });
    await ask(`?email=${t.email()}`, "OK", "known");
    await ask(`?email=${t.email("nobody")}`, "OK", "unknown");
    await ask(`?email=${encodeURIComponent(` ${t.email().toUpperCase()} `)}`, "OK", "in capitals, with blanks");
    await ask("", missing, "without");
    await ask("?email=", null, "empty");
    await ask("?email=nonsense", "OK", "not an address");
    await ask(`?email=${t.email()}&email=${t.email()}`, missing, "twice");
    await ask("?Email=a@b.cd", missing, "in another spelling");
    await ask(`?email=${t.email().replace("@", "%40")}&x=1`, "OK", "escaped");
    await ask(`?email[]=${t.email()}`, null, "with brackets");
  }
});

add("the flag", async (t) => {
  const fields = (more) => form({ email: t.email(), password: PASSWORD }, more);
  const device = t.client("cookie");
  await device.signUp(t.email());
  const ask = (value, want, note) =>
    device.post("/signin", fields({ shouldTryLinkingWithSessionUser: value }), want, { note, forget: true });
  await ask(false, "OK", "false");
  await ask(null, "OK", "null");
  await ask(true, 500, "true without a linking rule");
  await ask("true", null, "a text");
  await ask("", null, "an empty text");
  await ask(1, null, "a number");
  await device.post("/signin", fields({}), "OK", { note: "absent", forget: true });
  const old = { headers: { "fdi-version": "3.0" }, forget: true };
  await device.post("/signin", fields({}), "OK", { ...old, note: "absent, before 3.1" });
  await device.post("/signin", fields({ shouldTryLinkingWithSessionUser: true }), undefined, {
    ...old,
    note: "true, before 3.1",
  });
  const none = t.client("cookie");
  await none.post("/signin", fields({ shouldTryLinkingWithSessionUser: true }), [401, "unauthorised"], {
    note: "no session",
  });
  await none.post("/signin", { formFields: [], shouldTryLinkingWithSessionUser: true }, "FIELD_ERROR", {
    note: "form first",
  });
  await none.post("/signup", fields({ shouldTryLinkingWithSessionUser: true }), [401, "unauthorised"], {
    note: "sign-up",
  });
});

add("people with an external id", async (t) => {
  const device = t.client("cookie");
  const { body } = await device.signUp(t.email());
  const ids = { superTokensUserId: body?.user?.id, externalUserId: t.own("external"), force: true };
  await t.core("POST", "/recipe/userid/map", ids);
  await device.get("/user/email/verify", null, { note: "the old session", forget: true });
  const other = t.client("cookie");
  await other.signIn(t.email());
  t.holds(other.payload().sub === t.own("external"), "the session has the external id");
  await other.get("/user/email/verify", "OK");
  await other.refresh();
});

add("people whose passwords were hashed elsewhere", async (t) => {
  const passwordHash = "$2a$10$GzEm3vKoAqnJCTWesRARCe/ovjt/07qjvcH9jbLUg44Fn77gMZkmm";
  await t.core("POST", "/recipe/user/passwordhash/import", { email: t.email(), passwordHash });
  const device = t.client("cookie");
  await device.signIn(t.email(), "WRONG_CREDENTIALS_ERROR", { password: "wrong-pass-1" });
  await device.signIn(t.email(), "OK", { password: "testPass123", note: "the right one" });
});

const fields = add.under("fields");
const value = (id, content) => ({ id, value: content });
fields("a form with fields of its own", async (t) => {
  const device = t.client("cookie");
  const send = (note, want, ...more) =>
    device.post("/signup", { formFields: [email(t.email()), password(PASSWORD), ...more] }, want, {
      note,
      forget: true,
    });
  await send("none of them", "FIELD_ERROR");
  await send("one of them", "FIELD_ERROR", value("name", "x"));
  await send("empty", "FIELD_ERROR", value("name", ""), value("age", 1));
  await send("null", "FIELD_ERROR", value("name", "x"), value("age", null));
  await send("too many", 400, value("name", "x"), value("age", 1), value("country", "x"), value("more", "x"));
  await send("another id", "FIELD_ERROR", value("name", "x"), value("years", 1));
  await send("of every kind", "OK", value("name", { first: "x" }), value("age", [1]));
  await device.post("/signup", { formFields: [] }, "FIELD_ERROR", { note: "nothing: the order of errors" });
  const all = [value("country", ""), value("age", 0), value("name", false), email(t.email("two")), password(PASSWORD)];
  await device.post("/signup", { formFields: all }, null, { note: "zero and false", forget: true });
  await device.post("/signin", { formFields: [email(t.email()), password(PASSWORD), value("name", "x")] }, 400, {
    note: "sign-in",
  });
  await device.signIn(t.email());
  t.holds(Object.keys(device.payload()).at(-1) === "iss", "no claims");
  await device.get("/user/email/verify", 404, { note: "no such recipe" });
});
