// Session transport: cookies and headers, refresh, sign-out, theft.
import { group } from "../case.js";

const add = group("session", "base");

for (const mode of ["cookie", "header"]) {
  add(`sign-up, refresh and sign-out, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    const before = device.longToken();
    await device.refresh();
    t.holds(device.longToken() !== before, "the refresh token changes");
    t.holds(!device.longToken().includes("="), "refresh tokens have no padding");
    await device.get("/user/email/verify", "OK", { note: "first use of the new access token" });
    await device.get("/user/email/verify", "OK", { note: "second use" });
    await device.refresh();
    await device.signOut();
    await device.signOut([401, "unauthorised"], { note: "sign-out without tokens" });
    await device.refresh([401, "unauthorised"], { note: "refresh without tokens" });
  });

  add(`sign-in on a second device, ${mode}`, async (t) => {
    const [one, two] = [t.client(mode), t.client(mode)];
    await one.signUp(t.email());
    await two.signIn(t.email());
    await one.signOut();
    await two.get("/user/email/verify", "OK");
    await two.refresh();
    await two.signOut();
  });

  add(`sign-in over a session, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    await device.signIn(t.email(), "OK", { note: "same person again" });
    await device.signUp(t.email("other"), "OK", { note: "another person" });
    await device.get("/user/email/verify", "OK");
  });

  add(`a revoked session, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    await t.core("POST", "/recipe/session/remove", { sessionHandles: [device.payload().sessionHandle] });
    // The route renews the claim, which takes the session.
    await device.get("/user/email/verify", [401, "unauthorised"], { forget: true });
    await device.refresh([401, "unauthorised"], { forget: true });
    await device.signOut("OK", { note: "sign-out of a revoked session" });
  });

  add(`a session revoked between refresh and first use, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    await device.refresh();
    await t.core("POST", "/recipe/session/remove", { sessionHandles: [device.payload().sessionHandle] });
    await device.get("/user/email/verify", [401, "unauthorised"]);
    await device.refresh([401, "unauthorised"]);
  });

  add(`an account removed, ${mode}`, async (t) => {
    const device = t.client(mode);
    const { body } = await device.signUp(t.email());
    await t.core("POST", "/user/remove", { userId: body?.user?.id });
    await device.get("/user/email/verify", [401, "unauthorised"], { forget: true });
    await device.post("/user/email/verify/token", undefined, [401, "unauthorised"], { forget: true });
    await device.refresh([401, "unauthorised"]);
  });

  add(`tokens that are none, ${mode}`, async (t) => {
    const device = t.client(mode);
    const both = (access, refresh) =>
      mode === "header"
        ? { bearer: refresh ?? access }
        : {
            cookies: [access && `sAccessToken=${access}`, refresh && `sRefreshToken=${refresh}`]
              .filter(Boolean)
              .join("; "),
          };
    await device.get("/user/email/verify", [401, "unauthorised"], { ...both("garbage"), note: "garbage" });
    await device.get("/user/email/verify", [401, "unauthorised"], { ...both("a.b.c"), note: "three parts" });
    await device.refresh([401, "unauthorised"], { ...both("x", "garbage"), note: "refresh with garbage" });
    await device.refresh([401, "unauthorised"], { ...both("x", "a.b.c"), note: "refresh with three parts" });
    await device.refresh([401, "unauthorised"], { ...both("x", "%E0%A4%A"), note: "refresh with a broken escape" });
    await device.signOut([401, "unauthorised"], { ...both("garbage"), note: "sign-out with garbage" });
    const signed = t.client(mode);
    await signed.signUp(t.email());
    const [head, payload, signature] = signed.token().split(".");
    const flipped = (signature[0] === "A" ? "B" : "A") + signature.slice(1);
    const forged = [head, payload, flipped].join(".");
    await device.get("/user/email/verify", [401, "try refresh token"], { ...both(forged), note: "wrong signature" });
    const content = JSON.parse(Buffer.from(payload, "base64url"));
    const other = Buffer.from(JSON.stringify({ ...content, sub: "someone" })).toString("base64url");
    await device.get("/user/email/verify", [401, "try refresh token"], {
      ...both([head, other, signature].join(".")),
      note: "another payload",
    });
    const unknown = JSON.parse(Buffer.from(head, "base64url"));
    const foreign = Buffer.from(JSON.stringify({ ...unknown, kid: "d-1" })).toString("base64url");
    await device.get("/user/email/verify", [401, "try refresh token"], {
      ...both([foreign, payload, signature].join(".")),
      note: "unknown key",
    });
    const oauth = Buffer.from(JSON.stringify({ ...content, stt: 1 })).toString("base64url");
    await device.get("/user/email/verify", [401, "unauthorised"], {
      ...both([head, oauth, signature].join(".")),
      note: "an OAuth2 token",
    });
    const unversioned = Buffer.from(JSON.stringify({ ...unknown, version: "2" })).toString("base64url");
    await device.get("/user/email/verify", [401, "unauthorised"], {
      ...both([unversioned, payload, signature].join(".")),
      note: "an older version",
    });
    await device.refresh([401, "unauthorised"], { ...both("x", signed.token()), note: "refresh with an access token" });
    await device.get("/user/email/verify", [401, "unauthorised"], {
      ...both(signed.longToken()),
      note: "verify with a refresh token",
    });
  });
}

