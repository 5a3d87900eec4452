// An OAuth2 provider at which everybody has an account: the code is what it says about the person.
import http from "node:http";

/** A code for a person, as the provider would hand it out. */
export const codeOf = (person) => Buffer.from(JSON.stringify(person)).toString("base64url");

function answer(request, text) {
  if (request.url.startsWith("/token")) return { access_token: new URLSearchParams(text).get("code") };
  const token = (request.headers.authorization ?? "").replace("Bearer ", "");
  return JSON.parse(Buffer.from(token, "base64url").toString());
}

async function listen() {
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => {
      try {
        const content = JSON.stringify(answer(request, text));
        response.writeHead(200, { "Content-Type": "application/json" }).end(content);
      } catch {
        response.writeHead(400).end("{}");
      }
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

let started;
/** The provider's origin; the same for both sides. */
export const provider = () => (started ??= listen());
