//! Settings of the front door: what browsers talk to. Names are those of the SDKs' configuration, in snake case.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Bool, Int, Null, Text};

pub(super) const FRONT: &[Setting] = &[
    setting(
        "front",
        "SESSIOND_FRONT",
        Kind::Text,
        Text("auto"),
        "Whether to serve browsers on a second port. `auto`: if `api_domain` is set, and on this machine while no API \
         key is.",
    )
    .one_of(&["auto", "on", "off"]),
    setting(
        "front_host",
        "SESSIOND_FRONT_HOST",
        Kind::Text,
        Text("localhost"),
        "Address on which to serve browsers; others than this machine's need `app_name` and `api_domain`.",
    ),
    setting(
        "front_port",
        "SESSIOND_FRONT_PORT",
        Kind::Int,
        Int(3568),
        "Port on which to serve browsers; 0 takes any free one.",
    )
    .at_least(0)
    .at_most(65_535),
    setting(
        "front_max_connections",
        "SESSIOND_FRONT_MAX_CONNECTIONS",
        Kind::Int,
        Int(2000),
        "Browsers' connections served at once, apart from `max_connections`; more wait to be accepted.",
    )
    .at_least(1),
    setting(
        "front_tls_cert",
        "SESSIOND_FRONT_TLS_CERT",
        Kind::Path,
        Null,
        "File with the front door's certificate, followed by those that lead to its authority (PEM). With it the front \
         door speaks TLS, and `api_domain` must be https. Read again when it changes, and at SIGHUP.",
    )
    .unit("path"),
    setting(
        "front_tls_key",
        "SESSIOND_FRONT_TLS_KEY",
        Kind::Path,
        Null,
        "File with the private key of `front_tls_cert` (PEM, without a passphrase); nobody else should be able to read \
         it.",
    )
    .unit("path"),
    setting(
        "front_acme",
        "SESSIOND_FRONT_ACME",
        Kind::Text,
        Text("off"),
        "Whether to get certificates for the hosts of all `api_domain`s from an authority, and to renew them (ACME). `on` \
         agrees to the authority's terms. It must reach the front door on port 443.",
    )
    .one_of(&["off", "on"]),
    setting(
        "front_acme_directory",
        "SESSIOND_FRONT_ACME_DIRECTORY",
        Kind::Text,
        Text("https://acme-v02.api.letsencrypt.org/directory"),
        "The authority's directory. Not called unless `front_acme` is on.",
    )
    .unit("URL"),
    setting(
        "front_acme_contact_email",
        "SESSIOND_FRONT_ACME_CONTACT_EMAIL",
        Kind::Text,
        Null,
        "Address at which the authority may tell you about problems with certificates.",
    ),
    setting(
        "front_acme_eab_key_id",
        "SESSIOND_FRONT_ACME_EAB_KEY_ID",
        Kind::Text,
        Null,
        "Id of the account that you have at the authority, if it asks for one (external account binding).",
    ),
    setting(
        "front_acme_eab_key",
        "SESSIOND_FRONT_ACME_EAB_KEY",
        Kind::Text,
        Null,
        "Key of that account, in base64url, as the authority shows it.",
    )
    .secret(),
    setting("app_name", "SESSIOND_APP_NAME", Kind::Text, Text("sessiond"), "What people see as the name of the app.")
        .per_app(),
    setting(
        "api_domain",
        "SESSIOND_API_DOMAIN",
        Kind::Text,
        Null,
        "Origin under which browsers reach the front door, such as `https://auth.example.com`; the issuer of tokens. \
         Without it the front door is for development: on this machine, for pages of this machine.",
    )
    .per_app(),
    setting(
        "website_domain",
        "SESSIOND_WEBSITE_DOMAIN",
        Kind::Text,
        Null,
        "Comma-separated origins of the pages that use the front door. Links in mails lead to the one from which they \
         were asked for, or else to the first. Without it: `api_domain`.",
    )
    .per_app(),
    setting("api_base_path", "SESSIOND_API_BASE_PATH", Kind::Text, Text("/auth"), "Prefix of the front door's paths.")
        .per_app(),
    setting(
        "api_gateway_path",
        "SESSIOND_API_GATEWAY_PATH",
        Kind::Text,
        Text(""),
        "What a gateway in front adds before `api_base_path`.",
    )
    .per_app(),
    setting(
        "front_tenant_hosts",
        "SESSIOND_FRONT_TENANT_HOSTS",
        Kind::Json,
        Text("{}"),
        "Hosts that [belong to one tenant each](front-door.md#a-host-for-each-tenant), such as `{\"login.acme.example\": \
         \"acme\", \"*.example.com\": \"*\"}`: of a host with `*` the first label is the tenant's id. Scheme and port \
         are those of `api_domain`.",
    )
    .per_app(),
    setting(
        "website_base_path",
        "SESSIOND_WEBSITE_BASE_PATH",
        Kind::Text,
        Text("/auth"),
        "Where the website has its sign-in pages; links in mails lead there.",
    )
    .per_app(),
    setting(
        "recipe_list",
        "SESSIOND_RECIPE_LIST",
        Kind::Text,
        Text("emailverification,userroles,emailpassword"),
        "Comma-separated recipes of the front door, in the order of their claims in the access token: \
         `emailpassword`, `emailverification`, `multifactorauth`, `passwordless`, `thirdparty`, `totp`, `userroles`.",
    )
    .per_app(),
];

