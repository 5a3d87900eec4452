// As much of the web as the checks need, on this machine: sites with TLS below names of the tests' own. The browser
// resolves them to the one port on which all of them are served, and trusts the authority that certifies them.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { extname, join } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Keys, certificates and the store from which Chromium on Linux takes authorities; `domains` get all their names. */
function certify(folder, domains) {
  const store = join(folder, ".pki/nssdb");
  mkdirSync(store, { recursive: true });
  const run = (line) => execFileSync("bash", ["-e", "-c", line], { cwd: folder, stdio: "pipe" });
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  const names = domains.map((domain) => `DNS:*.${domain}`).join(",");
  writeFileSync(join(folder, "names"), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  run(`openssl req -x509 ${key} -keyout ca.key -out ca.pem -subj "/CN=Authority of the tests" \
    -addext keyUsage=critical,keyCertSign`);
  run(`openssl req ${key} -keyout sites.key -out sites.csr -subj "/CN=Sites of the tests"`);
  run("openssl x509 -req -days 2 -in sites.csr -CA ca.pem -CAkey ca.key -extfile names -out sites.pem");
  run(`certutil -d sql:${store} -N --empty-password`);
  run(`certutil -d sql:${store} -A -n tests -t C,, -i ca.pem`);
  const read = (name) => readFileSync(join(folder, name));
  return { key: read("sites.key"), cert: read("sites.pem") };
}

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

/** Serves `sites`, which maps host names to handlers; returns what Chromium has to be started with. */
export async function serve(folder, domains, sites) {
  const server = https.createServer(certify(folder, domains), (request, response) => {
    const site = sites[request.headers.host];
    if (site) return site(request, response);
    return response.writeHead(404).end("no such site");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  const rules = domains.map((domain) => `MAP *.${domain} 127.0.0.1:${port}`).join(", ");
  return { flags: [`--host-resolver-rules=${rules}`], env: { ...process.env, HOME: folder } };
}
