//! The host names of this machine, as far as no outsider can own them.

use crate::config::HostPattern;

/// The machine's own name, and in a Kubernetes pod the short names of services in its namespace.
pub(super) fn read() -> Vec<HostPattern> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix tells its name here"))]
    let mut hosts = in_cluster(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    #[cfg(unix)]
    hosts.extend(rustix::system::uname().nodename().to_str().ok().and_then(HostPattern::parse));
    hosts
}

/// `<service>.<namespace>` is a name in the cluster, although `<namespace>` may be a top-level domain outside it. The
/// kubelet writes `search <namespace>.svc.<cluster domain> svc.<cluster domain> …`.
fn in_cluster(resolv_conf: &str) -> Vec<HostPattern> {
    let lines = resolv_conf.lines().filter_map(|line| line.trim().strip_prefix("search"));
    let words = lines.flat_map(str::split_whitespace);
    let cluster = words.filter_map(|domain| {
        let (namespace, services) = domain.split_once('.')?;
        services.starts_with("svc.").then(|| [namespace.to_owned(), services.to_owned()])
    });
    cluster.flatten().map(HostPattern::Below).collect()
}

#[cfg(test)]
mod tests {
    use super::in_cluster;

    #[test]
    fn a_pod_knows_the_names_of_its_namespace() {
        let pod = "nameserver 10.96.0.10\nsearch auth.svc.cluster.example svc.cluster.example cluster.example c.internal\n\
                   options ndots:5\n";
        let hosts = in_cluster(pod);
        let matches = |host: &str| hosts.iter().any(|pattern| pattern.matches(host));
        for host in ["core.auth", "core.auth.svc.cluster.example", "core.other.svc.cluster.example"] {
            assert!(matches(host), "{host}");
        }
        for host in ["core.other", "auth", "core.cluster.example", "evil.example"] {
            assert!(!matches(host), "{host}");
        }
        assert!(in_cluster("search example.com lan\nnameserver 127.0.0.1\n# search a.svc.b\n").is_empty());
    }
}
