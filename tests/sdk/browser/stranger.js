// What a stranger's pages can do to a server that the browser can reach: every route with every request that a page may
// send without a preflight, from another site, from the same site, and from a host name that was rebound to the server.
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { isTrue, same, start } from "./harness.js";
import { attackAcross, attackAsOneOrigin } from "./stranger-page.js";

const { GUARDED_URL, GUARDED_LOG, OPEN_URL, OPEN_LOG, REPOSITORY } = process.env;
const REBOUND = "rebound.example";
const rules = `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1, MAP stranger.example 127.0.0.1`;
// The page of the rebound name has no address of its own here, so Chromium takes it for one of the Internet and would not
// let it reach this machine. Users' browsers may have no such rule, so the server must not depend on it.
const anywhere = "--disable-features=LocalNetworkAccessChecks,PrivateNetworkAccessSendPreflights,BlockInsecurePrivateNetworkRequests";
const { check, end } = await start(chromium, "stranger", [rules, anywhere, "--disable-dev-shm-usage"]);

/** Good queries and bodies by verb and path, as fuzzing begins with them. */
function seeds() {
  const found = new Map();
  for (const target of ["json_body", "query"]) {
    const folder = `${REPOSITORY}/fuzz/seeds/${target}`;
    for (const name of readdirSync(folder)) {
      const [first, ...rest] = readFileSync(`${folder}/${name}`, "utf8").split("\n");
      const [head, query = ""] = first.split(" ?");
      const words = head.split(" ");
      const [verb, path] = words[0].startsWith("/") ? ["GET", words[0]] : words;
      const seed = { query, body: rest.join("\n") };
      if (target === "query") {
        const pairs = rest.filter(Boolean).map((line) => line.replace(/^~/, "").split("="));
        Object.assign(seed, { query: String(new URLSearchParams(pairs.map(([key, ...value]) => [key, value.join("=")]))), body: "" });
      }
      const key = `${verb} ${path}`;
      found.set(key, [...(found.get(key) ?? []), seed]);
    }
  }
  return found;
}

/** Every route with a good request, from the list on file. */
function requests() {
  const good = seeds();
  const lines = readFileSync(`${REPOSITORY}/tests/fixtures/cdi_endpoints.txt`, "utf8").trim().split("\n");
  return lines.flatMap((line) => {
    const [verb, path] = line.trim().split(/\s+/);
    const known = good.get(`${verb} ${path}`) ?? good.get(`GET ${path}`) ?? [{ query: "", body: "" }];
    return known.map(({ query, body }) => ({ verb, path: query ? `${path}?${query}` : path, body }));
  });
}

/** One request of the operator; no browser sends it. */
async function operator(url, verb, path, body) {
  const headers = { "content-type": "application/json" };
  const reply = await fetch(url + path, { method: verb, headers, body: verb === "GET" || verb === "HEAD" ? undefined : body });
  return { status: reply.status, text: await reply.text() };
}

/** Something to be read and something to be lost. */
async function prepare(url) {
  for (const [verb, path, body] of [
    ["PUT", "/recipe/role", { role: "secret-role", permissions: ["p"] }],
    ["PUT", "/recipe/user/metadata", { userId: "u", metadataUpdate: { card: "secret-card" } }],
    ["POST", "/recipe/signup", { email: "secret@example.org", password: "password1" }],
    ["POST", "/recipe/session", { userId: "u", enableAntiCsrf: false, userDataInJWT: {}, userDataInDatabase: {} }],
    ["POST", "/recipe/dashboard/user", { email: "ops@example.org", password: "secret-word-1" }],
  ]) {
    const reply = await operator(url, verb, path, JSON.stringify(body));
    isTrue(reply.status === 200 && reply.text.includes('"OK"'), `${verb} ${path}: ${reply.status} ${reply.text}`);
  }
}

/** All that an operator can list. */
async function state(url) {
  const lists = [
    "/audit?limit=500",
    "/users?limit=500",
    "/users/count",
    "/recipe/roles",
    "/recipe/role/users?role=secret-role",
    "/recipe/user/metadata?userId=u",
    "/recipe/session/user?userId=u",
    "/recipe/dashboard/users",
    "/recipe/multitenancy/app/list/v2",
    "/recipe/multitenancy/tenant/list/v2",
    "/recipe/multitenancy/connectionuridomain/list/v2",
    "/recipe/totp/device/list?userId=u",
    "/bulk-import/users",
    "/recipe/signinup/codes?email=a%40example.org",
  ];
  const replies = {};
  for (const path of lists) {
    const { status, text } = await operator(url, "GET", path);
    isTrue(status === 200, `${path}: ${status} ${text}`);
    replies[path] = text;
  }
  return replies;
}

