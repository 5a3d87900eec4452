// Cases and what they can do. A case is a function that acts on one side; it is run on both sides at once, and the
// answers to its steps are compared afterwards, step by step.
import { Client } from "./client.js";
import { exchange } from "./http.js";
import { Masks } from "./mask.js";
import { baseOf, gatewayOf, PROFILES } from "./profiles.js";

/** All cases, in the order of the corpus. */
export const CASES = [];

/** `add(name, run)` of a recipe under a profile; `add.under(profile)` changes the profile. */
export function group(recipe, profile) {
  const add = (name, run) => CASES.push({ name: `${recipe}: ${name}`, profile, run, number: CASES.length });
  add.under = (other) => group(recipe, other);
  return add;
}

const CDI = "5.4";
const MAIL_MS = 5_000;

const KINDS = [
  ["reset", /reset/i],
  ["verify", /verif/i],
  ["login", /login|code|link|passwordless/i],
];

/**
 * What an answer lacks of what it has to be according to the protocol: a status, a `status` in a 200, a status and a
 * message, or null for whatever the SDK says.
 */
export function unmet(want, { status, text }) {
  if (want === undefined || want === null) return undefined;
  const body = safeJson(text);
  const [code, member, value] =
    typeof want === "number"
      ? [want]
      : typeof want === "string"
        ? [200, "status", want]
        : [want[0], "message", want[1]];
  if (status !== code) return `status ${status}, not ${code}: ${text.slice(0, 200)}`;
  if (member && body?.[member] !== value) return `${member} ${JSON.stringify(body?.[member])}, not ${value}`;
  return undefined;
}

export function safeJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A case on one side. */
export class Run {
  constructor({ number, profile, run }, side) {
    this.number = number;
    this.act = run;
    this.side = side;
    this.settings = PROFILES[profile].front;
    this.base = baseOf(this.settings);
    this.gateway = gatewayOf(this.settings);
    this.expired = Number(this.settings.session_expired_status_code ?? 401);
    this.steps = [];
    this.labels = new Map();
    this.masks = new Masks();
    this.broken = undefined;
  }

  async finish() {
    try {
      await this.act(this);
    } catch (error) {
      this.broken = error.stack ?? String(error);
    }
    return this;
  }

  /** An address of this case's own. */
  email(who = "user") {
    return `${who}.${this.number}@example.com`;
  }

  /** A phone number of this case's own. */
  phone(offset = 0) {
    return `+4915112${String(345000 + this.number * 10 + offset)}`;
  }

  /** A name of this case's own, for tenants and roles. */
  own(name) {
    return `${name}-${this.number}`;
  }

  /** Someone's device, which handles tokens as browsers do. `mode`: cookie, header, or null for none. */
  client(mode = "cookie") {
    return new Client(this, mode);
  }

  /** A step's name, without what the position of the case in the corpus puts into addresses and names. */
  #name(label) {
    const own = new RegExp(`[.-]${this.number}(?![0-9])`, "g");
    const plain = label.replace(own, "").replaceAll(this.phone().slice(0, -1), "+49");
    const times = (this.labels.get(plain) ?? 0) + 1;
    this.labels.set(plain, times);
    return times === 1 ? plain : `${plain} (${times})`;
  }

  /** Sends a request and records the answer as a step. */
  async step(label, request, want) {
    const name = this.#name(label);
    const answer = await exchange(this.side.origin, request);
    answer.body = safeJson(answer.text);
    this.steps.push({ name, request, masked: this.masks.answer(answer), unmet: unmet(want, answer) });
    return answer;
  }

  /** Something that the protocol says about earlier answers, recorded as part of the last step. */
  holds(condition, what) {
    const last = this.steps.at(-1);
    if (!condition) last.unmet ??= `does not hold: ${what}`;
  }

  /** Acts on the core, in the same way on both sides; answers the body of an answer `OK`. */
  async core(method, path, body) {
    const answer = await this.#ask(method, path, body);
    const content = safeJson(answer.text);
    if (content?.status !== "OK") throw new Error(`core: ${method} ${path}: ${answer.status} ${answer.text}`);
    return content;
  }

  #ask(method, path, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = { "cdi-version": CDI, ...(text && { "Content-Type": "application/json" }) };
    return exchange(this.side.core, { method, path, headers, text });
  }

  /** What the core says, recorded as a step: a trace that a request left behind. */
  async look(label, path) {
    const request = { method: "GET", path };
    const answer = await this.#ask("GET", path);
    this.steps.push({
      name: this.#name(`core: ${label}`),
      request,
      masked: this.masks.answer(answer),
      unmet: unmet("OK", answer),
    });
    return safeJson(answer.text);
  }

  /** A new tenant with the given login methods. */
  async tenant(config = {}) {
    const tenantId = this.own("tenant");
    await this.core("PUT", "/recipe/multitenancy/tenant/v2", { tenantId, ...config });
    return tenantId;
  }

  /** Verifies someone's address without asking them. */
  async verify(userId, email) {
    const { token } = await this.core("POST", "/recipe/user/email/verify/token", { userId, email });
    await this.core("POST", "/recipe/user/email/verify", { method: "token", token });
  }

  /** The newest message of a kind (reset, verify, login) to an address, recorded as a step; `null` if there is none. */
  async mail(to, kind, { count = 1, none = false } = {}) {
    const pattern = KINDS.find(([name]) => name === kind)[1];
    const fits = (message) => message.to === to && pattern.test(message.kind);
    const end = Date.now() + MAIL_MS;
    let found = [];
    do {
      found = (await this.side.messages()).filter(fits);
      if (none || found.length >= count) break;
      await this.sleep(0.05);
    } while (Date.now() < end);
    const mail = found.at(-1) ?? null;
    const shape = (text) => (/^[0-9]{6}$/.test(text) ? "<6 digits>" : `<${text.length} characters>`);
    const code = mail?.code ? shape(mail.code) : undefined;
    const masked = this.masks.value({ count: found.length, link: mail?.link ?? undefined, code }, Date.now());
    const wanted = none ? 0 : count;
    const missing = found.length === wanted ? undefined : `${found.length} mails, not ${wanted}`;
    this.steps.push({ name: this.#name(`mail: ${kind} to ${to}`), request: {}, masked, unmet: missing });
    return mail;
  }

  sleep(seconds) {
    return new Promise((done) => setTimeout(done, seconds * 1000));
  }
}

/** A parameter of a link in a mail. */
export const parameter = (mail, name) => new URL(mail?.link ?? "http://none").searchParams.get(name);
/** The link code of a magic link. */
export const linkCode = (mail) => new URL(mail?.link ?? "http://none").hash.slice(1);
