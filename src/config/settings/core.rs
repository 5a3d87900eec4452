//! Settings of the server, access to it, sessions and logs.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Bool, Double, Int, Null, Text};

pub(super) const SERVER: &[Setting] = &[
    setting("core_config_version", "", Kind::Int, Null, "Version of the file's layout. Must be 0 in a `config.yaml`.")
        .without_env(),
    setting("host", "SUPERTOKENS_HOST", Kind::Text, Text("localhost"), "Address to listen on."),
    setting("port", "SUPERTOKENS_PORT", Kind::Int, Int(3567), "Port to listen on; 0 takes any free one.")
        .at_least(0)
        .at_most(65_535),
    setting("base_path", "BASE_PATH", Kind::Text, Text(""), "Prefix of every path."),
    setting(
        "max_server_pool_size",
        "MAX_SERVER_POOL_SIZE",
        Kind::Int,
        Int(10),
        "Threads of the original's web server.",
    )
    .unit("threads")
    .without("requests are not bound to threads here"),
    setting("webserver_https_enabled", "", Kind::Bool, Bool(false), "Unused by the original as well.")
        .without_env()
        .without("put a reverse proxy in front for TLS"),
];

pub(super) const ACCESS: &[Setting] = &[
    setting(
        "api_keys",
        "API_KEYS",
        Kind::Text,
        Null,
        "Comma-separated keys for the API; without any, the API is open. At least 20 characters each, \
         letters, digits, `=` and `-`.",
    )
    .per_app()
    .hidden()
    .secret(),
    setting(
        "supertokens_saas_secret",
        "SUPERTOKENS_SAAS_SECRET",
        Kind::Text,
        Null,
        "Key of the provider of a hosted service: gives access to the API of every app, while ordinary keys can \
         neither see nor change protected settings.",
    )
    .secret(),
    setting(
        "supertokens_saas_load_only_cud",
        "SUPERTOKENS_SAAS_LOAD_ONLY_CUD",
        Kind::Text,
        Null,
        "Serve this connection URI domain only.",
    ),
    setting(
        "ip_allow_regex",
        "IP_ALLOW_REGEX",
        Kind::Text,
        Null,
        "Only peers whose whole address matches may call, on any route.",
    )
    .per_tenant()
    .protected(),
    setting(
        "ip_deny_regex",
        "IP_DENY_REGEX",
        Kind::Text,
        Null,
        "Peers whose whole address matches may not call; wins over `ip_allow_regex`. At the front door, people's \
         addresses.",
    )
    .per_tenant()
    .protected(),
    setting(
        "trusted_proxies",
        "SESSIOND_TRUSTED_PROXIES",
        Kind::Text,
        Null,
        "Comma-separated addresses and networks (`10.0.0.0/8,::1`) of machines that are trusted to report the address \
         they call for: proxies in front, and applications that pass on people's addresses. IP rules and the audit log \
         use the last address before theirs; without any, the connection's.",
    ),
    setting(
        "trusted_proxy_header",
        "SESSIOND_TRUSTED_PROXY_HEADER",
        Kind::Text,
        Text("x-forwarded-for"),
        "Header in which trusted proxies report that address. They must set it themselves, never pass it on from their \
         callers.",
    )
    .one_of(&["x-forwarded-for", "forwarded"]),
    setting(
        "allowed_hosts",
        "SESSIOND_ALLOWED_HOSTS",
        Kind::Text,
        Null,
        "Comma-separated host names (`core.example.com,*.example.net`, `*` for any) under which apps without an API \
         key are served, besides addresses and names that no outsider can own.",
    ),
    setting(
        "allowed_origins",
        "SESSIOND_ALLOWED_ORIGINS",
        Kind::Text,
        Null,
        "Comma-separated origins (`http://localhost:3000`, `*` for any) of web pages that may call apps without an API \
         key.",
    ),
    setting(
        "supertokens_max_cdi_version",
        "SUPERTOKENS_MAX_CDI_VERSION",
        Kind::Text,
        Null,
        "Highest CDI version to offer, also the one assumed when a request names none.",
    )
    .per_app()
    .hidden(),
    setting(
        "supertokens_min_cdi_version",
        "SUPERTOKENS_MIN_CDI_VERSION",
        Kind::Text,
        Null,
        "Lowest CDI version to accept.",
    )
    .per_app()
    .hidden(),
];

