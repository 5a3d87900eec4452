// People who use the SDK's prebuilt pages, with nothing behind them but the server. FRONT_PORT: its front door; CORE_URI:
// its core, for what an operator does; PROVIDER: where ADA and BOB have accounts.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { chromium } from "playwright-core";
import { isTrue, same, start } from "../browser/harness.js";
import { totp } from "../front/totp.js";
import { asksFor, changeForm, fill, follow, goTo, picture, press, sees, setPassword, signIn, signUp } from "../react/ui.js";
import { files, Proxy, serve } from "./web.js";

const { FRONT_PORT, CORE_URI, HOME_OF_BROWSER, PROVIDER, ADA, BOB } = process.env;
const PASSWORD = "correct-horse-1";
const [PAGES, CODES, TEXTS] = ["pages.localhost", "codes.localhost", "texts.localhost"];

const proxy = new Proxy(Number(FRONT_PORT));
const sites = {};
for (const domain of [PAGES, CODES, TEXTS]) {
  sites[`www.${domain}`] = files("dist", "prebuilt.html");
  sites[`auth.${domain}`] = proxy.handle;
}
const { flags, env } = await serve(HOME_OF_BROWSER, [PAGES, CODES, TEXTS], sites);
const { check, end } = await start(chromium, "prebuilt", flags, { env });

const newAddress = () => `person-${randomUUID()}@example.org`;

/** All mails and text messages of the development server, as its developer reads them. */
function caughtMails(domain) {
  const request = { host: "127.0.0.1", port: FRONT_PORT, path: "/auth/dev/mail.json", headers: { host: `auth.${domain}` } };
  return new Promise((done, fail) => {
    const read = (reply) => {
      let text = "";
      reply.on("data", (part) => (text += part)).on("end", () => done(JSON.parse(text)));
    };
    http.get(request, read).on("error", fail);
  });
}

/** The newest mail to somebody that is none of those already read. */
async function nextMail(domain, email, read = []) {
  const end = Date.now() + 15_000;
  while (Date.now() < end) {
    const mails = (await caughtMails(domain)).filter(({ to, id }) => to === email && !read.includes(id));
    if (mails.length > 0) return mails.reduce((one, other) => (other.time >= one.time ? other : one));
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`no mail to ${email}`);
}

/** What an operator changes. */
async function operate(method, path, fields) {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(`${CORE_URI}/appid-pages${path}`, { method, headers, body: JSON.stringify(fields) });
  same([reply.status, (await reply.json()).status], [200, "OK"], path);
}

/** A tab of the person's browser; nothing is loaded from elsewhere. */
async function open(profile, domain) {
  const allowed = [`https://www.${domain}`, `https://auth.${domain}`, PROVIDER];
  await profile.route(
    (url) => !allowed.includes(url.origin),
    (route) => route.abort(),
  );
  const tab = await profile.newPage();
  await goTo(tab, `https://www.${domain}/`);
  return tab;
}

/** Who is signed in, on the page for people who are. */
async function signedIn(tab) {
  await tab.waitForURL((url) => url.pathname === "/");
  const claims = JSON.parse(await tab.textContent("#claims"));
  return { user: await tab.textContent("#user"), claims };
}

async function signOut(tab) {
  await press(tab, "Sign out");
  await tab.waitForURL((url) => url.pathname === "/auth");
  await asksFor(tab, "email");
}

/** Follows the mailed link and comes in. */
async function verify(tab, email) {
  await sees(tab, "Please click on the link");
  await goTo(tab, (await nextMail(PAGES, email)).link);
  await sees(tab, "Email Verification Successful!");
  await press(tab, "CONTINUE");
  return signedIn(tab);
}

async function newPerson(profile, email = newAddress()) {
  const tab = await open(profile, PAGES);
  await signUp(tab, email, PASSWORD);
  return { tab, email, user: (await verify(tab, email)).user };
}

check("sign up, verify the address, sign out, sign in", async (profile) => {
  const email = newAddress();
  const tab = await open(profile, PAGES);
  await signUp(tab, email, PASSWORD);
  await sees(tab, "Verify your email!");
  await goTo(tab, `https://www.${PAGES}/`);
  await sees(tab, "Verify your email!");
  same(await tab.locator("#user").count(), 0, "the page before the address is verified");
  const { user, claims } = await verify(tab, email);
  same([claims["st-ev"].v, claims["st-mfa"].v], [true, true], "claims");
  await picture(tab, "signed-in");
  await signOut(tab);
  await goTo(tab, `https://www.${PAGES}/`);
  await signIn(tab, email, "wrong-horse-1");
  await sees(tab, "Incorrect email and password combination");
  await signIn(tab, email, PASSWORD);
  same((await signedIn(tab)).user, user, "user after signing in");
});

check("a forgotten password is replaced through the mailed link, once", async (profile) => {
  const { tab, email, user } = await newPerson(profile);
  const read = [(await nextMail(PAGES, email)).id];
  await signOut(tab);
  await changeForm(tab, "Forgot password?", "Email me");
  await fill(tab, { email });
  await press(tab, "Email me");
  await sees(tab, "A password reset email has been sent to");
  const { link } = await nextMail(PAGES, email, read);
  await setPassword(tab, link, "battery-staple-2");
  await sees(tab, "Your password has been updated successfully");
  await press(tab, "SIGN IN");
  await signIn(tab, email, PASSWORD);
  await sees(tab, "Incorrect email and password combination");
  await signIn(tab, email, "battery-staple-2");
  same((await signedIn(tab)).user, user, "user with the new password");
  await signOut(tab);
  await setPassword(tab, link, "a-third-one-3");
  await sees(tab, "Invalid password reset token");
});