add("no st-auth-mode means headers", async (t) => {
  const device = t.client(null);
  await device.signUp(t.email());
  t.holds(device.access && device.refreshToken && device.jar.size === 0, "tokens come in headers");
});

for (const mode of ["COOKIE", "Header", "nonsense", ""]) {
  add(`st-auth-mode ${JSON.stringify(mode)}`, async (t) => {
    const device = t.client("cookie");
    await device.signUp(t.email(), "OK", { headers: { "st-auth-mode": mode } });
    t.holds(device.jar.size > 0 === (mode === "COOKIE"), "only cookie means cookies");
  });
}

add("both modes at once", async (t) => {
  const [cookie, header] = [t.client("cookie"), t.client("header")];
  await cookie.signUp(t.email("cookie"));
  await header.signUp(t.email("header"));
  const both = { bearer: header.token(), forget: true };
  const { body } = await cookie.get("/user/email/verify", "OK", { ...both, note: "headers first" });
  t.holds(body?.status === "OK", "answered");
  await cookie.get("/user/email/verify", "OK", { ...both, bearer: "foreign", note: "a foreign bearer is ignored" });
  await cookie.get("/user/email/verify", "OK", {
    headers: { Authorization: `bearer ${header.token()}` },
    forget: true,
    note: "a bearer in small letters is none",
  });
  await cookie.get("/user/email/verify", "OK", {
    headers: { Authorization: `Bearer   ${header.token()}  ` },
    forget: true,
    note: "blanks around",
  });
  await cookie.refresh([401, "unauthorised"], { bearer: "foreign", forget: true, note: "but not on refresh" });
  await cookie.refresh(200, { bearer: header.longToken(), forget: true, note: "refresh: headers first" });
  await header.signIn(t.email("header"), "OK", { note: "sign-in again" });
  await header.signIn(t.email("header"), "OK", { cookies: cookie.cookieHeader("/"), note: "clears the other mode" });
  await cookie.signIn(t.email("cookie"), "OK", { bearer: header.token(), note: "clears the other mode, cookie" });
  await cookie.signIn(t.email("cookie"), "OK", { bearer: "foreign", note: "a foreign bearer is not cleared" });
  await header.signIn(t.email("header"), "OK", {
    cookies: `sRefreshToken=${cookie.longToken()}`,
    note: "a refresh token alone is not cleared",
  });
  await cookie.signOut("OK", { bearer: header.token(), forget: true, note: "sign-out with both" });
});

add("an access token in the wrong place of a refresh", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await device.refresh([401, "unauthorised"], {
    cookies: device.cookieHeader("/"),
    forget: true,
    note: "only the access token",
  });
  await device.refresh(200, {
    cookies: `sRefreshToken=${device.jar.get("sRefreshToken")?.sent}`,
    note: "only the refresh token",
  });
  await device.refresh([401, "unauthorised"], { cookies: "sRefreshToken=", forget: true, note: "an empty cookie" });
});

