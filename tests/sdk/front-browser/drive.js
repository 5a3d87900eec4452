// The reader of docs/front-door.md in a real, headless Chromium: the quick start step by step, then its page where
// tokens live three seconds, in header mode, with replies that get lost, a wrong clock, and on two sub-domains.
import { execFileSync } from "node:child_process";
import http from "node:http";
import { chromium } from "playwright-core";
import { isTrue, same, start } from "../browser/harness.js";

const { SITE, FRONT, FAST, SHARED, WEBSITE, PUBLIC, ROLES, ARTIFACTS } = process.env;
const { check, end } = await start(chromium, "front-browser");

const PASSWORD = "correct horse 1";
const EXPIRY = 3_300;
const SIGNED_OUT = "Signed out";
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** The page says something that begins like this; returns the whole sentence. */
async function says(tab, beginning) {
  const state = (text) => document.querySelector("#state")?.textContent.startsWith(text);
  await tab.waitForFunction(state, beginning, { timeout: 15_000 }).catch(async () => {
    throw new Error(`the page says "${await tab.textContent("#state")}", not "${beginning}"`);
  });
  return tab.textContent("#state");
}

/** Looks at a tab as somebody who comes back to it; returns what it then says. */
async function lookAt(tab, beginning) {
  await tab.evaluate(() => {
    document.querySelector("#state").textContent = "";
    window.dispatchEvent(new Event("focus"));
  });
  return says(tab, beginning);
}

async function open(profile, address) {
  const tab = await profile.newPage();
  await tab.goto(address);
  await tab.waitForFunction(() => document.querySelector("#state").textContent !== "");
  return tab;
}

async function submit(tab, button, email, password = PASSWORD) {
  await tab.fill("[name=email]", email);
  await tab.fill("[name=password]", password);
  await tab.click(`text="${button}"`);
}

const person = (sentence) => /^Signed in as (\S+), /.exec(sentence)[1];
const keep = (tab, name) => tab.screenshot({ path: `${ARTIFACTS}/${name}.png` });

/** Counts the refreshes of some tabs and their outcomes. */
function refreshes(...tabs) {
  const seen = [];
  const note = (reply) => {
    if (reply.url().endsWith("/session/refresh")) seen.push(reply.status());
  };
  tabs.forEach((tab) => tab.on("response", note));
  return seen;
}

await check("the quick start, word for word: sign up, verify, a second tab, a role, sign out", async (profile) => {
  const tab = await open(profile, SITE);
  await says(tab, SIGNED_OUT);
  await submit(tab, "Sign up", "jane@example.org", "short1");
  await says(tab, "Password must contain at least 8 characters, including a number");
  await submit(tab, "Sign up", "jane@example.org");
  const first = await says(tab, "Signed in as ");
  isTrue(first.endsWith("address verified: false, roles: none"), first);
  await keep(tab, "1-signed-up");

  const box = await profile.newPage();
  const mails = await box.goto(`${FRONT}/auth/dev/mail`);
  same(mails.status(), 200, "status of the caught mails");
  await keep(box, "2-caught-mail");
  await box.click("a");
  const verified = await says(box, "Signed in as ");
  isTrue(verified.endsWith("address verified: true, roles: none"), verified);
  await keep(box, "3-verified");
  isTrue((await lookAt(tab, "Signed in as ")).includes("address verified: true"), "the first tab sees it as well");

  const second = await open(profile, SITE);
  same(person(await says(second, "Signed in as ")), person(first), "the person in the second tab");

  execFileSync("bash", ["-e", "-c", ROLES.replace("ID-FROM-THE-PAGE", person(first))], { encoding: "utf8" });
  await tab.click("#sign-out");
  await says(tab, SIGNED_OUT);
  await lookAt(second, SIGNED_OUT);
  await submit(second, "Sign in", "jane@example.org", "wrong horse 1");
  await says(second, "WRONG_CREDENTIALS_ERROR");
  await submit(second, "Sign in", "jane@example.org");
  const editor = await says(second, "Signed in as ");
  isTrue(editor.endsWith("address verified: true, roles: editor"), editor);
  await keep(second, "4-with-a-role");
  same(await lookAt(tab, "Signed in as "), editor, "the first tab after signing in in the second");
});

