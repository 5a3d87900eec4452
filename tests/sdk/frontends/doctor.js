// People use sites that are set up wrongly in one way each, behind nginx, in a real, headless Chromium; then
// `sessiond doctor` has to name the mistake, and nothing else.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { isTrue, same, start } from "../browser/harness.js";
import { call, EXPIRY, isRefused, open, reads, ready, shows, signUp, wait } from "./person.js";

const { BINARY, HOME_OF_BROWSER } = process.env;
const SETUPS = JSON.parse(process.env.SETUPS);
const PORTS = JSON.parse(process.env.PORTS);
const OUTSIDE = "www.elsewhere.test";
/** How often most signs have to be seen. */
const TIMES = 3;

const flags = [`--host-resolver-rules=MAP *:80 127.0.0.1:${PORTS.http}, MAP *:443 127.0.0.1:${PORTS.https}`];
const { check, end } = await start(chromium, "doctor", flags, { env: { ...process.env, HOME: HOME_OF_BROWSER }, atOnce: 8 });

/** The names of what doctor finds. */
async function findings(name) {
  const command = ["doctor", "--json", "--data-dir", `${SETUPS[name].folder}/data`];
  const { stdout } = await promisify(execFile)(BINARY, command).catch((error) => (error.code === 1 ? error : Promise.reject(error)));
  return JSON.parse(stdout).findings.map((finding) => finding.name);
}

const email = (number = 1) => `person${number}@example.org`;
const scheme = (name) => (name === "plain" ? "http" : "https");
const page = (name, more = "", host = `www.${name}.test`) => `${scheme(name)}://${host}/website.html?mode=cookie${more}`;
const headers = (name) => page(name).replace("mode=cookie", "mode=header");
const enter = (tab, number) => call(tab, "signUp", email(number));

/** What the page was told; "nothing", if its SDK or its own code fails. */
const told = (promise) => promise.catch(() => "nothing");

/** Somebody signs up, and the page does not stay signed in, `TIMES` times. */
async function inVain(tab, first = 1) {
  for (let number = first; number < first + TIMES; number += 1) {
    same(await enter(tab, number), "OK", "signing up");
    await isRefused(tab, "reading after signing up");
  }
}

/** Somebody signs in again and again, because the page does not show that it has worked. */
async function again(tab) {
  same(await enter(tab), "OK", "signing up");
  for (let time = 1; time <= TIMES; time += 1) {
    await shows(tab, null, "after signing in");
    same(await call(tab, "signIn", email()), "OK", "signing in");
  }
}

/** The whole life of a session. */
async function usualDay(tab, number) {
  await shows(tab, null, "at first");
  await isRefused(tab, "reading without a session");
  same(await enter(tab, number), "OK", "signing up");
  await reads(tab, "after signing up");
  const user = (await call(tab, "payload")).sub;
  await wait(EXPIRY + 1_000);
  await reads(tab, "after expiry");
  await call(tab, "signOut");
  await isRefused(tab, "reading after signing out");
  same(await call(tab, "signIn", email(number)), "OK", "signing in");
  await shows(tab, user, "after signing in");
  await call(tab, "signOut");
}

/** People without a session, each in a browser of their own, whose pages ask whether there is one. */
async function visitors(profile, address) {
  for (let number = 0; number < 2 * TIMES; number += 1) {
    const visitor = await profile.browser().newContext();
    const tab = await open(visitor, address);
    const [asked] = await Promise.all([tab.waitForResponse(/session.refresh$/), shows(tab, null, "a visitor's page")]);
    same(asked.status(), 401, "a visitor's refresh");
    await isRefused(tab, "reading without a session");
    await visitor.close();
  }
}

/** Days of people in both modes, whose clocks are right or wrong, and visits of others. */
async function right(profile, name) {
  const days = [page(name), headers(name)].flatMap((address) => [0, -10, 10].map((minutes) => ({ address, minutes })));
  const live = async ({ address, minutes }, index) => {
    const own = await profile.browser().newContext();
    const tab = await own.newPage();
    if (minutes) await tab.clock.install({ time: Date.now() + minutes * 60_000 });
    await tab.goto(address);
    await ready(tab);
    await usualDay(tab, index);
    await own.close();
  };
  await Promise.all(days.map(live));
  await visitors(profile, page(name));
  await visitors(profile, headers(name));
}

/** Somebody uses a page, and it works. */
async function works(profile, name) {
  const tab = await open(profile, page(name));
  same(await enter(tab), "OK", "signing up");
  await reads(tab, "after signing up");
  return tab;
}

/** The page is told nothing, or that it may not. */
const refused = (address) => async (profile, name) => {
  const tab = await open(profile, address(name));
  isTrue(["nothing", undefined].includes(await told(enter(tab))), "signing up is refused");
};

