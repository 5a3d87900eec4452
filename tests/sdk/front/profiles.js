// The configurations under which both sides are compared. `front` holds sessiond's settings for the front door, from
// which sdk.js derives the SDK's configuration; a setting that is left out has the SDK's default on both sides. `core`
// holds settings of the core, the same for both.

const sameSite = {
  app_name: "Shop",
  api_domain: "https://api.shop.example",
  website_domain: "https://www.shop.example",
};
const otherSite = { ...sameSite, website_domain: "https://www.elsewhere.example" };
const accounts = "emailverification,userroles,emailpassword";
const optional = { recipe_list: accounts, email_verification_mode: "OPTIONAL" };
const everything = "emailverification,emailpassword,passwordless";
const codes = {
  passwordless_contact_method: "EMAIL_OR_PHONE",
  passwordless_flow_type: "USER_INPUT_CODE_AND_MAGIC_LINK",
};

const fields = [{ id: "name" }, { id: "age" }, { id: "country", optional: true }];

const front = {
  // Website and API on one site: SameSite lax, Secure, no CSRF check.
  base: { ...sameSite, ...optional },
  // Website and API on different sites: SameSite none, the custom header guards.
  cross_site: { ...otherSite, ...optional },
  // As in development: two ports of localhost, several origins, no Secure.
  localhost: {
    ...optional,
    app_name: "Shop",
    api_domain: "http://localhost:3001",
    website_domain: "http://localhost:3000,https://www.shop.example",
  },
  // SameSite none without Secure, which browsers refuse.
  insecure: { ...otherSite, ...optional, api_domain: "http://api.shop.example" },
  csrf_token: { ...sameSite, ...optional, anti_csrf: "VIA_TOKEN" },
  csrf_none: { ...otherSite, ...optional, anti_csrf: "NONE" },
  csrf_header: { ...sameSite, ...optional, anti_csrf: "VIA_CUSTOM_HEADER" },
  // Everything that moves or renames something, in cookies only.
  moved: {
    ...sameSite,
    ...optional,
    api_base_path: "/api/login/",
    website_base_path: "members",
    api_gateway_path: "/gateway",
    cookie_domain: ".Shop.Example",
    older_cookie_domain: "api.shop.example",
    cookie_secure: "false",
    cookie_same_site: "strict",
    access_token_path: "/private",
    token_transfer_method: "cookie",
    session_expired_status_code: "440",
    invalid_claim_status_code: "460",
    expose_access_token_to_frontend_in_cookie_based_auth: "true",
  },
  older_host: { ...sameSite, ...optional, cookie_domain: "shop.example", older_cookie_domain: "host-only" },
  header_only: { ...sameSite, ...optional, token_transfer_method: "header", anti_csrf: "VIA_TOKEN" },
  static_keys: { ...sameSite, ...optional, use_dynamic_access_token_signing_key: "false" },
  // The address has to be verified; roles come first in the token.
  required: {
    ...sameSite,
    recipe_list: "userroles,emailverification,emailpassword",
    email_verification_mode: "REQUIRED",
  },
  // The same with second factors: neither has to be met for a route of the front door itself.
  required_all: {
    ...sameSite,
    recipe_list: `${everything},multifactorauth,totp`,
    email_verification_mode: "REQUIRED",
    ...codes,
    account_linking: "always",
  },
  no_roles: { ...sameSite, ...optional, skip_adding_roles_to_access_token: "true" },
  no_permissions: { ...sameSite, ...optional, skip_adding_permissions_to_access_token: "true" },
  // Nothing but passwords: no claims at all, and a sign-up form with fields of its own.
  fields: { ...sameSite, recipe_list: "emailpassword", sign_up_form_fields: JSON.stringify(fields) },
  nothing: { ...sameSite, recipe_list: "userroles" },
  codes: { ...sameSite, recipe_list: everything, email_verification_mode: "OPTIONAL", ...codes },
  phone_code: {
    ...sameSite,
    recipe_list: "passwordless",
    passwordless_contact_method: "PHONE",
    passwordless_flow_type: "USER_INPUT_CODE",
  },
  mail_link: {
    ...sameSite,
    recipe_list: "passwordless,emailpassword",
    passwordless_contact_method: "EMAIL",
    passwordless_flow_type: "MAGIC_LINK",
  },
  first_factors: {
    ...sameSite,
    recipe_list: `${everything},multifactorauth`,
    email_verification_mode: "OPTIONAL",
    ...codes,
    first_factors: "emailpassword,otp-email",
    account_linking: "always",
  },
  mfa: {
    ...sameSite,
    recipe_list: `${everything},multifactorauth,totp`,
    email_verification_mode: "OPTIONAL",
    ...codes,
    account_linking: "always",
  },
  link_always: {
    ...sameSite,
    recipe_list: everything,
    email_verification_mode: "OPTIONAL",
    ...codes,
    account_linking: "always",
  },
  link_verified: {
    ...sameSite,
    recipe_list: everything,
    email_verification_mode: "OPTIONAL",
    ...codes,
    account_linking: "verified",
  },
  providers: {
    ...sameSite,
    recipe_list: "emailverification,emailpassword,thirdparty",
    email_verification_mode: "OPTIONAL",
    // The provider of these cases is on this machine.
    provider_private_networks: "127.0.0.0/8,::1",
  },
  // Access tokens that expire while a case waits.
  short: { ...sameSite, ...optional },
  // A replaced refresh token is theft at once.
  no_grace: { ...sameSite, ...optional },
  // Sessions that end while a case waits.
  brief: { ...sameSite, ...optional },
};

// Lifetimes would otherwise differ by up to 5 %; passwords are not the subject here, so their hashes are cheap.
const core = { ACCESS_TOKEN_VALIDITY_JITTER: "0", BCRYPT_LOG_ROUNDS: "4" };

const own = {
  short: { ACCESS_TOKEN_VALIDITY: "4" },
  no_grace: { REFRESH_TOKEN_ROTATION_GRACE_PERIOD: "0" },
  brief: { ACCESS_TOKEN_VALIDITY: "1", REFRESH_TOKEN_VALIDITY: "0.05" },
};

export const PROFILES = Object.fromEntries(
  Object.entries(front).map(([name, settings]) => [name, { front: settings, core: { ...core, ...own[name] } }]),
);

/** A path as both sides normalise it: with a leading slash, without one at the end. */
const normal = (path) => `/${path}`.replace(/^\/+/, "/").replace(/\/+$/, "");

/** Where a profile's routes are. A gateway takes its own path away before a request arrives. */
export const baseOf = ({ api_base_path: base = "/auth" }) => normal(base);
/** The path of a profile's gateway, which browsers see and servers do not. */
export const gatewayOf = ({ api_gateway_path: gateway = "" }) => normal(gateway);