await check("the caught mails are shown to nobody who comes from a page", async (profile) => {
  const tab = await open(profile, SITE);
  for (const path of ["/auth/dev/mail", "/auth/dev/mail.json"]) {
    const read = (address) => fetch(address).then((reply) => reply.status, () => "not readable");
    same(await tab.evaluate(read, FRONT + path), 404, `fetching ${path}`);
  }
  const [answer] = await Promise.all([
    tab.waitForResponse((reply) => reply.url().endsWith("/auth/dev/mail")),
    tab.waitForEvent("load"),
    tab.evaluate((address) => location.assign(address), `${FRONT}/auth/dev/mail`),
  ]);
  same(answer.status(), 404, "following a link");
});

await check("each sign of somebody else alone closes the box of caught mails", async () => {
  const { port } = new URL(FRONT);
  const ask = (headers, to = port) =>
    new Promise((done, fail) => {
      const request = { host: "127.0.0.1", port: to, path: "/auth/dev/mail.json", headers, agent: false };
      http.get(request, (reply) => done(reply.resume().statusCode)).on("error", fail);
    });
  for (const own of [{}, { "sec-fetch-site": "none" }, { "sec-fetch-site": "same-origin" }]) {
    same(await ask(own), 200, `status for ${JSON.stringify(own)}`);
  }
  const signs = [
    { origin: SITE },
    { origin: "null" },
    { referer: `${SITE}/` },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site" },
    { "x-forwarded-for": "127.0.0.1" },
    { forwarded: "for=127.0.0.1" },
  ];
  for (const sign of signs) same(await ask(sign), 404, `status for ${JSON.stringify(sign)}`);
  same(await ask({ host: "rebound.example" }), 403, "status under a stranger's name");
  same(await ask({ host: "localhost" }, new URL(PUBLIC).port), 404, "status where api_domain is public");
});

for (const mode of ["cookie", "header"]) {
  const address = `${SITE}/${mode}.html`;

  await check(`two tabs look at the same moment after expiry, four times, ${mode} mode`, async (profile) => {
    const tabs = [await open(profile, address)];
    await submit(tabs[0], "Sign up", `tabs-${mode}@example.org`);
    const sentence = await says(tabs[0], "Signed in as ");
    tabs.push(await open(profile, address));
    const seen = refreshes(...tabs);
    for (let round = 1; round <= 4; round += 1) {
      await wait(EXPIRY);
      same(await Promise.all(tabs.map((tab) => lookAt(tab, "Signed in as "))), [sentence, sentence], `round ${round}`);
    }
    await wait(EXPIRY);
    await tabs[0].reload();
    await says(tabs[0], "Signed in as ");
    isTrue(seen.length >= 4 && seen.every((status) => status === 200), `refreshes: ${seen}`);
    await keep(tabs[1], `two-tabs-${mode}`);
  });

  await check(`tokens of ${mode} mode are kept where they belong, and gone after signing out`, async (profile) => {
    const tab = await open(profile, address);
    await submit(tab, "Sign up", `keeper-${mode}@example.org`);
    await says(tab, "Signed in as ");
    const cookies = await profile.cookies([SITE, `${FAST}/auth/session/refresh`]);
    const find = (name) => cookies.find((cookie) => cookie.name === name);
    if (mode === "cookie") {
      const flags = ["sAccessToken", "sRefreshToken"].map((name) => [find(name)?.httpOnly, find(name)?.sameSite]);
      same(flags, [[true, "Lax"], [true, "Lax"]], "cookies");
      same(find("sRefreshToken").path, "/auth/session/refresh", "path of the refresh cookie");
    } else {
      isTrue(!find("sAccessToken") && !find("sRefreshToken"), "the server sets no token cookies");
      isTrue(find("st-access-token") && find("st-refresh-token"), "the frontend SDK keeps the tokens");
    }
    await tab.click("#sign-out");
    await says(tab, SIGNED_OUT);
    const left = (await profile.cookies()).filter(({ name, value }) => /^(s|st-)(A|R|a|r)\w+/.test(name) && value);
    same(left, [], "token cookies left");
  });

  await check(`a reply to a refresh gets lost, and nobody is signed out, ${mode} mode`, async (profile) => {
    const tab = await open(profile, address);
    await submit(tab, "Sign up", `lost-${mode}@example.org`);
    const sentence = await says(tab, "Signed in as ");
    let lost = 0;
    await tab.route("**/auth/session/refresh", async (route) => {
      if (lost > 0 || route.request().method() !== "POST") return route.continue();
      lost += 1;
      const before = await profile.cookies();
      same((await route.fetch()).status(), 200, "the refresh whose reply gets lost");
      await profile.clearCookies();
      await profile.addCookies(before);
      return route.abort("connectionreset");
    });
    await wait(EXPIRY);
    await tab.reload().catch(() => {});
    await tab.waitForFunction(() => document.readyState === "complete");
    await wait(500);
    same(lost, 1, "lost replies");
    same(await lookAt(tab, "Signed in as "), sentence, "after the loss");
    await wait(EXPIRY);
    same(await lookAt(tab, "Signed in as "), sentence, "an expiry later");
  });

  for (const minutes of [-10, 10]) {
    await check(`a clock that is ${minutes} minutes off, ${mode} mode`, async (profile) => {
      const tab = await profile.newPage();
      await tab.clock.install({ time: Date.now() + minutes * 60_000 });
      await tab.goto(address);
      await submit(tab, "Sign up", `clock${minutes}-${mode}@example.org`);
      const sentence = await says(tab, "Signed in as ");
      const seen = refreshes(tab);
      same(await lookAt(tab, "Signed in as "), sentence, "at once");
      same(seen, [], "refreshes before the token expires");
      // The SDK measures the difference with the token's time, which is in whole seconds.
      await wait(EXPIRY + 1_000);
      same(await lookAt(tab, "Signed in as "), sentence, "after expiry");
      same(seen, [200], "refreshes after it");
    });
  }
}