const ACTS = {
  right,
  plain: right,
  stranger: refused(() => page("stranger", "&api=https://auth.stranger.test", OUTSIDE)),
  renamed: works,
  rewritten: works,
  https: refused(page),
  own: refused((name) => page(name, `&api=https://auth.${name}.test`, `auth.${name}.test`)),
  mixed: refused((name) => page(name, `&api=http://auth.${name}.test`)),
  insecure: works,
  async foreign(profile, name) {
    await inVain(await open(profile, page(name, `&api=https://auth-${name}.elsewhere.test`)));
  },
  async strict(profile, name) {
    await inVain(await open(profile, page(name, `&api=https://auth.${name}.test`, OUTSIDE)));
  },
  none: refused((name) => page(name, `&api=http://auth.${name}.test`, OUTSIDE).replace("https:", "http:")),
  async moved(profile, name) {
    const tab = await open(profile, page(name, "&base=/api/auth"));
    same(await enter(tab), "OK", "signing up");
    await reads(tab, "after signing up");
    await wait(EXPIRY);
    await isRefused(tab, "reading after expiry");
  },
  unmoved: refused((name) => page(name, "&base=/api/auth")),
  cut: refused(page),
  async twice(profile, name) {
    const { core } = SETUPS[name];
    const own = { app_name: name, api_domain: `https://auth.${name}.test`, website_domain: `https://www.${name}.test`, access_token_validity: 3 };
    const put = (more) => {
      const body = JSON.stringify({ appId: name, coreConfig: { ...own, ...more } });
      return fetch(`${core}/recipe/multitenancy/app/v2`, { method: "PUT", headers: { "Content-Type": "application/json" }, body });
    };
    same((await put({})).status, 200, "making the app");
    const tab = await works(profile, name);
    same((await put({ cookie_domain: `${name}.test` })).status, 200, "changing its cookies' domain");
    await wait(EXPIRY);
    await call(tab, "load");
    await told(call(tab, "load"));
  },
  async third(profile, name) {
    await inVain(await open(profile, page(name, `&api=https://auth.${name}.test`, OUTSIDE)));
  },
  async framed(profile, name) {
    const tab = await open(profile, `https://${OUTSIDE}/`);
    await tab.setContent(`<iframe src="${page(name, "&memory=on").replaceAll("&", "&amp;")}"></iframe>`);
    const [, frame] = tab.frames();
    await ready(frame);
    await inVain(frame);
  },
  async cookieless(profile, name) {
    await inVain(await open(profile, page(name)));
  },
  async unset(profile, name) {
    await inVain(await open(profile, page(name)));
  },
  async bare(profile, name) {
    await inVain(await open(profile, headers(name)));
  },
  async tokenless(profile, name) {
    const tab = await open(profile, headers(name));
    same(await enter(tab), "OK", "signing up");
    same(await told(call(tab, "load")), "nothing", "reading after signing up");
  },
  async unrefreshed(profile, name) {
    await inVain(await open(profile, headers(name)));
  },
  async hidden(profile, name) {
    await again(await open(profile, page(name)));
  },
  async unexposed(profile, name) {
    await again(await open(profile, headers(name)));
  },
  async eager(profile, name) {
    const tab = await works(profile, name);
    for (let time = 1; time <= 5; time += 1) same(await call(tab, "refresh"), true, "refreshing");
  },
  async ridless(profile, name) {
    const tab = await works(profile, name);
    same(await told(call(tab, "refresh")), false, "refreshing");
  },
  async keys(profile, name) {
    const staging = await open(profile, page(name, `&api=https://auth-staging.${name}.test`));
    same(await enter(staging), "OK", "signing up at the other server");
    await isRefused(await open(profile, page(name)), "reading with its cookies");
  },
  distrusted: works,
  async large(profile, name) {
    const tab = await works(profile, name);
    const { sub } = await call(tab, "payload");
    const permissions = Array.from({ length: 300 }, (_, number) => `permission-number-${number}`);
    for (const [path, body] of [["role", { role: "r", permissions }], ["user/role", { role: "r", userId: sub }]]) {
      const send = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
      same((await fetch(`${SETUPS[name].core}/recipe/${path}`, send)).status, 200, path);
    }
    same(await told(call(tab, "signIn", email())), undefined, "signing in");
  },
  async unmailed(profile, name) {
    const tab = await works(profile, name);
    same(await call(tab, "askForMail"), "OK", "asking for a mail");
    for (let time = 1; time < 40 && (await findings(name)).length === 0; time += 1) await wait(250);
  },
};

for (const [name, { finds }] of Object.entries(SETUPS)) {
  const act = ACTS[name] ?? (() => {});
  check(`${name}: ${finds.join(", ") || "nothing found"}`, async (profile) => {
    await act(profile, name);
    same(await findings(name), finds, "what doctor finds");
  });
}
await end();