check("through the provider, twice the same person, without a mail", async (profile) => {
  const tab = await open(profile, PAGES);
  await press(tab, "Continue with Ours");
  const { user, claims } = await signedIn(tab);
  same(claims["st-ev"].v, true, "the address, which the provider vouches for");
  await picture(tab, "provider");
  await signOut(tab);
  await press(tab, "Continue with Ours");
  same((await signedIn(tab)).user, user, "user the second time");
  same((await caughtMails(PAGES)).filter(({ to }) => to === ADA), [], "mails");
});

check("through the provider to the account that has the address already", async (profile) => {
  const { tab, user } = await newPerson(profile, BOB);
  await signOut(tab);
  await press(tab, "Continue with Theirs");
  same((await signedIn(tab)).user, user, "user through the provider");
  await signOut(tab);
  await signIn(tab, BOB, PASSWORD);
  same((await signedIn(tab)).user, user, "user with the password");
});

/** From now on, the person needs this besides the password. */
const requireFactor = (userId, factor) =>
  operate("PUT", "/recipe/user/metadata", {
    userId,
    metadataUpdate: { _supertokens: { requiredSecondaryFactors: [factor] } },
  });

check("a mailed code becomes necessary as a second factor", async (profile) => {
  const { tab, email, user } = await newPerson(profile);
  const read = [(await nextMail(PAGES, email)).id];
  await requireFactor(user, "otp-email");
  await signOut(tab);
  await signIn(tab, email, PASSWORD);
  await sees(tab, "An OTP was sent to you at");
  await picture(tab, "second-factor");
  const { code } = await nextMail(PAGES, email, read);
  await fill(tab, { userInputCode: code });
  await press(tab, "CONTINUE");
  const found = await signedIn(tab);
  same([found.user, found.claims["st-mfa"].v], [user, true], "user, and all factors");
});

check("an authenticator app is added when it becomes necessary, and asked for from then on", async (profile) => {
  const { tab, email, user } = await newPerson(profile);
  await requireFactor(user, "totp");
  await signOut(tab);
  await signIn(tab, email, PASSWORD);
  await sees(tab, "Add a TOTP device");
  await follow(tab, "secret key");
  const secret = await tab.locator('[data-supertokens~="totpSecret"]').textContent();
  isTrue(/^[A-Z2-7]{16,}$/.test(secret), `the secret: ${secret}`);
  await picture(tab, "authenticator");
  await fill(tab, { totp: totp(secret, 40) });
  await press(tab, "Continue");
  await sees(tab, "Invalid TOTP");
  await fill(tab, { totp: totp(secret) });
  await press(tab, "Continue");
  same((await signedIn(tab)).claims["st-mfa"].v, true, "all factors after adding the app");
  await signOut(tab);
  await signIn(tab, email, PASSWORD);
  await sees(tab, "Enter TOTP");
  await goTo(tab, `https://www.${PAGES}/`);
  await sees(tab, "Enter TOTP");
  // A code counts once.
  await fill(tab, { totp: totp(secret, 1) });
  await press(tab, "Continue");
  same((await signedIn(tab)).user, user, "user with both factors");
});

/** Asks for a code; the mail with it. */
async function askForCode(tab, email, read = []) {
  await fill(tab, { email });
  await press(tab, "CONTINUE");
  await sees(tab, "Enter OTP");
  return nextMail(CODES, email, read);
}

check("by a mailed code, and again", async (profile) => {
  const email = newAddress();
  const tab = await open(profile, CODES);
  const first = await askForCode(tab, email);
  await picture(tab, "code");
  const wrong = first.code === "000000" ? "000001" : "000000";
  await fill(tab, { userInputCode: wrong });
  await press(tab, "CONTINUE");
  await sees(tab, "Invalid OTP");
  await fill(tab, { userInputCode: first.code });
  await press(tab, "CONTINUE");
  const { user } = await signedIn(tab);
  await signOut(tab);
  const second = await askForCode(tab, email, [first.id]);
  await fill(tab, { userInputCode: second.code });
  await press(tab, "CONTINUE");
  same((await signedIn(tab)).user, user, "user the second time");
});

check("by a mailed link, in the tab that asked and in another browser, once", async (profile) => {
  const email = newAddress();
  const tab = await open(profile, CODES);
  const first = await askForCode(tab, email);
  await goTo(tab, first.link);
  const { user } = await signedIn(tab);
  await signOut(tab);
  const second = await askForCode(tab, email, [first.id]);
  const other = await profile.browser().newContext();
  const elsewhere = await open(other, CODES);
  await goTo(elsewhere, second.link);
  await press(elsewhere, "CONTINUE");
  same((await signedIn(elsewhere)).user, user, "user in the other browser");
  await signOut(elsewhere);
  await goTo(elsewhere, second.link);
  await press(elsewhere, "CONTINUE");
  await asksFor(elsewhere, "email");
  await other.close();
});

check("by a code in a text message", async (profile) => {
  const tab = await open(profile, TEXTS);
  await fill(tab, { phoneNumber_text: "+1 415 555 2671" });
  await press(tab, "CONTINUE");
  await sees(tab, "Enter OTP");
  const { code } = await nextMail(TEXTS, "+14155552671");
  await fill(tab, { userInputCode: code });
  await press(tab, "CONTINUE");
  await signedIn(tab);
});

await end();