add("refresh at a tenant's address", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await device.send("POST", "/public/session/refresh", undefined, [401, "unauthorised"], { forget: true });
  const cookies = device.cookieHeader(`${t.base}/session/refresh`);
  await device.send("POST", "/t1/session/refresh", undefined, 200, { cookies, note: "cookie sent nevertheless" });
  await device.send("POST", "/public/signout", undefined, "OK");
});

add("cookies from older versions", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const legacy = `${device.cookieHeader("/")}; sIdRefreshToken=x`;
  await device.get("/user/email/verify", [401, "try refresh token"], { cookies: legacy, forget: true, note: "verify" });
  await device.refresh(200, {
    cookies: `${device.cookieHeader(`${t.base}/session/refresh`)}; sIdRefreshToken=x`,
    note: "refresh clears it",
  });
  await device.refresh([401, "unauthorised"], { cookies: "sIdRefreshToken=x", forget: true, note: "alone" });
  await device.signIn(t.email(), "OK", { cookies: "sIdRefreshToken=x", forget: true, note: "sign-in does not look" });
});

add("cookies that come twice, no older domain", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const access = `sAccessToken=${device.jar.get("sAccessToken")?.sent}`;
  const refresh = `sRefreshToken=${device.jar.get("sRefreshToken")?.sent}`;
  const options = (cookies, note) => ({ cookies, note, forget: true });
  await device.get("/user/email/verify", [401, "try refresh token"], options(`${access}; ${access}`, "verify"));
  await device.get("/user/email/verify", "OK", options(`${access}; ${refresh}; ${refresh}`, "verify, refresh twice"));
  await device.get(
    "/user/email/verify",
    [401, "try refresh token"],
    options(`${access}; sAccessToken=`, "verify, one empty"),
  );
  await device.refresh(500, options(`${access}; ${access}; ${refresh}`, "refresh, access twice"));
  await device.refresh(500, options(`${access}; ${refresh}; ${refresh}`, "refresh, refresh twice"));
  await device.refresh(500, options(`${refresh}; sRefreshToken=old`, "refresh, two values"));
  await device.refresh(200, options(`other=1; other=2; ${refresh}`, "other cookies may repeat"));
});

const older = add.under("older_host");
older("cookies that come twice, older domain the host itself", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  const access = `sAccessToken=${device.jar.get("sAccessToken")?.sent}`;
  const refresh = `sRefreshToken=${device.jar.get("sRefreshToken")?.sent}`;
  const options = (cookies, note) => ({ cookies, note, forget: true });
  await device.get("/user/email/verify", [401, "try refresh token"], options(`${access}; ${access}`, "verify"));
  const text = "The request contains multiple session cookies. We are clearing the cookie from olderCookieDomain. ";
  const told = [200, `${text}Session will be refreshed in the next refresh call.`];
  await device.refresh(told, options(`${access}; ${access}; ${refresh}`, "access twice"));
  await device.refresh(told, options(`${refresh}; ${refresh}`, "refresh twice"));
  await device.refresh(told, options(`${access}; ${access}; ${refresh}; ${refresh}`, "both twice"));
  await device.refresh(200, { note: "once" });
  await device.refresh(told, { ...options(`${access}; ${access}`, "header token too"), bearer: device.longToken() });
});