/** Which routes answered with which status since a place in the server's log; "-" for a request that reached none. */
function answers(log, from) {
  const lines = readFileSync(log, "utf8").slice(from).split("\n");
  return lines.flatMap((line) => {
    if (!line.includes("answered")) return [];
    const { method, route, status } = JSON.parse(line);
    return [{ method, route, status }];
  });
}

const settled = () => new Promise((done) => setTimeout(done, 1_500));
const PUBLIC = ["/", "/hello", "/.well-known/jwks.json"];
const all = requests();

/** Serves an empty page under any name. */
const stranger = createServer((_, reply) => reply.setHeader("content-type", "text/html").end("<!doctype html><p>hello"));
await new Promise((done) => stranger.listen(0, "127.0.0.1", done));
const { port } = stranger.address();

async function openPage(profile, site, url) {
  const page = await profile.newPage();
  if (site !== REBOUND) {
    await page.goto(`http://${site}:${port}/`);
    return page;
  }
  // When the page was loaded, the name pointed to the stranger's server; from now on it points to this one.
  const address = `http://${REBOUND}:${new URL(url).port}/page`;
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><p>hello" }));
  await page.goto(address);
  return page;
}

/** All a page can do; what it could read. Unless it may, no page that it navigates to shows a secret. */
async function attack(profile, site, url, mayShow = false) {
  const page = await openPage(profile, site, url);
  if (site === REBOUND) return page.evaluate(attackAsOneOrigin, { requests: all });
  const read = await page.evaluate(attackAcross, { url, requests: all });
  // Whole pages: links and forms that navigate.
  for (const { path } of all.filter(({ verb }) => verb === "GET")) {
    await page.evaluate((target) => void (location.href = target), url + path).catch(() => {});
    await page.waitForURL(url + path, { waitUntil: "commit" }).catch(() => {});
    const text = await page.textContent("body").catch(() => "");
    isTrue(mayShow || !text.includes("secret"), `${path} was shown: ${text}`);
    await page.goto(`http://${site}:${port}/`);
  }
  return read;
}

await prepare(GUARDED_URL);
await prepare(OPEN_URL);

for (const site of ["stranger.example", "localhost", REBOUND]) {
  await check(`a page of ${site} reads nothing and changes nothing`, async (profile) => {
    const before = await state(GUARDED_URL);
    await settled();
    const from = readFileSync(GUARDED_LOG, "utf8").length;
    const read = await attack(profile, site, GUARDED_URL);
    await settled();
    const served = answers(GUARDED_LOG, from);
    const refused = served.filter(({ status }) => status === 403).length;
    isTrue(refused > all.length, `the pages were refused ${refused} times, of ${served.length}`);
    const letIn = served.filter(({ route }) => route !== "-" && !PUBLIC.includes(route));
    same(letIn.slice(0, 10), [], "requests that were accepted");
    const words = read.filter(({ path, status }) => status !== 403 && !PUBLIC.includes(path.split("?")[0]));
    same(words.slice(0, 10), [], "replies that were read");
    same(await state(GUARDED_URL), before, "what is stored");
  });
}

await check("where every page is allowed, a page of stranger.example changes a lot", async (profile) => {
  const before = await state(OPEN_URL);
  const from = readFileSync(OPEN_LOG, "utf8").length;
  await attack(profile, "stranger.example", OPEN_URL, true);
  await settled();
  const done = answers(OPEN_LOG, from).filter(({ method, status }) => method === "POST" && status === 200).length;
  isTrue(done > 50, `${done} requests were let in`);
  isTrue(JSON.stringify(await state(OPEN_URL)) !== JSON.stringify(before), "something changed");
});

await check(`where every host is served, a page of ${REBOUND} reads and changes a lot`, async (profile) => {
  const before = await state(OPEN_URL);
  const read = (await attack(profile, REBOUND, OPEN_URL)).filter(({ status }) => status === 200);
  isTrue(read.length > 100, `${read.length} replies were read`);
  isTrue(read.some(({ text }) => text.includes("secret-role")), "a role was read");
  isTrue(JSON.stringify(await state(OPEN_URL)) !== JSON.stringify(before), "something changed");
});

stranger.close();
await end();