pub(super) const FRONT_LIMITS: &[Setting] = &[
    setting(
        "front_rate_limiting",
        "SESSIOND_FRONT_RATE_LIMITING",
        Kind::Bool,
        Bool(true),
        "Whether requests that guess, send or hash are limited; one too many is answered 429.",
    )
    .per_app(),
    setting(
        "front_rate_limits",
        "SESSIOND_FRONT_RATE_LIMITS",
        Kind::Json,
        Text("{}"),
        "Limits in place of the [usual ones](front-door.md#limits), such as `{\"text\": {\"country\": \"50/h\", \
         \"address\": \"off\"}}`. Actions: `sign_in`, `sign_up`, `mail`, `text`, `code`, `lookup`; each by `address`, \
         `account` and `app`, and `text` by `country`.",
    )
    .per_app(),
];

pub(super) const FRONT_SESSIONS: &[Setting] = &[
    setting(
        "cookie_domain",
        "SESSIOND_COOKIE_DOMAIN",
        Kind::Text,
        Null,
        "Domain of the session's cookies, to share them among sub-domains; without it they belong to the host alone.",
    )
    .per_app(),
    setting(
        "older_cookie_domain",
        "SESSIOND_OLDER_COOKIE_DOMAIN",
        Kind::Text,
        Null,
        "An earlier `cookie_domain`, whose cookies are cleared where a browser has both; `host-only` for cookies \
         without a domain. Keep it as long as refresh tokens last.",
    )
    .per_app(),
    setting(
        "cookie_secure",
        "SESSIOND_COOKIE_SECURE",
        Kind::Text,
        Text("auto"),
        "Whether cookies are sent over https only. `auto`: if `api_domain` is https.",
    )
    .one_of(&["auto", "true", "false"])
    .per_app(),
    setting(
        "cookie_same_site",
        "SESSIOND_COOKIE_SAME_SITE",
        Kind::Text,
        Text("auto"),
        "`SameSite` of cookies. `auto`: `none` for a website of another site than `api_domain`, else `lax`.",
    )
    .one_of(&["auto", "lax", "strict", "none"])
    .per_app(),
    setting(
        "access_token_path",
        "SESSIOND_ACCESS_TOKEN_PATH",
        Kind::Text,
        Text("/"),
        "Path of the access token's cookie.",
    )
    .per_app(),
    setting(
        "anti_csrf",
        "SESSIOND_ANTI_CSRF",
        Kind::Text,
        Text("auto"),
        "Protection from requests forged by other sites, besides the check of their origin. `auto`: \
         `VIA_CUSTOM_HEADER` where `SameSite` is `none`, else `NONE`.",
    )
    .one_of(&["auto", "NONE", "VIA_CUSTOM_HEADER", "VIA_TOKEN"])
    .per_app(),
    setting(
        "token_transfer_method",
        "SESSIOND_TOKEN_TRANSFER_METHOD",
        Kind::Text,
        Text("any"),
        "Where browsers keep tokens. `any`: as the client asks for.",
    )
    .one_of(&["any", "cookie", "header"])
    .per_app(),
    setting(
        "session_expired_status_code",
        "SESSIOND_SESSION_EXPIRED_STATUS_CODE",
        Kind::Int,
        Int(401),
        "Status of replies that tell a client to refresh or to sign in.",
    )
    .at_least(400)
    .at_most(499)
    .per_app(),
    setting(
        "invalid_claim_status_code",
        "SESSIOND_INVALID_CLAIM_STATUS_CODE",
        Kind::Int,
        Int(403),
        "Status of replies that tell a client which claim is not met.",
    )
    .at_least(400)
    .at_most(499)
    .per_app(),
    setting(
        "use_dynamic_access_token_signing_key",
        "SESSIOND_USE_DYNAMIC_ACCESS_TOKEN_SIGNING_KEY",
        Kind::Bool,
        Bool(true),
        "Whether the front door's access tokens are signed with the key that changes regularly.",
    )
    .per_app(),
    setting(
        "expose_access_token_to_frontend_in_cookie_based_auth",
        "SESSIOND_EXPOSE_ACCESS_TOKEN_TO_FRONTEND_IN_COOKIE_BASED_AUTH",
        Kind::Bool,
        Bool(false),
        "Whether pages that keep tokens in cookies may also read the access token. Then a script that is injected into \
         a page can, too.",
    )
    .per_app(),
    setting(
        "session_client_details",
        "SESSIOND_SESSION_CLIENT_DETAILS",
        Kind::Bool,
        Bool(true),
        "Whether a session keeps the address and the `User-Agent` of the browser that signed in, and of the one that \
         refreshed it last. If not, what is known of a session is deleted when it is refreshed.",
    )
    .per_app(),
];

