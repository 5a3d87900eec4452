// Pages on another site than their front door, and pages in another site's frame. Browsers that block third-party
// cookies give such pages none; the profiles of these checks do, unless they are told otherwise.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isTrue, same } from "../browser/harness.js";
import { call, EXPIRY, isRefused, open, reads, ready, shows, wait } from "./person.js";
import { text } from "./web.js";

export const OUTSIDE = "elsewhere.test";

/** Serves a page that shows another one, `?show=…`, in a frame. */
export function frames(request, response) {
  const shown = new URL(request.url, "https://site").searchParams.get("show") ?? "";
  text(`<title>Frame</title><iframe width="600" height="400" src="${shown.replaceAll("&", "&amp;")}"></iframe>`)(request, response);
}

/** Why the browser keeps which of the cookies that it is sent from now on from itself. */
async function watchCookies(tab) {
  const blocked = [];
  const wire = await tab.context().newCDPSession(tab);
  wire.on("Network.responseReceivedExtraInfo", ({ blockedCookies }) => {
    for (const { cookie, blockedReasons } of blockedCookies) blocked.push([cookie?.name, ...blockedReasons]);
  });
  await wire.send("Network.enable");
  return blocked;
}

async function usesHeaders(page, email) {
  same(await call(page, "signUp", email), "OK", "signing up");
  const user = (await call(page, "payload")).sub;
  await reads(page, "after signing up");
  await wait(EXPIRY);
  await reads(page, "after expiry");
  await shows(page, user, "after expiry");
  await call(page, "signOut");
  await isRefused(page, "reading after signing out");
}

/** Whoever signs up is not signed in, and the page knows. */
async function isLeftWithout(page, email) {
  same(await call(page, "signUp", email), "OK", "signing up");
  await isRefused(page, "reading after signing up");
  same(await call(page, "refresh"), false, "refreshing");
  await shows(page, null, "afterwards");
}

export async function onAnotherSite(profile, frontend, mode) {
  const address = `https://www.${OUTSIDE}/${frontend}.html?mode=${mode}&api=https://auth.cross.test`;
  const tab = await open(profile, address);
  const email = `${frontend}-${mode}@example.org`;
  if (mode === "header") return usesHeaders(tab, email);
  const blocked = await watchCookies(tab);
  await isLeftWithout(tab, email);
  for (const name of ["sAccessToken", "sRefreshToken"]) {
    const why = blocked.filter(([cookie]) => cookie === name).flatMap(([, ...reasons]) => reasons);
    isTrue(why.length > 0 && why.every((reason) => reason === "UserPreferences"), `why ${name} is blocked: ${why}`);
  }
}

export async function inAForeignFrame(profile, frontend, mode) {
  const shown = `https://www.${frontend}-${mode}.test/${frontend}.html?mode=${mode}&memory=on`;
  const tab = await profile.newPage();
  await tab.goto(`https://frames.${OUTSIDE}/?show=${encodeURIComponent(shown)}`);
  const [, page] = tab.frames();
  await ready(page);
  await (mode === "header" ? usesHeaders : isLeftWithout)(page, `frame-${mode}@example.org`);
}

/** The same page in a browser that allows third-party cookies. */
export async function onAnotherSiteWithCookies(launch, folder) {
  const settings = join(folder, "permissive/Default");
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, "Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
  const profile = await launch(join(folder, "permissive"));
  try {
    const tab = await open(profile, `https://www.${OUTSIDE}/website.html?mode=cookie&api=https://auth.cross.test`);
    same(await call(tab, "signUp", "permissive@example.org"), "OK", "signing up");
    await reads(tab, "after signing up");
    await wait(EXPIRY);
    await reads(tab, "after expiry");
    await call(tab, "signOut");
    await isRefused(tab, "reading after signing out");
  } finally {
    await profile.close();
  }
}
