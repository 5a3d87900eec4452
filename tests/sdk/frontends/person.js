// What a person does with one of the frontends' pages, and what they should see.
import { same } from "../browser/harness.js";

/** A little more than tokens live. */
export const EXPIRY = 3_300;
export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Calls one of the page's functions. */
export const call = (page, name, ...args) => page.evaluate(([name, args]) => window.page[name](...args), [name, args]);

export const ready = (page) => page.waitForFunction(() => window.page);

export async function open(profile, address) {
  const tab = await profile.newPage();
  await tab.goto(address);
  await ready(tab);
  return tab;
}

/** The page reads with its session. */
export async function reads(page, what) {
  const { status, body } = await call(page, "load");
  same([status, body.status], [200, "OK"], `${what}: reply (${JSON.stringify(body)})`);
}

/** The page is refused for want of a session. */
export async function isRefused(page, what) {
  const { status, body } = await call(page, "load");
  same([status, body.message], [401, "unauthorised"], what);
}

export const handleOf = async (page) => (await call(page, "payload")).sessionHandle;

/** The page says that this person is signed in (`null`: nobody), perhaps after it has drawn itself anew. */
export async function shows(page, user, what) {
  const is = (wanted) => window.page.user().then((user) => user === wanted);
  await page.waitForFunction(is, user, { timeout: 10_000 }).catch(async () => {
    throw new Error(`${what}: the page shows ${await call(page, "user")}, not ${user}`);
  });
}

/** A new person; the id. */
export async function signUp(page, email) {
  same(await call(page, "signUp", email), "OK", "signing up");
  const user = (await call(page, "payload")).sub;
  await shows(page, user, "after signing up");
  return user;
}
