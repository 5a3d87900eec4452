//! File handles: every connection takes one, and so do the store, the control socket and the logs.
//!
//! A server that gives its last handle to a connection cannot start a journal segment, and its index fails. So the
//! process raises its limit as far as the system allows, and connections get what is left after the server's own
//! handles.

/// Handles reserved for everything that is not a connection.
const RESERVED: u64 = 128;

/// How many connections may be served at once if `wanted` are configured.
pub(super) fn connections(wanted: usize) -> usize {
    let Some(allowed) = raise_limit() else { return wanted };
    let possible = share(wanted, allowed);
    if possible < wanted {
        tracing::warn!(
            allowed,
            "max_connections is {wanted}, but this process may only have {allowed} open files: {possible} connections \
             are served at once. Raise the limit (ulimit -n, LimitNOFILE) for more"
        );
    }
    possible
}

/// The number of connections that `allowed` handles leave room for.
fn share(wanted: usize, allowed: u64) -> usize {
    let left = allowed.saturating_sub(RESERVED).max(allowed / 4).max(1);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
}

/// Raises the soft limit on open files to the hard one; returns the resulting limit, or `None` when there is no limit.
fn raise_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // Some systems have a lower bound than the hard limit states: then the old limit stays.
        if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current }
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn connections_leave_handles_for_the_store() {
        assert_eq!(share(10_000, 1_000_000), 10_000);
        assert_eq!(share(10_000, 1024), 896);
        assert_eq!(share(10_000, 160), 40);
        assert_eq!(share(100, 1024), 100);
        assert_eq!(share(100, 0), 1);
    }
}
