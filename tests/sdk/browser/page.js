// The code that runs in the browser: the official frontend SDK, and buttons that use it as a site would.
// ?mode=cookie|header chooses how tokens travel; &lock=off removes the lock between tabs.
import SuperTokens from "supertokens-website";

const options = new URLSearchParams(location.search);
const events = [];
const noLock = async () => ({ acquireLock: async () => true, releaseLock: async () => {} });

SuperTokens.init({
  apiDomain: location.origin,
  tokenTransferMethod: options.get("mode"),
  lockFactory: options.get("lock") === "off" ? noLock : undefined,
  onHandleEvent: (event) => events.push(event.action),
});

const show = async (text) => {
  document.querySelector("#state").textContent = (await SuperTokens.doesSessionExist()) ? "signed in" : "signed out";
  if (text !== undefined) document.querySelector("#output").textContent = text;
};

async function request(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  await show(`${method} ${path}: ${reply.status}\n${text}`);
  return { status: reply.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

const api = {
  events,
  signIn: (userId) => request("POST", "/login", { userId, payload: { site: "browser" } }),
  load: () => request("GET", "/me"),
  loadChecked: () => request("GET", "/me-checked"),
  signOut: async () => {
    await SuperTokens.signOut();
    await show("signed out");
  },
  exists: () => SuperTokens.doesSessionExist(),
  refresh: () => SuperTokens.attemptRefreshingSession(),
  userId: () => SuperTokens.getUserId(),
  payload: () => SuperTokens.getAccessTokenPayloadSecurely(),
};
window.api = api;

document.querySelector("#sign-in").onclick = () => api.signIn("person@example.org");
document.querySelector("#load").onclick = () => api.load();
document.querySelector("#sign-out").onclick = () => api.signOut();
show();
