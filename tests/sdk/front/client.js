// A device that handles tokens as the frontend SDK does in a browser: cookies by name and path, header tokens, the CSRF
// token, and the headers that the SDK adds to its calls.
import { decode } from "./mask.js";

const VERSIONS = "3.1,4.0,4.1,4.2";
const PASSWORD = "pass-word-1";

export class Client {
  constructor(run, mode) {
    this.run = run;
    this.mode = mode;
    // Whoever does not ask for cookies gets headers.
    this.inHeaders = mode !== "cookie";
    this.jar = new Map();
    this.access = undefined;
    this.refreshToken = undefined;
    this.antiCsrf = undefined;
    this.front = undefined;
  }

  // --- requests

  get(path, want, options) {
    return this.send("GET", path, undefined, want, options);
  }

  post(path, body, want, options) {
    return this.send("POST", path, body, want, options);
  }

  put(path, body, want, options) {
    return this.send("PUT", path, body, want, options);
  }

  /**
   * Sends a request below the base path. Options: `note` (the step's name), `headers` (added; `null` removes one),
   * `text` (a body as it is), `cookies` (not the jar's), `bearer` (not the stored token; `null` for none), `absolute`
   * (the path is not below the base path), `forget` (the answer changes nothing on the device).
   */
  async send(method, path, body, want, options = {}) {
    const full = options.absolute ? path : this.run.base + path;
    const text = options.text ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers = this.#headers(full, text, options);
    const label = options.note ?? `${method} ${path.split("?")[0]}`;
    const answer = await this.run.step(label, { method, path: full, headers, text }, want);
    if (!options.forget) this.#keep(answer);
    return answer;
  }

  #headers(path, text, { headers = {}, cookies, bearer, refresh = false }) {
    const stored = refresh ? this.refreshToken : this.access;
    const token = bearer === undefined && this.inHeaders ? stored : bearer;
    const all = {
      Origin: this.run.settings.website_domain.split(",")[0],
      rid: "anti-csrf",
      "fdi-version": VERSIONS,
      "st-auth-mode": this.mode,
      "anti-csrf": this.antiCsrf,
      "Content-Type": text === undefined ? undefined : "application/json; charset=utf-8",
      Cookie: cookies ?? this.cookieHeader(path),
      Authorization: token ? `Bearer ${token}` : undefined,
      ...headers,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== null));
  }

  /** The cookies that a browser would send to a path; it sees the gateway's path in front. */
  cookieHeader(path) {
    const whole = this.run.gateway + path.split("?")[0];
    const sent = [...this.jar].filter(([, cookie]) => isBelow(whole, cookie.path));
    return sent.length === 0 ? undefined : sent.map(([name, cookie]) => `${name}=${cookie.sent}`).join("; ");
  }

  #keep({ headers, cookies }) {
    for (const line of cookies) {
      const [pair, ...attributes] = line.split("; ");
      const [name, ...rest] = pair.split("=");
      const value = rest.join("=");
      const path = attributes.find((attribute) => attribute.startsWith("Path="))?.slice("Path=".length) ?? "/";
      if (value === "") this.jar.delete(name);
      else this.jar.set(name, { sent: value, path });
    }
    if (headers["st-access-token"] !== undefined) this.access = headers["st-access-token"] || undefined;
    if (headers["st-refresh-token"] !== undefined) this.refreshToken = headers["st-refresh-token"] || undefined;
    if (headers["anti-csrf"] !== undefined) this.antiCsrf = headers["anti-csrf"];
    if (headers["front-token"] === undefined) return;
    const isRemoved = headers["front-token"] === "remove";
    this.front = isRemoved ? undefined : JSON.parse(Buffer.from(headers["front-token"], "base64").toString());
    if (!isRemoved) return;
    this.access = this.refreshToken = this.antiCsrf = undefined;
  }

  // --- what people do

  signUp(email, want = "OK", options = {}) {
    return this.post("/signup", form({ email, password: PASSWORD }), want, {
      ...options,
      headers: { rid: "emailpassword", ...options.headers },
    });
  }

  signIn(email, want = "OK", { password = PASSWORD, ...options } = {}) {
    return this.post("/signin", form({ email, password }), want, {
      ...options,
      headers: { rid: "emailpassword", ...options.headers },
    });
  }

  refresh(want = 200, options = {}) {
    const headers = { rid: "session", ...options.headers };
    return this.send("POST", "/session/refresh", undefined, want, { refresh: true, ...options, headers });
  }

  signOut(want = "OK", options = {}) {
    return this.post("/signout", undefined, want, { ...options, headers: { rid: "session", ...options.headers } });
  }

  // --- what the device knows

  /** The access token, wherever it is kept. */
  token() {
    return this.inHeaders ? this.access : decode(this.jar.get("sAccessToken")?.sent ?? "");
  }

  /** The refresh token, wherever it is kept. */
  longToken() {
    return this.inHeaders ? this.refreshToken : decode(this.jar.get("sRefreshToken")?.sent ?? "");
  }

  /** The payload of the access token. */
  payload() {
    return JSON.parse(Buffer.from(this.token()?.split(".")[1] ?? "", "base64url").toString() || "{}");
  }
}

const isBelow = (path, folder) => folder === "/" || path === folder || path.startsWith(`${folder}/`);

/** Form fields with the flag that today's frontend SDKs send. */
export const form = (fields, more = { shouldTryLinkingWithSessionUser: false }) => ({
  formFields: Object.entries(fields).map(([id, value]) => ({ id, value })),
  ...more,
});

export { PASSWORD };
