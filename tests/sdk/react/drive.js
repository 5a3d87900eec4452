// A person using the React application in a real browser. APP_URL: where it is served. Screenshots go to ARTIFACTS.
import { randomUUID } from "node:crypto";
import { chromium } from "playwright-core";
import { isTrue, same, start } from "../browser/harness.js";
import { asksFor, changeForm, fill, goTo, picture, press, sees, setPassword, signIn, signUp } from "./ui.js";

const { APP_URL } = process.env;
const PASSWORD = "correct-horse-1";
const { check, end } = await start(chromium, "react");

const newAddress = () => `person-${randomUUID()}@example.org`;

/** What the application's own code does. */
async function admin(path, fields) {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(`${APP_URL}/admin${path}`, { method: "POST", headers, body: JSON.stringify(fields) });
  isTrue(reply.ok, `/admin${path} answered ${reply.status}`);
  return reply.json();
}

/** The link in the newest mail of that kind: some pages are there before their mail is. */
async function mailedLink(email, type) {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    const { mails } = await admin("/mails", { email });
    const found = mails.findLast((mail) => mail.type === type);
    if (found) return found.link;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`no ${type} mail to ${email}`);
}

/** A tab of the person's browser; nothing is loaded from elsewhere. */
async function open(profile, path) {
  await profile.route(
    (url) => url.origin !== APP_URL,
    (route) => route.abort(),
  );
  const tab = await profile.newPage();
  await tab.goto(APP_URL + path, { waitUntil: "domcontentloaded" });
  return tab;
}

/** Follows the mailed link to the protected page; the user's id. */
async function verify(tab, email) {
  await sees(tab, "Please click on the link");
  await goTo(tab, await mailedLink(email, "EMAIL_VERIFICATION"));
  await sees(tab, "Email Verification Successful!");
  await press(tab, "CONTINUE");
  return signedIn(tab);
}

/** On the protected page the browser and the server agree on who this is. */
async function signedIn(tab) {
  await tab.waitForURL(`${APP_URL}/`);
  const [browser, server] = [await tab.textContent("#user"), await tab.textContent("#server")];
  same(server, browser, "user on the server");
  return browser;
}

async function signOut(tab) {
  await press(tab, "Sign out");
  await tab.waitForURL((url) => url.pathname === "/auth");
  await asksFor(tab, "password");
}

/** A person who signed up and verified the address. */
async function newPerson(profile) {
  const email = newAddress();
  const tab = await open(profile, "/");
  await signUp(tab, email, PASSWORD);
  return { tab, email, user: await verify(tab, email) };
}

await check("sign up, verify the address, read, sign out, sign in", async (profile) => {
  const email = newAddress();
  const tab = await open(profile, "/");
  await signUp(tab, email, PASSWORD);
  await sees(tab, "Verify your email!");
  await picture(tab, "verify-email");
  await goTo(tab, `${APP_URL}/`);
  await sees(tab, "Verify your email!");
  same(await tab.locator("#user").count(), 0, "the protected page before the address is verified");
  const user = await verify(tab, email);
  await picture(tab, "signed-in");
  const known = await admin("/user", { userId: user });
  same([known.emails, known.methods[0].verified], [[email], true], "the user as the server knows them");
  await signOut(tab);
  await goTo(tab, `${APP_URL}/`);
  await signIn(tab, email, PASSWORD);
  same(await signedIn(tab), user, "user after signing in again");
});

await check("a wrong password and an unknown address are refused in the same words", async (profile) => {
  const { tab, email, user } = await newPerson(profile);
  await signOut(tab);
  for (const [name, password] of [[email, "wrong-horse-1"], [newAddress(), PASSWORD]]) {
    await goTo(tab, `${APP_URL}/`);
    await signIn(tab, name, password);
    await sees(tab, "Incorrect email and password combination");
    await picture(tab, "wrong-password");
  }
  await signIn(tab, email, PASSWORD);
  same(await signedIn(tab), user, "user with the right password");
});

await check("an address that is taken is refused at sign-up", async (profile) => {
  const { tab, email } = await newPerson(profile);
  await signOut(tab);
  await signUp(tab, email.toUpperCase(), PASSWORD);
  await sees(tab, "This email already exists. Please sign in instead");
  await picture(tab, "email-exists");
});

await check("a forgotten password is replaced through the mailed link, once", async (profile) => {
  const { tab, email, user } = await newPerson(profile);
  await signOut(tab);
  await changeForm(tab, "Forgot password?", "Email me");
  await fill(tab, { email });
  await press(tab, "Email me");
  await sees(tab, "A password reset email has been sent to");
  const link = await mailedLink(email, "PASSWORD_RESET");
  await setPassword(tab, link, "battery-staple-2");
  await sees(tab, "Your password has been updated successfully");
  await press(tab, "SIGN IN");
  await signIn(tab, email, PASSWORD);
  await sees(tab, "Incorrect email and password combination");
  await signIn(tab, email, "battery-staple-2");
  same(await signedIn(tab), user, "user with the new password");
  await signOut(tab);
  await setPassword(tab, link, "a-third-one-3");
  await sees(tab, "Invalid password reset token");
});

await check("a page for admins opens with the role", async (profile) => {
  const { tab, email, user } = await newPerson(profile);
  await goTo(tab, `${APP_URL}/admin`);
  await sees(tab, "Only admins come in here.");
  await picture(tab, "access-denied");
  await admin("/role", { role: "admin", permissions: [] });
  same((await admin("/role/give", { userId: user, role: "admin" })).status, "OK", "role given");
  await goTo(tab, `${APP_URL}/`);
  await signOut(tab);
  await signIn(tab, email, PASSWORD);
  await signedIn(tab);
  await goTo(tab, `${APP_URL}/admin`);
  await sees(tab, "Welcome, admin.");
});

await end();
