// As much of the web as the checks need, on this machine: sites with TLS below names of the tests' own, which the browser
// resolves to the one port on which all of them are served.
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { extname, join } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Serves a folder; addresses without a file get the page that handles them itself. */
export const files = (folder, page) => (request, response) => {
  const { pathname } = new URL(request.url, "https://site");
  const asked = join(folder, pathname);
  const path = extname(pathname) && existsSync(asked) ? asked : join(folder, page);
  response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" });
  response.end(readFileSync(path));
};

/** Serves a text as a page. */
export const text = (html) => (_request, response) => {
  response.writeHead(200, { "Content-Type": "text/html" });
  response.end(`<!doctype html><meta charset="utf-8">${html}`);
};

/** Passes requests on to a port, as the proxy of docs/front-door.md does. */
export class Proxy {
  losing = false;
  /** Statuses of the replies to refreshes that were lost. */
  lost = [];

  constructor(port) {
    this.port = port;
    this.handle = this.handle.bind(this);
  }

  handle(request, response) {
    const headers = { ...request.headers, "x-forwarded-for": request.socket.remoteAddress };
    const { method, url: path } = request;
    const asked = http.request({ host: "127.0.0.1", port: this.port, method, path, headers }, (reply) => {
      if (this.losing && path === "/auth/session/refresh" && method === "POST") {
        this.lost.push(reply.statusCode);
        return reply.resume().on("end", () => request.socket.destroy());
      }
      response.writeHead(reply.statusCode, reply.rawHeaders);
      return reply.pipe(response);
    });
    asked.on("error", () => response.destroy());
    request.pipe(asked);
  }
}

/**
 * Serves `sites`, which maps host names to handlers; returns what Chromium has to be started with. `home` is the folder
 * with their certificate (authority.py); `direct` maps names to other ports, which speak TLS themselves.
 */
export async function serve(home, domains, sites, direct = {}) {
  const [key, cert] = ["sites.key", "sites.pem"].map((name) => readFileSync(join(home, name)));
  const server = https.createServer({ key, cert }, (request, response) => {
    const site = sites[request.headers.host];
    if (site) return site(request, response);
    return response.writeHead(404).end("no such site");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  const below = domains.map((domain) => [`*.${domain}`, port]);
  const rules = [...Object.entries(direct), ...below].map(([name, port]) => `MAP ${name} 127.0.0.1:${port}`);
  return { flags: [`--host-resolver-rules=${rules.join(", ")}`], env: { ...process.env, HOME: home } };
}
