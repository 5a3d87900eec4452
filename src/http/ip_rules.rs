//! IP rules: who may call at all.

use crate::config::AppConfig;
use regex::Regex;
use std::net::IpAddr;

/// Whether `ip_deny_regex` names an address: on both sides.
#[must_use]
pub fn is_denied(config: &AppConfig, caller: IpAddr) -> bool {
    config.ip_deny.as_ref().is_some_and(|rule| matches(rule, caller))
}

/// Whether `ip_allow_regex` lets an address in: to the core. It says nothing about the front door.
#[must_use]
pub fn is_allowed(config: &AppConfig, caller: IpAddr) -> bool {
    config.ip_allow.as_ref().is_none_or(|rule| matches(rule, caller))
}

/// Rules may have an address in its usual spelling, and for IPv6 also in the full one, as printed by the original's
/// runtime.
fn matches(rule: &Regex, address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => rule.is_match(&v4.to_string()),
        IpAddr::V6(v6) => {
            let full = v6.segments().map(|segment| format!("{segment:x}")).join(":");
            rule.is_match(&v6.to_string()) || rule.is_match(&full)
        }
    }
}
