//! File handles: every connection takes one, and so do the store, the control socket and the logs.
//!
//! A server that gives its last handle to a connection cannot start a journal segment, and its index fails. So the
//! process raises its limit as far as the system allows, and connections get what is left after the server's own
//! handles.

/// Handles reserved for everything that is not a connection.
const RESERVED: u64 = 128;

/// How many connections of the core and of the front door may be served at once if these are configured. Neither can
/// take what the other needs.
pub(super) fn connections(wanted: [usize; 2], has_front: bool) -> [usize; 2] {
    let Some(allowed) = raise_limit() else { return wanted };
    let possible = share(wanted, has_front, allowed);
    let named = ["max_connections", "front_max_connections"].into_iter().zip(wanted).zip(possible);
    for ((name, wanted), possible) in named.take(if has_front { 2 } else { 1 }) {
        if possible < wanted {
            tracing::warn!(
                allowed,
                "{name} is {wanted}, but this process may only have {allowed} open files: {possible} connections are \
                 served at once. Raise the limit (ulimit -n, LimitNOFILE) for more"
            );
        }
    }
    possible
}

/// The numbers of connections that `allowed` handles leave room for: half of it each, and what the one does not want
/// goes to the other.
fn share([core, front]: [usize; 2], has_front: bool, allowed: u64) -> [usize; 2] {
    let left = allowed.saturating_sub(RESERVED).max(allowed / 4).max(1);
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    if !has_front {
        return [core.min(left), front];
    }
    let core = core.min((left / 2).max(left.saturating_sub(front)).max(1));
    [core, front.min(left.saturating_sub(core).max(1))]
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
        let alone = |wanted, allowed| share([wanted, 0], false, allowed)[0];
        assert_eq!(alone(10_000, 1_000_000), 10_000);
        assert_eq!(alone(10_000, 1024), 896);
        assert_eq!(alone(10_000, 160), 40);
        assert_eq!(alone(100, 1024), 100);
        assert_eq!(alone(100, 0), 1);
    }

    #[test]
    fn the_front_door_and_the_core_leave_each_other_half() {
        assert_eq!(share([10_000, 10_000], true, 1_000_000), [10_000, 10_000]);
        assert_eq!(share([10_000, 10_000], true, 1024), [448, 448]);
        assert_eq!(share([100, 10_000], true, 1024), [100, 796]);
        assert_eq!(share([10_000, 100], true, 1024), [796, 100]);
        assert_eq!(share([10, 10], true, 0), [1, 1]);
    }
}
