// Runs the corpus against both sides and compares the answers:
// node compare.js [--only TEXT] [--sdk-only | --self] [--list-counts] [--verbose]
//
// --sdk-only asks the SDK alone and checks what the protocol says about its answers; --self compares the SDK with
// itself, which shows what the masks do not cover.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CASES, Run } from "./case.js";
import { DIFFERENCES } from "./differences.js";
import { compare, display, Pairs } from "./diff.js";
import { startFront, startSdk, stopAll } from "./sides.js";

const words = process.argv.slice(2);
const isGiven = (word) => words.includes(word);
const only = isGiven("--only") ? words[words.indexOf("--only") + 1] : "";
const sdkOnly = isGiven("--sdk-only");
const self = isGiven("--self");
const LIMIT_MS = 300_000;
const CASES_AT_ONCE = 6;
const STARTS_AT_ONCE = 3;

const corpus = new URL("corpus/", import.meta.url);
for (const file of readdirSync(corpus).sort()) await import(new URL(file, corpus));
const chosen = CASES.filter(({ name, profile }) => `${name} [${profile}]`.includes(only));

let passed = 0;
const failures = [];
const seen = new Map();

const fits = (pattern, text) => (pattern instanceof RegExp ? pattern.test(text) : pattern === text);
const covers = (path, at) => path === at || path.startsWith(`${at}.`);

/** The differences of a step that are not listed; remembers which entries of the list occur. */
function unlisted(title, step, paths) {
  const open = new Set(paths.keys());
  for (const entry of DIFFERENCES.filter((one) => fits(one.case, title) && fits(one.step, step))) {
    const isMeant = (path, at) => covers(path, at) && (entry.own === undefined || entry.own === paths.get(path));
    const found = [...paths.keys()].filter((path) => entry.at.some((at) => isMeant(path, at)));
    found.forEach((path) => open.delete(path));
    const unused = entry.at.filter((at) => !found.some((path) => covers(path, at)));
    const isExact = typeof entry.case === "string" && typeof entry.step === "string";
    if (isExact && unused.length > 0) open.add(`listed, but no longer different: ${unused.join(", ")}`);
    seen.set(entry, (seen.get(entry) ?? false) || found.length > 0);
  }
  return [...open];
}

function fail(title, step, reason, lines = []) {
  failures.push(`FAILED ${title} | ${step}\n  ${reason}\n${lines.join("\n")}`);
}

function judgeStep(title, one, other, pairs) {
  const { name, request } = one;
  const text = typeof request.text === "object" ? `(${request.text.length} bytes)` : (request.text ?? "");
  const what = request.path ? `${request.method} ${request.path} ${text}` : "";
  if (one.unmet) return fail(title, name, `the SDK: ${one.unmet}\n  ${what}`, display(one.masked));
  if (sdkOnly) return (passed += 1);
  if (!other) return fail(title, name, "the front door did not get that far");
  const { paths, lines } = compare(one.masked, other.masked, pairs);
  const open = self ? [...paths.keys()] : unlisted(title, name, paths);
  if (open.length > 0) return fail(title, name, `differs at ${open.join(", ")}\n  ${what}`, lines);
  return (passed += 1);
}

function judge({ name, profile }, one, other) {
  const title = `${name} [${profile}]`;
  const pairs = new Pairs();
  one.steps.forEach((step, index) => judgeStep(title, step, other?.steps[index], pairs));
  if (isGiven("--verbose")) {
    for (const step of one.steps) console.log([`${title} | ${step.name}`, ...display(step.masked)].join("\n"));
  }
  for (const run of [one, other]) if (run?.broken) fail(title, `broke off (${run.side.name})`, run.broken);
  if (other && other.steps.length > one.steps.length) fail(title, "more steps", "the front door got further");
}

/** Runs `act` for all items, some of them at once. */
async function forAll(items, atOnce, act) {
  const queue = [...items];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

async function startSides(profile, folder) {
  const sides = [startSdk(profile, join(folder, profile, "sdk"))];
  if (!sdkOnly) sides.push((self ? startSdk : startFront)(profile, join(folder, profile, "front")));
  const started = await Promise.allSettled(sides);
  const error = started.find(({ reason }) => reason)?.reason;
  const servers = started.map(({ value }) => value).filter(Boolean);
  const stop = () => Promise.all(servers.map((side) => side.stop()));
  if (!error) return { servers, stop };
  await stop();
  throw error;
}

/** Runs the cases of a profile; a profile without servers is one failure. */
async function runProfile(profile, folder, done) {
  try {
    const { servers, stop } = await startSides(profile, folder);
    await forAll(
      chosen.filter((item) => item.profile === profile),
      CASES_AT_ONCE,
      async (item) => done.push([item, ...(await Promise.all(servers.map((side) => new Run(item, side).finish())))]),
    );
    await stop();
  } catch (error) {
    fail(`the cases of [${profile}]`, "servers", error.message);
  }
}

async function runAll(folder) {
  const profiles = [...new Set(chosen.map(({ profile }) => profile))];
  const done = [];
  await forAll(profiles, STARTS_AT_ONCE, (profile) => runProfile(profile, folder, done));
  done.sort(([one], [other]) => one.number - other.number);
  done.forEach(([item, one, other]) => judge(item, one, other));
  return done.reduce((sum, [, one]) => sum + one.steps.length, 0);
}

function judgeList() {
  if (sdkOnly || self) return;
  for (const entry of DIFFERENCES) {
    const isConcerned = only === "" || seen.has(entry);
    if (isConcerned && !seen.get(entry))
      fail(String(entry.case), String(entry.step), `listed, but not found: ${entry.why}`);
  }
}

const folder = mkdtempSync(join(tmpdir(), "sessiond-front-"));
const timer = setTimeout(() => {
  console.log(`0 passed, 1 failed: not done within ${LIMIT_MS / 1000} s`);
  stopAll().finally(() => process.exit(1));
}, LIMIT_MS);
let steps = 0;
try {
  steps = await runAll(folder);
  judgeList();
} catch (error) {
  fail("start", "servers", error.stack);
} finally {
  clearTimeout(timer);
  await stopAll();
}
failures.forEach((text) => console.log(`${text}\n`));
if (isGiven("--list-counts")) console.log(`${chosen.length} cases, ${steps} steps`);
if (failures.length === 0) rmSync(folder, { recursive: true, force: true });
else if (existsSync(folder)) console.log(`logs: ${folder}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
