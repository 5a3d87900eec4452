// Makes the answers of two servers comparable: what is random becomes a mask by its shape, the same value the same mask
// throughout a case (diff.js pairs the masks of both sides); what is a time becomes its distance from the answer.

/** A moment, in seconds from the answer. */
export class Time {
  constructor(seconds) {
    this.seconds = seconds;
  }
  toString() {
    return `<now${this.seconds < 0 ? "" : "+"}${Math.round(this.seconds)} s>`;
  }
}

/** A number that may differ a little, such as a remaining pause in milliseconds. */
export class About {
  constructor(number) {
    this.number = number;
  }
  toString() {
    return `<about ${Math.round(this.number / 1000)} s>`;
  }
}

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const JWT = "[A-Za-z0-9_-]{20,}\\.[A-Za-z0-9_-]{20,}\\.[A-Za-z0-9_-]{20,}";
// Tokens mix small letters with digits or capitals, unlike names of statuses; the lengths are part of the mask.
const LONG = "[A-Za-z0-9+/_-]";
const TOKEN = `(?=${LONG}*[0-9A-Z])(?=${LONG}*[a-z])${LONG}{24,}={0,2}`;
const SECRET = "(?<=secret=)[A-Z2-7]{16,}";
const SHAPES = new RegExp(`(?<id>${UUID})|(?<jwt>${JWT})|(?<secret>${SECRET})|(?<token>${TOKEN})`, "g");

const isMillis = (number) => number > 1e12 && number < 1e13;
const isSeconds = (number) => number > 1.5e9 && number < 1e10;

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const part = (text) => parsed(Buffer.from(text ?? "", "base64url").toString());

/** The masks of one case on one side. */
export class Masks {
  #known = new Map();
  #counts = new Map();

  #name(kind, value) {
    if (!this.#known.has(value)) {
      const number = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, number);
      this.#known.set(value, `<${kind} ${number}>`);
    }
    return this.#known.get(value);
  }

  text(value) {
    return value.replace(SHAPES, (found, ...rest) => {
      const { id, jwt, secret } = rest.at(-1);
      if (id) return this.#name("id", found);
      if (jwt) return this.#name("jwt", found);
      return this.#name(secret ? "secret" : `token of ${found.length}`, found);
    });
  }

  /** A JSON value; objects in the order of their names, unless `ordered`. */
  value(value, at, key = "", ordered = false) {
    if (typeof value === "string") {
      if (key === "kid") return value.replace(/^([ds])-.*$/, "$1-<key>");
      if (key === "pkceCodeVerifier") return `<verifier of ${value.length}>`;
      return key === "secret" ? this.#name("secret", value) : this.text(value);
    }
    if (typeof value === "number") {
      if (isMillis(value)) return new Time((value - at) / 1000);
      if (isSeconds(value)) return new Time(value - at / 1000);
      return key.endsWith("Ms") ? new About(value) : value;
    }
    if (Array.isArray(value)) return value.map((item) => this.value(item, at, "", ordered));
    if (value === null || typeof value !== "object") return value;
    const names = ordered ? Object.keys(value) : Object.keys(value).sort();
    return Object.fromEntries(names.map((name) => [this.text(name), this.value(value[name], at, name, ordered)]));
  }

  /** An access token: both parts, and the order of the payload's members. */
  access(token, at) {
    if (token === undefined || token === "" || token === "remove") return token;
    const [head, body] = token.split(".").map(part);
    if (!head || !body) return this.text(token);
    return {
      head: this.value(head, at, "", true),
      order: Object.keys(body).join(" "),
      payload: this.value(body, at, "", true),
    };
  }

  /** The `front-token` header: its JSON, the order of the members of `up`, whether it is padded base64. */
  front(header, at) {
    if (header === undefined || header === "remove") return header;
    const content = parsed(Buffer.from(header, "base64").toString());
    if (!content) return header;
    const padded = Buffer.from(header, "base64").toString("base64") === header;
    const order = `${Object.keys(content).join(" ")}: ${Object.keys(content.up ?? {}).join(" ")}`;
    return { padded, order, ...this.value(content, at, "", true) };
  }

  /** One `Set-Cookie` line. */
  cookie(line, at) {
    const [pair, ...attributes] = line.split("; ");
    const [name, ...rest] = pair.split("=");
    const sent = rest.join("=");
    const value = decode(sent);
    const expires = attributes.find((attribute) => attribute.startsWith("Expires="))?.slice("Expires=".length);
    return {
      name,
      value: name === "sAccessToken" ? this.access(value, at) : this.text(value),
      encoded: sent === encodeURIComponent(value),
      attributes: attributes.map((attribute) => (attribute.startsWith("Expires=") ? "Expires" : attribute)).join("; "),
      expires: expires && Date.parse(expires) > 0 ? new Time((Date.parse(expires) - at) / 1000) : expires,
    };
  }

  /** Everything about an answer that a client can depend on. */
  answer({ status, headers, cookies, text, at }) {
    const own = status !== 404 && status < 500;
    return {
      status,
      type: own && text !== "" ? headers["content-type"] : undefined,
      // What applications say about missing pages and failures is their own.
      body: own ? this.#body(text, at) : undefined,
      cookies: cookies.map((line) => this.cookie(line, at)),
      frontToken: this.front(headers["front-token"], at),
      accessToken: this.access(headers["st-access-token"], at),
      refreshToken: headers["st-refresh-token"] && this.text(headers["st-refresh-token"]),
      refreshTokenSent: headers["st-refresh-token"] !== undefined,
      antiCsrf: headers["anti-csrf"] && this.text(headers["anti-csrf"]),
      cache: cacheControl(headers["cache-control"]),
      location: headers.location && this.text(headers.location),
      authenticate: headers["www-authenticate"],
      origin: headers["access-control-allow-origin"],
      credentials: headers["access-control-allow-credentials"],
      exposed: names(headers["access-control-expose-headers"]),
      methods: names(headers["access-control-allow-methods"]),
      allowed: names(headers["access-control-allow-headers"]),
      varies: names(headers.vary),
    };
  }

  #body(text, at) {
    const content = parsed(text);
    return content === undefined ? this.text(text) : this.value(content, at);
  }
}

/** `Cache-Control`, whose time may count down. */
function cacheControl(header) {
  const age = /max-age=([0-9]+)/.exec(header)?.[1];
  return age ? { text: header.replace(age, "…"), age: new About(Number(age) * 1000) } : header;
}

/** A header that is a set of names. */
const names = (header) => header && [...new Set(header.toLowerCase().split(/\s*,\s*/))].sort().join(" ");

/** A cookie's value as a server reads it. */
export function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
