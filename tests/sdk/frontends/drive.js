// People who use the three official frontends in a real, headless Chromium, over https, with nothing behind the pages
// but the server.
import { chromium } from "playwright-core";
import { isTrue, launching, same, start } from "../browser/harness.js";
import { frames, inAForeignFrame, onAnotherSite, onAnotherSiteWithCookies, OUTSIDE } from "./elsewhere.js";
import { call, EXPIRY, handleOf, isRefused, open, reads, ready, shows, signUp, wait } from "./person.js";
import { files, Proxy, serve } from "./web.js";

const { FRONT_PORT, TLS_PORT, HOME_OF_BROWSER } = process.env;
const DOMAINS = process.env.DOMAINS.split(",");
const FRONTENDS = ["website", "web-js", "auth-react"];
const RACES = 10;
/** Where the server speaks TLS itself. */
const TLS = "tls.test";

const proxies = Object.fromEntries(DOMAINS.map((domain) => [domain, new Proxy(Number(FRONT_PORT))]));
const sites = { [`frames.${OUTSIDE}`]: frames };
for (const domain of [...DOMAINS, OUTSIDE, TLS]) sites[`www.${domain}`] = sites[`app.${domain}`] = files("dist", "website.html");
for (const domain of DOMAINS) sites[`auth.${domain}`] = proxies[domain].handle;
const direct = { [`auth.${TLS}`]: TLS_PORT };
const { flags, env } = await serve(HOME_OF_BROWSER, [...DOMAINS, OUTSIDE, TLS], sites, direct);
const { check, end } = await start(chromium, "frontends", flags, { env, atOnce: 8 });

async function usualDay(profile, address, email, mode) {
  const tab = await open(profile, address());
  await shows(tab, null, "at first");
  await isRefused(tab, "reading without a session");
  const user = await signUp(tab, email);
  await reads(tab, "after signing up");
  const api = new URL(address()).origin.replace("www.", "auth.");
  const cookies = await profile.cookies([address(), `${api}/auth/session/refresh`]);
  const find = (name) => cookies.find((cookie) => cookie.name === name);
  if (mode === "cookie") {
    const flags = ["sAccessToken", "sRefreshToken"].map((name) => [find(name)?.httpOnly, find(name)?.secure, find(name)?.sameSite]);
    same(flags, [[true, true, "Lax"], [true, true, "Lax"]], "cookies");
  } else {
    isTrue(!find("sAccessToken") && !find("sRefreshToken"), "the server sets no token cookies");
    isTrue(find("st-access-token") && find("st-refresh-token"), "the frontend keeps the tokens");
  }
  await call(tab, "signOut");
  await shows(tab, null, "after signing out");
  await isRefused(tab, "reading after signing out");
  const left = (await profile.cookies()).filter(({ name, value }) => /^(s|st-)(A|R|a|r)\w+/.test(name) && value);
  same(left, [], "token cookies left");
  same(await call(tab, "signIn", email), "OK", "signing in");
  await shows(tab, user, "after signing in");
}

/** The frontends' lock keeps tabs of one origin from refreshing at once; without it, they do. */
async function twoTabs(profile, address, email) {
  const locked = [await open(profile, address())];
  const user = await signUp(locked[0], email);
  const handle = await handleOf(locked[0]);
  locked.push(await open(profile, address()));
  await shows(locked[1], user, "second tab");
  await wait(EXPIRY);
  await Promise.all(locked.map((tab) => reads(tab, "after expiry")));
  const racing = [await open(profile, address("&lock=off")), await open(profile, address("&lock=off"))];
  let refreshes = 0;
  racing.forEach((tab) => tab.on("response", (reply) => (refreshes += reply.url().endsWith("/session/refresh"))));
  for (let round = 1; round <= RACES; round += 1) {
    same(await Promise.all(racing.map((tab) => call(tab, "refresh"))), [true, true], `refreshes of round ${round}`);
    await Promise.all(racing.map((tab) => reads(tab, `round ${round}`)));
    same(await Promise.all(racing.map(handleOf)), [handle, handle], `handles of round ${round}`);
  }
  isTrue(refreshes >= 1.5 * RACES, `the tabs really raced: ${refreshes} refreshes in ${RACES} rounds`);
}

async function lostReplies(profile, address, email, domain) {
  const proxy = proxies[domain];
  const tab = await open(profile, address());
  const user = await signUp(tab, email);
  const handle = await handleOf(tab);
  for (let round = 1; round <= 2; round += 1) {
    await wait(EXPIRY);
    const before = proxy.lost.length;
    proxy.losing = true;
    const answer = await call(tab, "load").catch((error) => error.message);
    proxy.losing = false;
    const lost = proxy.lost.slice(before);
    isTrue(/fetch/.test(answer), `what the page is told: ${JSON.stringify(answer)}`);
    isTrue(lost.length > 0 && lost.every((status) => status === 200), `replies that were lost: ${lost}`);
    await shows(tab, user, "after the loss");
    await reads(tab, "after the loss");
    same(await handleOf(tab), handle, "handle");
  }
}