await check("a website and its front door on two sub-domains share cookies", async (profile) => {
  const tab = await open(profile, `${WEBSITE}/shared.html`);
  await submit(tab, "Sign up", "shared@example.org");
  const sentence = await says(tab, "Signed in as ");
  const cookies = (await profile.cookies()).filter(({ name }) => /^s(Access|Refresh)Token$/.test(name));
  same(cookies.map(({ domain }) => domain), [".site.localhost", ".site.localhost"], "domains of the cookies");
  await wait(EXPIRY);
  const [request] = await Promise.all([
    tab.waitForRequest((request) => request.url().endsWith("/shared.html")),
    tab.reload(),
  ]);
  same(await says(tab, "Signed in as "), sentence, "after a refresh");
  isTrue(/sAccessToken=ey/.test((await request.allHeaders()).cookie), "the website's own server gets the access token");
  await keep(tab, "sub-domains");
});

/** In a page: a request with cookies that needs no permission of the other side. */
const forge = (address) => void fetch(address, { method: "POST", mode: "no-cors", credentials: "include" });

await check("a stranger's page on the same site is refused, although its requests carry cookies", async (profile) => {
  const tab = await open(profile, `${WEBSITE}/shared.html`);
  await submit(tab, "Sign in", "shared@example.org");
  const sentence = await says(tab, "Signed in as ");
  const stranger = await profile.newPage();
  await stranger.goto(WEBSITE.replace("www.", "evil."));
  // What is really on the wire: the page's own tools do not show cookies of such a request.
  const wire = await profile.newCDPSession(stranger);
  const sent = [];
  wire.on("Network.requestWillBeSentExtraInfo", ({ headers }) => sent.push(headers));
  await wire.send("Network.enable");
  for (const path of ["/auth/signout", "/auth/session/refresh"]) {
    sent.length = 0;
    const [reply] = await Promise.all([
      stranger.waitForResponse((reply) => reply.url() === SHARED + path),
      stranger.evaluate(forge, SHARED + path),
    ]);
    const cookies = sent.map((headers) => headers.Cookie ?? headers.cookie ?? "").join();
    isTrue(cookies.includes("sAccessToken=ey"), `${path} without the person's cookies: ${JSON.stringify(sent)}`);
    const answer = [reply.status(), (await reply.allHeaders())["set-cookie"]];
    same(answer, [403, undefined], `${path} from a stranger's page`);
  }
  same(await lookAt(tab, "Signed in as "), sentence, "the person afterwards");
});

await end();
