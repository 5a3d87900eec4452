// Drives the page in a real, headless Chromium. APP_URL: the application whose access tokens live 3 s; LONG_URL: the
// same with tokens that live an hour. Screenshots go to ARTIFACTS.
import { chromium } from "playwright-core";
import { isTrue, same, start } from "./harness.js";

const { APP_URL, LONG_URL, ARTIFACTS } = process.env;
const RACES = 20;
const { check, end } = await start(chromium, "browser");

async function open(profile, mode, { url = APP_URL, lock = "on" } = {}) {
  const tab = await profile.newPage();
  await tab.goto(`${url}/page.html?mode=${mode}&lock=${lock}`);
  await tab.waitForFunction(() => window.api && document.querySelector("#state").textContent !== "…");
  return tab;
}

/** Calls one of the page's functions. */
const call = (tab, name, ...args) => tab.evaluate(([name, args]) => window.api[name](...args), [name, args]);

async function signedIn(tab, what) {
  const reply = await call(tab, "load");
  same(reply.status, 200, `${what}: status (${JSON.stringify(reply.body)})`);
  return reply.body;
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const EXPIRY = 3_300;

for (const mode of ["cookie", "header"]) {
  await check(`a person signs in, reads, waits past expiry, reads again and signs out, ${mode} mode`, async (profile) => {
    const tab = await open(profile, mode);
    same(await tab.textContent("#state"), "signed out", "state at first");
    same((await call(tab, "load")).status, 401, "status before signing in");
    await tab.click("#sign-in");
    await tab.waitForFunction(() => document.querySelector("#state").textContent === "signed in");
    same(await call(tab, "userId"), "person@example.org", "user");
    same((await call(tab, "payload")).site, "browser", "payload");
    const handle = (await signedIn(tab, "after signing in")).handle;
    await wait(EXPIRY);
    await tab.click("#load");
    await tab.waitForFunction(() => window.api.events.includes("REFRESH_SESSION"));
    same((await signedIn(tab, "after the refresh")).handle, handle, "handle");
    await tab.screenshot({ path: `${ARTIFACTS}/signed-in-${mode}.png` });
    await tab.click("#sign-out");
    await tab.waitForFunction(() => document.querySelector("#state").textContent === "signed out");
    same((await call(tab, "load")).status, 401, "status after signing out");
    const cookies = (await profile.cookies()).filter(({ name, value }) => /^(s|st-)(A|R|a|r)\w+/.test(name) && value);
    same(cookies, [], "token cookies left after signing out");
    await tab.screenshot({ path: `${ARTIFACTS}/signed-out-${mode}.png` });
  });

  await check(`tokens of ${mode} mode are kept where they belong`, async (profile) => {
    const tab = await open(profile, mode, { url: LONG_URL });
    await call(tab, "signIn", "keeper");
    const cookies = await profile.cookies([LONG_URL, `${LONG_URL}/auth/session/refresh`]);
    const find = (name) => cookies.find((cookie) => cookie.name === name);
    if (mode === "cookie") {
      isTrue(find("sAccessToken")?.httpOnly, "the access token is in an HttpOnly cookie");
      isTrue(find("sRefreshToken")?.httpOnly, "the refresh token is in an HttpOnly cookie");
      same(find("sRefreshToken").path, "/auth/session/refresh", "path of the refresh cookie");
    } else {
      isTrue(!find("sAccessToken") && !find("sRefreshToken"), "the server sets no token cookies");
      isTrue(find("st-access-token") && find("st-refresh-token"), "the frontend SDK keeps the tokens");
    }
  });

  await check(`two tabs read at the same moment after expiry, ${mode} mode`, async (profile) => {
    const tabs = [await open(profile, mode), await open(profile, mode)];
    await call(tabs[0], "signIn", "two-tabs");
    const handle = (await signedIn(tabs[0], "first tab")).handle;
    for (let round = 1; round <= 4; round += 1) {
      await wait(EXPIRY);
      const replies = await Promise.all(tabs.map((tab) => signedIn(tab, `round ${round}`)));
      same(replies.map((reply) => reply.handle), [handle, handle], `handles in round ${round}`);
    }
  });

  await check(`two tabs refresh at once ${RACES} times without a lock between them, ${mode} mode`, async (profile) => {
    const how = { url: LONG_URL, lock: "off" };
    const tabs = [await open(profile, mode, how), await open(profile, mode, how)];
    await call(tabs[0], "signIn", "racing-tabs");
    const handle = (await signedIn(tabs[0], "first tab")).handle;
    let refreshes = 0;
    tabs.forEach((tab) => tab.on("response", (reply) => (refreshes += reply.url().endsWith("/session/refresh"))));
    for (let round = 1; round <= RACES; round += 1) {
      same(await Promise.all(tabs.map((tab) => call(tab, "refresh"))), [true, true], `refreshes of round ${round}`);
      const replies = await Promise.all(tabs.map((tab) => signedIn(tab, `round ${round}`)));
      same(replies.map((reply) => reply.handle), [handle, handle], `handles in round ${round}`);
    }
    isTrue(refreshes >= 1.5 * RACES, `the tabs really raced: ${refreshes} refreshes in ${RACES} rounds`);
    await tabs[1].screenshot({ path: `${ARTIFACTS}/two-tabs-${mode}.png` });
    await call(tabs[0], "signOut");
    same((await call(tabs[1], "load")).status, 401, "the other tab after signing out");
  });

  await check(`a stolen refresh token: the thief is caught and the page is signed out, ${mode} mode`, async (profile) => {
    const tab = await open(profile, mode, { url: LONG_URL });
    await call(tab, "signIn", "victim");
    const cookies = await profile.cookies([LONG_URL, `${LONG_URL}/auth/session/refresh`]);
    const name = mode === "cookie" ? "sRefreshToken" : "st-refresh-token";
    const stolen = cookies.find((cookie) => cookie.name === name).value;
    isTrue(await call(tab, "refresh"), "the owner refreshes");
    await signedIn(tab, "the owner");
    const headers = mode === "cookie" ? { Cookie: `sRefreshToken=${stolen}` } : { Authorization: `Bearer ${decodeURIComponent(stolen)}` };
    const reply = await fetch(`${LONG_URL}/auth/session/refresh`, { method: "POST", headers });
    same([reply.status, (await reply.json()).message], [401, "token theft detected"], "the thief's refresh");
    same((await call(tab, "loadChecked")).status, 401, "the owner afterwards");
    same(await call(tab, "exists"), false, "a session in the page");
    same(await tab.textContent("#state"), "signed out", "state");
  });
}

await end();
