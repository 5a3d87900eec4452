// Sign-in at a provider. The tenants' providers are kept in the core.
import { group } from "../case.js";
import { form, PASSWORD } from "../client.js";
import { codeOf, provider } from "../provider.js";

const add = group("thirdparty", "providers");

const REDIRECT = "https://www.shop.example/auth/callback/test";
const flag = { shouldTryLinkingWithSessionUser: false };
const web = { clientType: "web", clientId: "web-id", clientSecret: "secret", scope: ["email", "profile"] };
const app = { clientType: "app", clientId: "app-id" };

/** A tenant with a provider; `more` replaces members of its configuration. */
async function tenantWith(t, more = {}) {
  const tenant = await t.tenant({ firstFactors: null });
  const origin = await provider();
  const config = {
    thirdPartyId: "test",
    name: "Test",
    clients: [web],
    authorizationEndpoint: `${origin}/authorize?fixed=1`,
    tokenEndpoint: `${origin}/token`,
    userInfoEndpoint: `${origin}/userinfo`,
    userInfoMap: { fromUserInfoAPI: { userId: "id", email: "contact.mail", emailVerified: "verified" } },
    ...more,
  };
  await t.core("PUT", `/${tenant}/recipe/multitenancy/config/thirdparty`, { config, skipValidation: true });
  return tenant;
}

const come = (device, tenant, person, want = "OK", options = {}) =>
  device.post(
    `/${tenant}/signinup`,
    {
      thirdPartyId: "test",
      redirectURIInfo: {
        redirectURIOnProviderDashboard: REDIRECT,
        redirectURIQueryParams: { code: codeOf(person), state: "x" },
      },
      ...flag,
    },
    want,
    options,
  );

add("where to send people", async (t) => {
  const tenant = await tenantWith(t);
  const device = t.client("cookie");
  const ask = (query, want, note, at = tenant) => device.get(`/${at}/authorisationurl?${query}`, want, { note });
  const redirect = `redirectURIOnProviderDashboard=${encodeURIComponent(REDIRECT)}`;
  await ask(`thirdPartyId=test&${redirect}`, "OK", "one client");
  await ask(`thirdPartyId=test&${redirect}&clientType=web`, "OK", "its type");
  await ask(`thirdPartyId=test&${redirect}&clientType=other`, 500, "another type");
  await ask(redirect, [400, "Please provide the thirdPartyId as a GET param"], "no provider");
  const wanted = "Please provide the redirectURIOnProviderDashboard as a GET param";
  await ask("thirdPartyId=test", [400, wanted], "no redirect URI");
  const unknown = "the provider other could not be found in the configuration";
  await ask(`thirdPartyId=other&${redirect}`, [400, unknown], "unknown provider");
  await ask(`thirdPartyId=test&${redirect}`, 400, "not in public", "public");
  await device.get(`/${tenant}/loginmethods`, "OK", { note: "login methods" });
  await device.get("/loginmethods", "OK", { note: "login methods in public" });
});

add("where to send people: variants", async (t) => {
  const device = t.client("cookie");
  const redirect = `thirdPartyId=test&redirectURIOnProviderDashboard=${encodeURIComponent(REDIRECT)}`;
  const tenant = await tenantWith(t, {
    clients: [web, app],
    authorizationEndpointQueryParams: { prompt: "login", scope: null },
  });
  await device.get(`/${tenant}/authorisationurl?${redirect}`, 500, { note: "two clients, no type" });
  await device.get(`/${tenant}/authorisationurl?${redirect}&clientType=web`, "OK", { note: "with a secret" });
  await device.get(`/${tenant}/authorisationurl?${redirect}&clientType=app`, "OK", { note: "without: PKCE" });
  await device.get(`/${tenant}/loginmethods`, null, { note: "login methods, no type" });
  await device.get(`/${tenant}/loginmethods?clientType=app`, "OK", { note: "login methods, a type" });
  await tenantWith(t, { clients: [{ ...web, forcePKCE: true }] });
  await device.get(`/${tenant}/authorisationurl?${redirect}`, "OK", { note: "PKCE although there is a secret" });
});

