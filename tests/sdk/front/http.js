// One HTTP exchange, sent and returned as it is: no redirects, no cookie handling, headers as given.
import http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const LIMIT_MS = 30_000;

/** Sends a request; returns status, headers, all `Set-Cookie` lines, the text and the time of arrival (ms). */
export function exchange(origin, { method, path, headers, text }) {
  const { hostname, port } = new URL(origin);
  return new Promise((done, fail) => {
    const all = text === undefined ? headers : { ...headers, "Content-Length": Buffer.byteLength(text) };
    const request = http.request(
      { agent, hostname, port, method, path, headers: all, timeout: LIMIT_MS },
      (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("error", fail);
        response.on("end", () =>
          done({
            status: response.statusCode,
            headers: response.headers,
            cookies: response.headers["set-cookie"] ?? [],
            text: Buffer.concat(parts).toString(),
            at: Date.now(),
          }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer to ${method} ${path} within ${LIMIT_MS} ms`)));
    request.on("error", fail);
    request.end(text);
  });
}
