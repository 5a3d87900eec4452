//! Service links: variables by which Kubernetes (and Docker's `--link`) pass the addresses of services to a container,
//! named after the services. A service named `supertokens` gives `SUPERTOKENS_PORT=tcp://10.0.0.1:3567`, which is not
//! our port.

use regex::Regex;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::LazyLock;

/// Names that only service links have.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^.+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$").ok()
});

/// The service links among a process's variables.
pub(super) struct Links<'a>(&'a BTreeMap<String, OsString>);

impl<'a> Links<'a> {
    pub(super) const fn of(env: &'a BTreeMap<String, OsString>) -> Self {
        Self(env)
    }

    /// The address in a variable that belongs to a service: its companion variables have the same address. Without
    /// them, a person set it.
    pub(super) fn address<'b>(&self, name: &str, given: &'b OsStr) -> Option<&'b str> {
        let link = Link::parse(given.to_str()?)?;
        let service = name.strip_suffix("_PORT")?;
        let is = |companion: String, wanted: &str| self.0.get(&companion).is_some_and(|value| value == wanted);
        let kubernetes =
            is(format!("{service}_SERVICE_HOST"), link.host) && is(format!("{service}_SERVICE_PORT"), link.port);
        let protocol = link.protocol.to_ascii_uppercase();
        let docker = is(format!("{name}_{}_{protocol}_ADDR", link.port), link.host);
        (kubernetes || docker).then_some(link.text)
    }

    /// Whether a variable is one of a service's.
    pub(super) fn names(&self, name: &str, given: &OsStr) -> bool {
        let is_link = |value: &OsStr| value.to_str().and_then(Link::parse).is_some();
        // Docker has two more kinds: NAME_NAME, NAME_ENV_ANYTHING.
        let service = name.strip_suffix("_NAME").or_else(|| name.split_once("_ENV_").map(|(service, _)| service));
        NAME.as_ref().is_some_and(|pattern| pattern.is_match(name))
            || (name.ends_with("_PORT") && is_link(given))
            || service.is_some_and(|service| self.0.get(&format!("{service}_PORT")).is_some_and(|value| is_link(value)))
    }
}

/// The parts of `tcp://10.0.0.1:3567`.
struct Link<'a> {
    text: &'a str,
    protocol: &'a str,
    /// The host without brackets.
    host: &'a str,
    port: &'a str,
}

impl<'a> Link<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (protocol, address) = text.split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_link = matches!(protocol, "tcp" | "udp" | "sctp") && port.parse::<u16>().is_ok() && !host.is_empty();
        is_link.then_some(Self { text, protocol, host, port })
    }
}
