// What the pages of all three frontends have in common. In the address: ?mode=cookie|header, how tokens travel;
// &lock=off, no lock between tabs; &domain=…, the cookies' domain; &api=…, another front door than the site's own;
// &base=…, its base path; &memory=on, nothing is kept outside the page.
const options = new URLSearchParams(location.search);

/** www.shop.test and app.shop.test use auth.shop.test. */
export const api = options.get("api") ?? location.origin.replace(/\/\/\w+\./, "//auth.");

const noLock = async () => ({ acquireLock: async () => true, releaseLock: async () => {} });
const isIsolated = options.get("memory") === "on";

export const base = options.get("base") ?? "/auth";

export const session = {
  tokenTransferMethod: options.get("mode"),
  sessionTokenFrontendDomain: options.get("domain") ?? undefined,
  lockFactory: options.get("lock") === "off" || isIsolated ? noLock : undefined,
};

/** What a page needs in a frame whose browser gives it neither cookies nor storage: both in memory. */
function inMemory() {
  const cookies = new Map();
  const setCookie = async (line) => {
    const [pair, ...attributes] = line.split(";");
    const [name, ...value] = pair.split("=");
    const expires = attributes.map((text) => text.trim().split("=")).find(([key]) => key === "expires")?.[1];
    if (expires && new Date(expires) < new Date()) cookies.delete(name);
    else cookies.set(name, value.join("="));
  };
  const getCookie = async () => [...cookies].map((pair) => pair.join("=")).join("; ");
  const items = new Map();
  const sync = {
    keySync: (index) => [...items.keys()][index] ?? null,
    getItemSync: (key) => items.get(key) ?? null,
    clearSync: () => items.clear(),
    removeItemSync: (key) => items.delete(key),
    setItemSync: (key, value) => items.set(key, value),
  };
  const later = Object.entries(sync).map(([name, act]) => [name.replace("Sync", ""), async (...given) => act(...given)]);
  const localStorage = { ...sync, ...Object.fromEntries(later) };
  return {
    cookieHandler: (original) => ({ ...original, getCookie, setCookie }),
    windowHandler: (original) => ({ ...original, localStorage }),
  };
}
export const storage = isIsolated ? inMemory() : {};

export const fieldsOf = (email) => [
  { id: "email", value: email },
  { id: "password", value: "correct horse 1" },
];

/** A request that needs a session. */
async function load() {
  const reply = await fetch(`${api}${base}/user/email/verify`);
  return { status: reply.status, body: await reply.json() };
}

export const publish = (functions) => {
  window.page = { load, ...functions };
};
