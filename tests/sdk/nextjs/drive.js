// A person on a site whose pages are rendered on the server. SITE: the site; API: its front door; CORE_URI: the core, for
// what an operator does.
import { chromium } from "playwright-core";
import { isTrue, same, start } from "../browser/harness.js";
import { asksFor, goTo, picture, press, signIn, signUp } from "../react/ui.js";

const { SITE, API, CORE_URI } = process.env;
const PASSWORD = "correct-horse-1";
const EXPIRY = 5_300;
const { check, end } = await start(chromium, "nextjs");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Who is signed in, as the page says that the server rendered. */
async function rendered(tab) {
  await tab.waitForURL(`${SITE}/`);
  return [await tab.textContent("#user"), await tab.textContent("#handle")];
}

/** What the site's API says to the page. */
const me = (tab) => tab.evaluate(() => fetch("/api/me").then(async (reply) => [reply.status, await reply.json()]));

/** The page's text as the server sends it, before any script runs. */
async function served(profile) {
  const reply = await profile.request.get(`${SITE}/`, { maxRedirects: 5 });
  same(reply.status(), 200, "status of the page");
  return reply.text();
}

async function newPerson(profile, email) {
  const tab = await profile.newPage();
  await goTo(tab, `${SITE}/`);
  await tab.waitForURL((url) => url.pathname === "/auth");
  await signUp(tab, email, PASSWORD);
  const [user, handle] = await rendered(tab);
  return { tab, user, handle };
}

check("whoever signs up is known to the server's pages and to the backend SDK", async (profile) => {
  const { tab, user, handle } = await newPerson(profile, "known@example.org");
  same(await me(tab), [200, { userId: user, handle }], "the backend SDK's answer");
  const keys = await (await fetch(`${API}/api/auth/jwt/jwks.json`)).json();
  isTrue(keys.keys.every(({ kty }) => kty === "RSA"), "the helper reads RSA keys only");
  isTrue((await served(profile)).includes(user), "the page's own text names the person");
  await picture(tab, "signed-in");
  await press(tab, "Sign out");
  await asksFor(tab, "email");
  same((await me(tab))[0], 401, "status after signing out");
  await goTo(tab, `${SITE}/`);
  await asksFor(tab, "email");
  await signIn(tab, "known@example.org", PASSWORD);
  same((await rendered(tab))[0], user, "user after signing in");
});

check("the site's server refreshes before it renders, and the browser goes on with the new tokens", async (profile) => {
  const { tab, user, handle } = await newPerson(profile, "refreshed@example.org");
  const refreshes = { site: 0, page: 0 };
  tab.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if (pathname === "/api/auth/session/refresh" && request.method() !== "OPTIONS") refreshes[origin === SITE ? "site" : "page"] += 1;
  });
  for (let round = 1; round <= 2; round += 1) {
    await wait(EXPIRY);
    await goTo(tab, `${SITE}/`);
    same(await rendered(tab), [user, handle], `round ${round}`);
  }
  same(refreshes, { site: 2, page: 0 }, "refreshes by the site's server and by the page");
});

check("a session that was ended elsewhere leads to the sign-in page", async (profile) => {
  const { tab, handle } = await newPerson(profile, "ended@example.org");
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ sessionHandles: [handle] });
  const reply = await fetch(`${CORE_URI}/recipe/session/remove`, { method: "POST", headers, body });
  same((await reply.json()).sessionHandlesRevoked, [handle], "sessions ended");
  await wait(EXPIRY);
  await goTo(tab, `${SITE}/`);
  await asksFor(tab, "email");
  // The helper does not find the refresh token's cookie, which has a path of its own.
  const left = (await profile.cookies()).filter(({ name, value }) => /^s(Access|Front)Token$/.test(name) && value);
  same(left.map(({ name }) => name), [], "cookies left");
});

check("a forged access token opens no page", async (profile) => {
  const { tab, user } = await newPerson(profile, "forged@example.org");
  const cookies = await profile.cookies();
  const access = cookies.find(({ name }) => name === "sAccessToken");
  const [head, body, signature] = access.value.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  const other = Buffer.from(JSON.stringify({ ...claims, sub: "somebody-else" })).toString("base64url");
  await profile.addCookies([{ ...access, value: `${head}.${other}.${signature}` }]);
  const text = await served(profile);
  isTrue(!text.includes("somebody-else") && !text.includes(user), "the page's text names nobody");
  await goTo(tab, `${SITE}/`);
  await asksFor(tab, "email");
});

await end();