const moved = add.under("moved");
moved("everything renamed and moved", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email());
  await device.get("/user/email/verify", [440, "unauthorised"], { note: "cookie below another path" });
  const cookies = `sAccessToken=${device.jar.get("sAccessToken")?.sent}`;
  await device.get("/user/email/verify", "OK", { cookies, note: "cookie sent nevertheless" });
  await device.refresh(200, { cookies: `${cookies}; ${device.cookieHeader(`${t.base}/session/refresh`)}` });
  const access = `sAccessToken=${device.jar.get("sAccessToken")?.sent}`;
  const refresh = `sRefreshToken=${device.jar.get("sRefreshToken")?.sent}`;
  await device.refresh(200, { cookies: `${access}; ${refresh}; ${refresh}`, forget: true, note: "refresh twice" });
  await device.get("/user/email/verify", "OK", { cookies: access, note: "promoted" });
  await device.signOut("OK", { cookies: `sAccessToken=${device.jar.get("sAccessToken")?.sent}` });
  await device.refresh([440, "unauthorised"]);
});
moved("header tokens are not looked at", async (t) => {
  const device = t.client("cookie");
  await device.signUp(t.email(), "OK", { headers: { "st-auth-mode": "header" } });
  const [access, refresh] = [device.token(), device.longToken()];
  await device.get("/user/email/verify", [440, "unauthorised"], { cookies: "", bearer: access, note: "access token" });
  await device.refresh([440, "unauthorised"], { cookies: "", bearer: refresh, note: "refresh token" });
});
moved("old addresses are gone", async (t) => {
  const device = t.client("cookie");
  await device.get("/auth/jwt/jwks.json", 404, { absolute: true });
  await device.get("/api/login/jwt/jwks.json", 200, { absolute: true });
  await device.get("/gateway/api/login/jwt/jwks.json", 404, { absolute: true });
  await device.get("/.well-known/openid-configuration", 200);
});

const header = add.under("header_only");
header("cookies are not looked at", async (t) => {
  const device = t.client("header");
  await device.signUp(t.email(), "OK", { headers: { "st-auth-mode": "cookie" } });
  const access = encodeURIComponent(device.token() ?? "");
  const refresh = encodeURIComponent(device.longToken() ?? "");
  const cookies = `sAccessToken=${access}; sRefreshToken=${refresh}`;
  await device.get("/user/email/verify", [401, "unauthorised"], {
    cookies,
    bearer: null,
    forget: true,
    note: "access",
  });
  await device.refresh([401, "unauthorised"], { cookies, bearer: null, forget: true, note: "refresh" });
  await device.refresh(200, { cookies: `${cookies}; ${cookies}`, note: "cookies twice do not matter" });
  await device.get("/user/email/verify", "OK", { note: "promoted" });
  await device.signOut("OK", { note: "no CSRF check in headers" });
});

const short = add.under("short");
const strict = add.under("no_grace");
for (const mode of ["cookie", "header"]) {
  short(`expired access tokens, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    await t.sleep(5.2);
    const again = [401, "try refresh token"];
    await device.get("/user/email/verify", again, { note: "verify" });
    await device.signOut(again);
    await device.signIn(t.email(), "OK", { forget: true, note: "sign-in, flag false" });
    const flagged = {
      formFields: [
        { id: "email", value: t.email() },
        { id: "password", value: "pass-word-1" },
      ],
    };
    await device.post("/signin", { ...flagged, shouldTryLinkingWithSessionUser: true }, again, {
      note: "sign-in, flag true",
    });
    await device.post("/signin", flagged, again, { headers: { "fdi-version": "3.0" }, note: "sign-in, no flag" });
    await device.post("/user/email/verify", { method: "token", token: "x" }, again, { note: "optional session" });
    await device.refresh();
    await device.get("/user/email/verify", "OK", { note: "after the refresh" });
  });

  strict(`theft, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    const stolen = device.longToken();
    const use = (token) =>
      mode === "header" ? { bearer: token } : { cookies: `sRefreshToken=${encodeURIComponent(token)}` };
    await device.refresh();
    await device.get("/user/email/verify", "OK", { note: "first use" });
    await device.refresh();
    await device.get("/user/email/verify", "OK", { note: "first use again" });
    await device.refresh([401, "token theft detected"], {
      ...use(stolen),
      forget: true,
      note: "the first token again",
    });
    await device.refresh([401, "unauthorised"], { note: "the rightful one" });
  });

  strict(`a refresh twice before the first use, ${mode}`, async (t) => {
    const device = t.client(mode);
    await device.signUp(t.email());
    const first = device.longToken();
    const use = (token) =>
      mode === "header" ? { bearer: token } : { cookies: `sRefreshToken=${encodeURIComponent(token)}` };
    await device.refresh(200, { ...use(first), note: "once" });
    await device.refresh(200, { ...use(first), note: "twice" });
    await device.get("/user/email/verify", "OK", { note: "first use" });
    await device.refresh(200, { note: "goes on" });
  });
}
