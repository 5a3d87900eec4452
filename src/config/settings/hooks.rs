//! Settings of hooks.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Int, Null};

pub(super) const HOOKS: &[Setting] = &[
    setting(
        "event_hooks",
        "SESSIOND_EVENT_HOOKS",
        Kind::Json,
        Null,
        "Programs that are told what has happened: a list in JSON (in YAML quoted, or as a block after `|`) of objects \
         with `url`, `secret` and `events`, such as `[\"user.*\", \"session.ended\"]`; see [hooks](hooks.md).",
    )
    .per_app()
    .hidden()
    .secret(),
    setting(
        "event_hook_retry_hours",
        "SESSIOND_EVENT_HOOK_RETRY_HOURS",
        Kind::Long,
        Int(24),
        "An event that a hook has not taken within this time is given up.",
    )
    .unit("h")
    .at_least(1)
    .at_most(720)
    .per_app()
    .hidden(),
    setting(
        "inline_hooks",
        "SESSIOND_INLINE_HOOKS",
        Kind::Json,
        Null,
        "Programs that the front door asks before something happens: a list in JSON of objects with `url`, `secret`, \
         `before` (`sign_up`, `sign_in`, `token`), `fail` (`open` or `closed`) and `timeoutMs`; see [hooks](hooks.md).",
    )
    .per_app()
    .hidden()
    .secret(),
    setting(
        "hook_private_networks",
        "SESSIOND_HOOK_PRIVATE_NETWORKS",
        Kind::Text,
        Null,
        "Addresses and networks, separated by commas, at which hooks may be called though they are not public; loopback \
         ones also without TLS.",
    )
    .per_app()
    .protected()
    .hidden(),
];
