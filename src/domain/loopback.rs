//! Host names that mean this machine, whatever a resolver says (RFC 6761, 6.3, and the usual hosts files).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// The addresses of a loopback name, in the order in which to try them; none for any other name.
#[must_use]
pub fn addresses(name: &str) -> &'static [IpAddr] {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_one_of = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
    let is_below = |domain: &str| {
        let start = name.len().checked_sub(domain.len());
        start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(domain))
    };
    match () {
        () if is_one_of(&["localhost", "localhost.localdomain"]) || is_below(".localhost") => &[V4, V6],
        () if is_one_of(&["localhost4", "localhost4.localdomain4"]) => &[V4],
        () if is_one_of(&["localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback"]) => &[V6],
        () => &[],
    }
}

/// True if `host`, a name or an address, with or without brackets, is this machine only.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    !addresses(host).is_empty() || bare.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{V4, V6, addresses, is_loopback};

    #[test]
    fn loopback_names_have_their_addresses_in_any_spelling() {
        for name in ["localhost", "LocalHost.", "core.localhost", "localhost.localdomain"] {
            assert_eq!(addresses(name), [V4, V6], "{name}");
        }
        assert_eq!(addresses("ip6-localhost"), [V6]);
        assert_eq!(addresses("localhost4"), [V4]);
        for name in ["", ".", "example.org", "notlocalhost", "localhost.example.org", "127.0.0.1"] {
            assert!(addresses(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn loopback_hosts_are_names_or_addresses() {
        for host in ["localhost.", "127.0.0.1", "127.8.0.1", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["0.0.0.0", "::", "10.0.0.1", "core"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
