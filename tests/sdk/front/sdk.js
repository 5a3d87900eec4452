// A stand-alone application on the official Node SDK that serves the FDI, configured by one of the profiles. Nothing
// is sent: mails and texts are kept and offered at /captured.
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import AccountLinking from "supertokens-node/recipe/accountlinking/index.js";
import EmailPassword from "supertokens-node/recipe/emailpassword/index.js";
import EmailVerification from "supertokens-node/recipe/emailverification/index.js";
import MultiFactorAuth from "supertokens-node/recipe/multifactorauth/index.js";
import Passwordless from "supertokens-node/recipe/passwordless/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import ThirdParty from "supertokens-node/recipe/thirdparty/index.js";
import TOTP from "supertokens-node/recipe/totp/index.js";
import UserRoles from "supertokens-node/recipe/userroles/index.js";
import { PROFILES } from "./profiles.js";

const settings = PROFILES[process.env.PROFILE].front;
const origins = settings.website_domain.split(",");

const captured = [];
const emailDelivery = {
  override: (original) => ({
    ...original,
    sendEmail: async (mail) => {
      const link = mail.emailVerifyLink ?? mail.passwordResetLink ?? mail.urlWithLinkCode;
      captured.push({ to: mail.user?.email ?? mail.email, kind: mail.type, link, code: mail.userInputCode });
    },
  }),
};
const smsDelivery = {
  override: (original) => ({
    ...original,
    sendSms: async (text) => {
      captured.push({ to: text.phoneNumber, kind: text.type, link: text.urlWithLinkCode, code: text.userInputCode });
    },
  }),
};

const flag = (name) => (settings[name] === undefined ? undefined : settings[name] === "true");
const code = (name) => (settings[name] === undefined ? undefined : Number(settings[name]));

const recipes = {
  emailverification: () => EmailVerification.init({ mode: settings.email_verification_mode, emailDelivery }),
  userroles: () =>
    UserRoles.init({
      skipAddingRolesToAccessToken: flag("skip_adding_roles_to_access_token"),
      skipAddingPermissionsToAccessToken: flag("skip_adding_permissions_to_access_token"),
    }),
  emailpassword: () =>
    EmailPassword.init({
      emailDelivery,
      signUpFeature: settings.sign_up_form_fields && { formFields: JSON.parse(settings.sign_up_form_fields) },
    }),
  passwordless: () =>
    Passwordless.init({
      contactMethod: settings.passwordless_contact_method,
      flowType: settings.passwordless_flow_type,
      emailDelivery,
      smsDelivery,
    }),
  multifactorauth: () => MultiFactorAuth.init({ firstFactors: settings.first_factors?.split(",") }),
  totp: () => TOTP.init(),
  // Providers belong to tenants and are kept in the core.
  thirdparty: () => ThirdParty.init(),
};

const linking = () =>
  AccountLinking.init({
    shouldDoAutomaticAccountLinking: async () => ({
      shouldAutomaticallyLink: true,
      shouldRequireVerification: settings.account_linking === "verified",
    }),
  });

supertokens.init({
  framework: "express",
  telemetry: false,
  supertokens: { connectionURI: process.env.CORE_URI },
  appInfo: {
    appName: settings.app_name,
    apiDomain: settings.api_domain,
    origin: ({ request }) => {
      const asked = request?.getHeaderValue("origin");
      return origins.includes(asked) ? asked : origins[0];
    },
    apiBasePath: settings.api_base_path,
    websiteBasePath: settings.website_base_path,
    apiGatewayPath: settings.api_gateway_path,
  },
  recipeList: [
    Session.init({
      cookieDomain: settings.cookie_domain,
      olderCookieDomain: settings.older_cookie_domain?.replace(/^host-only$/, ""),
      cookieSecure: flag("cookie_secure"),
      cookieSameSite: settings.cookie_same_site,
      accessTokenPath: settings.access_token_path,
      antiCsrf: settings.anti_csrf,
      getTokenTransferMethod: settings.token_transfer_method && (() => settings.token_transfer_method),
      sessionExpiredStatusCode: code("session_expired_status_code"),
      invalidClaimStatusCode: code("invalid_claim_status_code"),
      useDynamicAccessTokenSigningKey: flag("use_dynamic_access_token_signing_key"),
      exposeAccessTokenToFrontendInCookieBasedAuth: flag("expose_access_token_to_frontend_in_cookie_based_auth"),
    }),
    ...settings.recipe_list.split(",").map((name) => recipes[name]()),
    ...((settings.account_linking ?? "off") === "off" ? [] : [linking()]),
  ],
});

// What the documentation tells applications to let through, for the configured origins only.
const cors = (request, response, next) => {
  response.vary("Origin");
  if (origins.includes(request.headers.origin)) {
    response.set("Access-Control-Allow-Origin", request.headers.origin);
    response.set("Access-Control-Allow-Credentials", "true");
  }
  if (request.method !== "OPTIONS") return next();
  response.set("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
  response.set("Access-Control-Allow-Headers", ["content-type", ...supertokens.getAllCORSHeaders()].join(","));
  response.status(204).end();
};

const app = express();
app.get("/captured", (_request, response) => response.json(captured));
app.use(cors);
app.use(middleware());
app.use(errorHandler());
app.use((_request, response) => response.status(404).send("Not found"));
app.use((error, _request, response, _next) => {
  if (process.env.TRACE) console.error(error);
  response.status(500).json({ message: String(error?.message ?? error) });
});

const server = app.listen(0, "127.0.0.1", () => console.log(`SDK on http://127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