async function wrongClock(profile, address, email, minutes) {
  const tab = await profile.newPage();
  await tab.clock.install({ time: Date.now() + minutes * 60_000 });
  await tab.goto(address());
  await ready(tab);
  const user = await signUp(tab, email);
  const seen = [];
  tab.on("response", (reply) => reply.url().endsWith("/session/refresh") && seen.push(reply.status()));
  await reads(tab, "at once");
  same(seen, [], "refreshes before the token expires");
  // The SDK measures the difference with the token's time, which is in whole seconds.
  await wait(EXPIRY + 1_000);
  await reads(tab, "after expiry");
  await shows(tab, user, "after expiry");
  same(seen, [200], "refreshes after it");
}

async function subDomains(profile, frontend, mode) {
  const page = (name) => `https://${name}.shared.test/${frontend}.html?mode=${mode}&domain=.shared.test`;
  const [www, app] = [await open(profile, page("www")), await open(profile, page("app"))];
  const user = await signUp(www, `${frontend}-${mode}@example.org`);
  await app.reload();
  await ready(app);
  await shows(app, user, "the page on the other sub-domain");
  const handle = await handleOf(www);
  await wait(EXPIRY);
  // At once: pages of two origins have no common lock, and whose request comes late does not matter.
  await Promise.all([reads(app, "the other page after expiry"), reads(www, "the first page after expiry")]);
  same([await handleOf(www), await handleOf(app)], [handle, handle], "handles");
  await call(app, "signOut");
  await isRefused(www, "the first page after signing out on the other");
  await shows(www, null, "the first page after signing out on the other");
}

/** With the server's own TLS, and HTTP/2. */
async function withoutProxy(profile, address, email, mode) {
  const wires = new Set();
  profile.on("page", async (tab) => {
    const wire = await profile.newCDPSession(tab);
    wire.on("Network.responseReceived", ({ response }) => {
      if (new URL(response.url).hostname === `auth.${TLS}`) wires.add(`${response.protocol}, ${response.securityState}`);
    });
    await wire.send("Network.enable");
  });
  await usualDay(profile, address, email, mode);
  await wait(EXPIRY);
  const [tab] = profile.pages();
  await reads(tab, "after expiry");
  same([...wires], ["h2, secure"], "protocols of the front door");
}

async function everything(frontend, mode) {
  const title = (what) => `${frontend}, ${mode} mode: ${what}`;
  const domain = `${frontend}-${mode}.test`;
  const address = (more = "") => `https://www.${domain}/${frontend}.html?mode=${mode}${more}`;
  const email = (name) => `${name}-${mode}@example.org`;
  await check(title("sign up, read, sign out, sign in"), (profile) => usualDay(profile, address, email("day"), mode));
  await check(title("two tabs after expiry, and refreshing at once ten times"), (profile) => twoTabs(profile, address, email("tabs")));
  await check(title("replies to refreshes get lost"), (profile) => lostReplies(profile, address, email("lost"), domain));
  for (const minutes of [-10, 10]) {
    const act = (profile) => wrongClock(profile, address, email(`clock${minutes}`), minutes);
    await check(title(`a clock that is ${minutes} minutes off`), act);
  }
  await check(title("pages on two sub-domains"), (profile) => subDomains(profile, frontend, mode));
  const direct = (more = "") => address(more).replace(domain, TLS);
  await check(title("the server's own TLS"), (profile) => withoutProxy(profile, direct, email(`tls-${frontend}`), mode));
  const fate = mode === "header" ? "all goes well" : "nobody stays signed in, and the page knows";
  await check(title(`no third-party cookies, on another site: ${fate}`), (profile) => onAnotherSite(profile, frontend, mode));
  await check(title(`no third-party cookies, in a frame: ${fate}`), (profile) => inAForeignFrame(profile, frontend, mode));
}

/** A frontend from before FDI 3.0 speaks versions that the front door does not name. */
for (const mode of ["cookie", "header"]) {
  check(`web-js 0.8, ${mode} mode: sign up, read, refresh, sign out, sign in`, async (profile) => {
    const address = `https://www.web-js-${mode}.test/web-js-0.8.html?mode=${mode}`;
    const versions = new Set();
    profile.on("request", (request) => versions.add(request.headers()["fdi-version"]));
    await usualDay(profile, () => address, `older-${mode}@example.org`, mode);
    await wait(EXPIRY);
    await reads(profile.pages()[0], "after expiry");
    same([...versions].filter(Boolean).sort(), ["1.16,1.17,1.18", "1.17,1.18"], "versions that it names");
  });
}

const launch = (folder) => chromium.launchPersistentContext(folder, launching(flags, { env }));
const permissive = () => onAnotherSiteWithCookies(launch, HOME_OF_BROWSER);
check("website, cookie mode: another site, where third-party cookies are allowed", permissive);
await Promise.all(FRONTENDS.flatMap((frontend) => ["cookie", "header"].map((mode) => everything(frontend, mode))));
await end();
