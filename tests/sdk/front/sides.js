// The two sides of a profile: the SDK in front of a core, and the front door of another core. Each offers the address
// of its FDI, the address of its core, and the messages that it would have sent.
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { exchange } from "./http.js";
import { baseOf, PROFILES } from "./profiles.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const BINARY = process.env.SESSIOND_BIN ?? join(here, "../../../target/debug/sessiond");
const START_SECONDS = 60;
// From the first of the lines to the last.
const REST_SECONDS = 10;
const STOP_SECONDS = 20;

const running = new Set();
// However this process ends, nothing that it started stays.
process.on("exit", () => running.forEach((child) => child.kill("SIGTERM")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** Starts a process and waits for all `lines`; returns it, and what each of them captured. */
async function start(log, command, words, env, lines) {
  const child = spawn(command, words, {
    cwd: here,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const file = createWriteStream(log);
  child.stderr.pipe(file, { end: false });
  const found = new Array(lines.length).fill(undefined);
  await new Promise((done, fail) => {
    let timer;
    const wait = (seconds) => {
      clearTimeout(timer);
      const missing = () => lines.filter((_, index) => found[index] === undefined).join(", ");
      timer = setTimeout(() => fail(new Error(`said nothing like ${missing()}, see ${log}`)), seconds * 1000);
    };
    wait(START_SECONDS);
    child.once("error", fail);
    child.once("exit", (status) => fail(new Error(`ended with ${status} at the start, see ${log}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      file.write(`${line}\n`);
      if (found.every((address) => address !== undefined)) return;
      lines.forEach((pattern, index) => (found[index] ??= pattern.exec(line)?.[1]));
      if (found.some((address) => address !== undefined)) wait(REST_SECONDS);
      if (found.every((address) => address !== undefined)) done(clearTimeout(timer));
    });
  });
  return { child, found };
}

// Rules of the front door that the SDK does not have.
const OWN = { refuse_common_passwords: "false" };
const CORE = /Started SuperTokens on (\S+) with PID/;
const FRONT = /front door on (http:\S+)/;
const SDK = /SDK on (http:\S+)/;

function serve(folder, env, lines) {
  if (!existsSync(BINARY)) throw new Error(`no server at ${BINARY}: build it, or set SESSIOND_BIN`);
  const words = ["serve", "--dev", "--data-dir", join(folder, "data"), "--host", "127.0.0.1", "--port", "0"];
  return start(join(folder, "server.log"), BINARY, words, env, lines);
}

async function json(origin, path) {
  const answer = await exchange(origin, { method: "GET", path, headers: {} });
  return answer.status === 200 ? JSON.parse(answer.text) : [];
}

/** The SDK in front of a core. */
export async function startSdk(profile, folder) {
  mkdirSync(folder, { recursive: true });
  const core = await serve(folder, PROFILES[profile].core, [CORE]);
  const uri = `http://${core.found[0]}`;
  const env = { PROFILE: profile, CORE_URI: uri };
  const sdk = await start(join(folder, "sdk.log"), process.execPath, ["sdk.js"], env, [SDK]);
  const origin = sdk.found[0];
  const stop = () => stopAll([sdk.child, core.child]);
  return { name: "SDK", origin, core: uri, messages: () => json(origin, "/captured"), stop };
}

/** The front door, with the same settings. */
export async function startFront(profile, folder) {
  mkdirSync(folder, { recursive: true });
  const { core, front } = PROFILES[profile];
  const names = Object.entries({ ...front, ...OWN, front_port: "0" });
  const env = Object.fromEntries(names.map(([name, value]) => [`SESSIOND_${name.toUpperCase()}`, value]));
  const { child, found } = await serve(folder, { ...core, ...env }, [CORE, FRONT]);
  const origin = found[1];
  const mails = `${baseOf(front)}/dev/mail.json`;
  const stop = () => stopAll([child]);
  return { name: "front door", origin, core: `http://${found[0]}`, messages: () => json(origin, mails), stop };
}

/** Ends processes, by default all that were started. */
export async function stopAll(children = [...running]) {
  const stop = (child) =>
    new Promise((done) => {
      if (!running.has(child)) return done();
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
      child.once("exit", () => done(clearTimeout(timer)));
      child.kill("SIGTERM");
    });
  await Promise.all(children.map(stop));
}