for (const mode of ["cookie", "header"]) {
  add(`come and come back, ${mode}`, async (t) => {
    const tenant = await tenantWith(t);
    const device = t.client(mode);
    const person = { id: t.own("p"), contact: { mail: t.email() }, verified: true };
    const { body } = await come(device, tenant, person);
    t.holds(body?.createdNewRecipeUser === true, "a new user");
    await device.get("/user/email/verify", "OK", { note: "is it verified?" });
    const again = await come(device, tenant, person, "OK", { note: "again" });
    t.holds(again.body?.createdNewRecipeUser === false, "the same user");
    const moved = { ...person, contact: { mail: t.email("new") } };
    await come(device, tenant, moved, "OK", { note: "with another address" });
    await come(device, tenant, { ...moved, verified: "true" }, "OK", { note: "verified as a text" });
    await come(device, tenant, { ...moved, verified: false }, "OK", { note: "no longer verified" });
    await come(device, tenant, { ...moved, contact: { mail: "nobody" } }, null, { note: "an address that is none" });
    await device.refresh();
    await device.signOut();
    await come(device, tenant, { ...person, id: 12 }, null, { note: "an id that is a number", forget: true });
    for (const version of ["1.17", "2.0", "3.0"]) {
      await come(device, tenant, person, "OK", { headers: { "fdi-version": version }, note: `FDI ${version}` });
    }
    await t.look("the user in the core", `/user/id?userId=${body?.user?.id}`);
  });
}

add("people without an address", async (t) => {
  const tenant = await tenantWith(t);
  const device = t.client("cookie");
  await come(device, tenant, { id: t.own("p") }, "NO_EMAIL_GIVEN_BY_PROVIDER", { note: "is required" });
  await tenantWith(t, { requireEmail: false });
  await come(device, tenant, { id: t.own("p") }, "OK", { note: "is not required" });
  await device.get("/user/email/verify", "OK", { note: "is it verified?" });
  await device.post("/user/email/verify/token", undefined, null, { note: "a mail" });
});

add("a password with the same address", async (t) => {
  const tenant = await tenantWith(t);
  const [one, two] = [t.client("cookie"), t.client("cookie")];
  await one.post(`/${tenant}/signup`, form({ email: t.email(), password: PASSWORD }), "OK");
  await come(two, tenant, { id: t.own("p"), contact: { mail: t.email() }, verified: true });
  t.holds(one.payload().sub !== two.payload().sub, "nothing is linked");
  await two.get(`/${tenant}/emailpassword/email/exists?email=${t.email()}`, "OK");
});

add("bad bodies", async (t) => {
  const tenant = await tenantWith(t);
  const device = t.client("cookie");
  const send = (body, want, note) => device.post(`/${tenant}/signinup`, body, want, { note, forget: true });
  const thirdPartyId = "test";
  const redirectURIInfo = {
    redirectURIOnProviderDashboard: REDIRECT,
    redirectURIQueryParams: { code: codeOf({ id: "x" }) },
  };
  const either = "Please provide one of redirectURIInfo or oAuthTokens in the request body";
  const missing = "Please provide the thirdPartyId in request body";
  await send(undefined, [400, missing], "no body");
  await send({}, [400, missing], "no provider");
  await send({ thirdPartyId: 1, redirectURIInfo }, [400, missing], "provider a number");
  await send({ thirdPartyId }, [400, either], "neither");
  const wanted = "Please provide the redirectURIOnProviderDashboard in request body";
  await send({ thirdPartyId, redirectURIInfo: {} }, [400, wanted], "no redirect URI");
  const bare = { redirectURIOnProviderDashboard: REDIRECT };
  await send({ thirdPartyId, redirectURIInfo: bare }, null, "no parameters");
  await send({ thirdPartyId, redirectURIInfo: { ...bare, redirectURIQueryParams: {} } }, null, "no code");
  const nonsense = { ...bare, redirectURIQueryParams: { code: "x" } };
  await send({ thirdPartyId, redirectURIInfo: nonsense }, 500, "a code that the provider refuses");
  const unknown = "the provider other could not be found in the configuration";
  await send({ thirdPartyId: "other", redirectURIInfo }, [400, unknown], "unknown provider");
  await send({ thirdPartyId, redirectURIInfo, clientType: "other" }, 500, "unknown client type");
  await send({ thirdPartyId, redirectURIInfo: "x" }, null, "a text");
});

add("back from Apple", async (t) => {
  const device = t.client(null);
  const back = (state, note, more = "") =>
    device.send("POST", "/callback/apple", undefined, null, {
      text: `code=abc${more}&state=${encodeURIComponent(state)}`,
      note,
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });
  const state = (content) => Buffer.from(JSON.stringify(content)).toString("base64");
  const frontendRedirectURI = "https://www.shop.example/auth/callback/apple";
  await back(state({ state: "x", frontendRedirectURI }), "to the website");
  await back(state({ state: "x", frontendRedirectURI }), "with a user", `&user=${encodeURIComponent('{"a":1}')}`);
  await back(state({ state: "x", frontendRedirectURI: `${frontendRedirectURI}?a=1` }), "to an address with a query");
  await back(state({ state: "x", frontendRedirectURI: "https://evil.example/" }), "to elsewhere");
  await back(state({ state: "x" }), "to nowhere");
  await back("nonsense", "without a state");
});