pub(super) const SESSIONS: &[Setting] = &[
    setting(
        "access_token_validity",
        "ACCESS_TOKEN_VALIDITY",
        Kind::Long,
        Int(3600),
        "How long an access token is valid.",
    )
    .unit("s")
    .per_app(),
    setting(
        "access_token_validity_jitter",
        "ACCESS_TOKEN_VALIDITY_JITTER",
        Kind::Double,
        Double(0.05),
        "Up to this fraction is taken off an access token's lifetime at random, so that refreshes spread out.",
    )
    .unit("fraction")
    .per_app(),
    setting(
        "refresh_token_validity",
        "REFRESH_TOKEN_VALIDITY",
        Kind::Double,
        Double(144_000.0),
        "How long a session lives without a refresh.",
    )
    .unit("minutes")
    .per_app(),
    setting(
        "refresh_token_rotation_grace_period",
        "REFRESH_TOKEN_ROTATION_GRACE_PERIOD",
        Kind::Int,
        Int(30),
        "How long after a rotation the replaced refresh token is still understood.",
    )
    .unit("s")
    .per_app(),
    setting(
        "recent_token_reuse_behaviour",
        "RECENT_TOKEN_REUSE_BEHAVIOUR",
        Kind::Text,
        Text("TOKEN_THEFT"),
        "How a recently replaced refresh token is reported when it comes back after the grace period (CDI 5.6).",
    )
    .one_of(&["TOKEN_THEFT", "UNAUTHORISED"]),
    setting(
        "access_token_dynamic_signing_key_update_interval",
        "ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL",
        Kind::Double,
        Double(168.0),
        "How often a new dynamic signing key is made.",
    )
    .alias("access_token_signing_key_update_interval")
    .unit("hours")
    .per_app(),
    setting(
        "access_token_signing_key_dynamic",
        "ACCESS_TOKEN_SIGNING_KEY_DYNAMIC",
        Kind::Bool,
        Bool(true),
        "CDI below 2.21 only: sign with dynamic keys. Newer callers choose in each request.",
    )
    .per_app()
    .hidden(),
    setting(
        "access_token_blacklisting",
        "ACCESS_TOKEN_BLACKLISTING",
        Kind::Bool,
        Bool(false),
        "CDI below 2.21 only: look the session up at each verification. Newer callers choose in each request.",
    )
    .per_app()
    .hidden(),
    setting(
        "access_token_signing_algorithm",
        "SESSIOND_ACCESS_TOKEN_SIGNING_ALGORITHM",
        Kind::Text,
        Text("auto"),
        "Kind of key that signs new tokens: Ed25519, or RSA for verifiers that support nothing else. `auto` is RSA for \
         an app that was moved in from a SuperTokens core, and Ed25519 for others. After a change, the new key is \
         published at once and signs a minute after the first request; tokens of the other kind stay valid for the \
         rest of their lifetime. SDKs that use CDI 2.21 or lower always get RSA.",
    )
    .one_of(&["auto", "EdDSA", "RS256"])
    .per_app(),
    setting(
        "refresh_token_format",
        "SESSIOND_REFRESH_TOKEN_FORMAT",
        Kind::Text,
        Text("auto"),
        "Form of new refresh tokens: sealed by sessiond, or `v2`, which a SuperTokens core can read, so that the app \
         can be moved back to one without signing anyone out. `auto` is `v2` for an app that was moved in from a core, \
         and `sealed` for others. Both forms are always accepted, so a change signs nobody out.",
    )
    .one_of(&["auto", "sealed", "v2"])
    .per_app(),
    setting(
        "session_timeline_retention_days",
        "SESSIOND_SESSION_TIMELINE_RETENTION_DAYS",
        Kind::Int,
        Int(31),
        "How long the timeline of an ended session is kept; 0 keeps none.",
    )
    .unit("days")
    .at_least(0)
    .at_most(3650)
    .per_app(),
];

pub(super) const LOGS: &[Setting] = &[
    setting(
        "log_level",
        "LOG_LEVEL",
        Kind::Text,
        Text("INFO"),
        "Least severe level to write: DEBUG, INFO, WARN, ERROR or NONE.",
    ),
    setting("log_format", "SESSIOND_LOG_FORMAT", Kind::Text, Text("text"), "Layout of log lines.")
        .one_of(&["text", "json"]),
    setting(
        "info_log_path",
        "INFO_LOG_PATH",
        Kind::Path,
        Null,
        "File for DEBUG and INFO lines; without one, standard output, or `logs/info.log` in the data folder after \
         `sessiond start`.",
    )
    .unit("path"),
    setting(
        "error_log_path",
        "ERROR_LOG_PATH",
        Kind::Path,
        Null,
        "File for WARN and ERROR lines; without one, standard error, or `logs/error.log` in the data folder after \
         `sessiond start`.",
    )
    .unit("path"),
    setting(
        "disable_telemetry",
        "DISABLE_TELEMETRY",
        Kind::Bool,
        Bool(false),
        "Switches the original's telemetry off.",
    )
    .per_app()
    .without("there is no telemetry"),
    setting(
        "otel_collector_connection_uri",
        "OTEL_COLLECTOR_CONNECTION_URI",
        Kind::Text,
        Null,
        "Where the original sends traces.",
    )
    .without("sessiond opens no connections of its own; scrape `/metrics`"),
    setting(
        "deadlock_logger_enable",
        "DEADLOCK_LOGGER_ENABLE",
        Kind::Bool,
        Bool(false),
        "Logs deadlocks of the original's threads.",
    )
    .without("there is no such logger"),
];
