//! Settings that only sessiond has: storage, limits, protection of passwords.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Bool, Int, Null, Text};

pub(super) const STORAGE_AND_LIMITS: &[Setting] = &[
    setting("data_dir", "SESSIOND_DATA_DIR", Kind::Path, Text("data"), "Folder of the store.").unit("path"),
    setting(
        "ephemeral",
        "SESSIOND_EPHEMERAL",
        Kind::Bool,
        Bool(false),
        "Keep everything in memory only; it is lost at exit.",
    ),
    setting(
        "cache_size_mb",
        "SESSIOND_CACHE_SIZE_MB",
        Kind::Int,
        Int(32),
        "Memory for cached records; a quarter as much again is used for verified access tokens.",
    )
    .unit("MiB")
    .at_least(1),
    setting(
        "max_request_body_kb",
        "SESSIOND_MAX_REQUEST_BODY_KB",
        Kind::Int,
        Int(1024),
        "Largest request body; a larger one is answered 413.",
    )
    .unit("KiB")
    .at_least(1),
    setting(
        "request_header_timeout_ms",
        "SESSIOND_REQUEST_HEADER_TIMEOUT_MS",
        Kind::Long,
        Int(10_000),
        "A client that has not sent its request head within this time is disconnected.",
    )
    .unit("ms")
    .at_least(1),
    setting(
        "request_body_timeout_ms",
        "SESSIOND_REQUEST_BODY_TIMEOUT_MS",
        Kind::Long,
        Int(30_000),
        "A client that has not sent its request body within this time is disconnected.",
    )
    .unit("ms")
    .at_least(1),
    setting(
        "reply_timeout_ms",
        "SESSIOND_REPLY_TIMEOUT_MS",
        Kind::Long,
        Int(30_000),
        "A client that reads no byte of its reply for this long is disconnected.",
    )
    .unit("ms")
    .at_least(1),
    setting(
        "keep_alive_timeout_ms",
        "SESSIOND_KEEP_ALIVE_TIMEOUT_MS",
        Kind::Long,
        Int(75_000),
        "An idle connection is closed after this time.",
    )
    .unit("ms")
    .at_least(1),
    setting(
        "max_connections",
        "SESSIOND_MAX_CONNECTIONS",
        Kind::Int,
        Int(10_000),
        "Connections served at once; more wait to be accepted.",
    )
    .at_least(1),
    setting(
        "shutdown_timeout_ms",
        "SESSIOND_SHUTDOWN_TIMEOUT_MS",
        Kind::Long,
        Int(5_000),
        "How long a stop waits for requests in progress.",
    )
    .unit("ms")
    .at_least(0),
];

pub(super) const PASSWORDS: &[Setting] = &[
    setting(
        "password_hashing_queue_size",
        "SESSIOND_PASSWORD_HASHING_QUEUE_SIZE",
        Kind::Int,
        Int(64),
        "Sign-ins that may wait for a hash, per family of hashes; one more is answered 503.",
    )
    .at_least(0),
    setting(
        "audit_retention_days",
        "SESSIOND_AUDIT_RETENTION_DAYS",
        Kind::Int,
        Int(31),
        "How long events of the audit log are kept; 0 keeps none.",
    )
    .unit("days")
    .at_least(0)
    .at_most(3650)
    .per_app(),
    setting(
        "brute_force_protection",
        "SESSIOND_BRUTE_FORCE_PROTECTION",
        Kind::Bool,
        Bool(false),
        "Delay sign-ins to an account after 5 wrong passwords, and from an address after 50: 1 s, 2 s, 4 s … up to 15 \
         minutes.",
    )
    .per_app(),
    setting(
        "brute_force_address_header",
        "SESSIOND_BRUTE_FORCE_ADDRESS_HEADER",
        Kind::Text,
        Null,
        "Header in which the application passes on the address of the person it acts for: exactly one, and only from \
         `trusted_proxies`. The audit log records it; without it, only accounts are counted.",
    )
    .per_app(),
];