pub(super) const FRONT_RECIPES: &[Setting] = &[
    setting(
        "email_verification_mode",
        "SESSIOND_EMAIL_VERIFICATION_MODE",
        Kind::Text,
        Text("OPTIONAL"),
        "Whether routes of applications need a verified e-mail address. The front door's own routes never do, as with the \
         SDKs.",
    )
    .one_of(&["OPTIONAL", "REQUIRED"])
    .per_app()
    .later(),
    setting(
        "sign_up_form_fields",
        "SESSIOND_SIGN_UP_FORM_FIELDS",
        Kind::Json,
        Text("[]"),
        "List of what people are asked for at sign-up, such as `[{\"id\": \"name\", \"optional\": true}]`; \
         `email` and `password` are added where the list lacks them.",
    )
    .per_app(),
    setting(
        "passwordless_contact_method",
        "SESSIOND_PASSWORDLESS_CONTACT_METHOD",
        Kind::Text,
        Text("EMAIL"),
        "Where codes and links for signing in without a password are sent.",
    )
    .one_of(&["EMAIL", "PHONE", "EMAIL_OR_PHONE"])
    .per_app(),
    setting(
        "passwordless_flow_type",
        "SESSIOND_PASSWORDLESS_FLOW_TYPE",
        Kind::Text,
        Text("USER_INPUT_CODE_AND_MAGIC_LINK"),
        "What is sent there: a code to type in, a link, or both.",
    )
    .one_of(&["USER_INPUT_CODE", "MAGIC_LINK", "USER_INPUT_CODE_AND_MAGIC_LINK"])
    .per_app(),
    setting(
        "first_factors",
        "SESSIOND_FIRST_FACTORS",
        Kind::Text,
        Null,
        "Comma-separated factors with which people may begin to sign in, unless their tenant says otherwise; without \
         it, all that are available.",
    )
    .per_app(),
    setting(
        "account_linking",
        "SESSIOND_ACCOUNT_LINKING",
        Kind::Text,
        Text("off"),
        "Whether login methods with the same e-mail address or phone number become one user when somebody signs in. \
         `verified`: if all of them are verified; it needs `emailverification`. `always`: also if they are not, so \
         that whoever signs up with somebody else's address is signed in to their account. Second factors that are \
         login methods of their own, such as codes by mail, need one of the two.",
    )
    .one_of(&["off", "verified", "always"])
    .per_app(),
    setting(
        "totp_issuer",
        "SESSIOND_TOTP_ISSUER",
        Kind::Text,
        Null,
        "What authenticator apps show as the origin of their codes; without it, `app_name`.",
    )
    .per_app(),
    setting(
        "totp_default_skew",
        "SESSIOND_TOTP_DEFAULT_SKEW",
        Kind::Int,
        Int(1),
        "How many codes before and after the present one are accepted from authenticator apps that are added.",
    )
    .at_least(0)
    .at_most(100)
    .per_app(),
    setting(
        "totp_default_period",
        "SESSIOND_TOTP_DEFAULT_PERIOD",
        Kind::Int,
        Int(30),
        "Seconds for which authenticator apps that are added show a code.",
    )
    .at_least(1)
    .at_most(86_400)
    .per_app(),
    setting(
        "skip_adding_roles_to_access_token",
        "SESSIOND_SKIP_ADDING_ROLES_TO_ACCESS_TOKEN",
        Kind::Bool,
        Bool(false),
        "Leave `st-role` out of access tokens.",
    )
    .per_app(),
    setting(
        "skip_adding_permissions_to_access_token",
        "SESSIOND_SKIP_ADDING_PERMISSIONS_TO_ACCESS_TOKEN",
        Kind::Bool,
        Bool(false),
        "Leave `st-perm` out of access tokens.",
    )
    .per_app(),
];
