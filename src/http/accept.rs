//! The source of connections, and what to do when one cannot be accepted.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Pause while the process or the machine has no room for another connection.
const PAUSE: Duration = Duration::from_millis(50);
/// Consecutive failures that are still taken for problems of single connections.
const MAX_FAILURES_IN_A_ROW: u32 = 100;

/// A source of connections.
pub trait Accept: Send {
    /// The next connection and its peer.
    ///
    /// # Errors
    /// The OS error of `accept`.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>>;
}

impl Accept for TcpListener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        Self::poll_accept(self, cx)
    }
}

/// Several listeners as one source. They take turns at being polled first, so that a busy one cannot starve the others.
pub struct Listeners {
    listeners: Vec<TcpListener>,
    first: usize,
}

impl Listeners {
    /// Accepts from all of these.
    #[must_use]
    pub const fn new(listeners: Vec<TcpListener>) -> Self {
        Self { listeners, first: 0 }
    }
}

impl Accept for Listeners {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let count = self.listeners.len();
        let first = self.first;
        let in_turn = self.listeners.iter().cycle().skip(first).take(count);
        for (distance, listener) in in_turn.enumerate() {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                self.first = (first + distance + 1) % count;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

/// The number of failed accepts since the last successful one.
#[derive(Debug, Default)]
pub struct Failures(u32);

impl Failures {
    /// Records that a connection was accepted.
    pub const fn clear(&mut self) {
        self.0 = 0;
    }

    /// Logs a failure. Returns how long to wait before the next accept: a lack of handles or memory lasts a while.
    /// Other errors concern one connection and say nothing about the next. Many in a row have another cause, and would
    /// make the loop spin without a pause.
    pub fn note(&mut self, error: &io::Error) -> Option<Duration> {
        self.0 = self.0.saturating_add(1);
        let lasts = lacks_resources(error) || self.0 > MAX_FAILURES_IN_A_ROW;
        if lasts {
            tracing::warn!(%error, "a connection could not be accepted");
        } else {
            tracing::debug!(%error, "a connection ended before it was accepted");
        }
        lasts.then_some(PAUSE)
    }
}

/// EMFILE, ENFILE, ENOBUFS and ENOMEM, and their Windows equivalents.
fn lacks_resources(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let lack = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        lack.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        const WSAEMFILE: i32 = 10_024;
        const WSAENOBUFS: i32 = 10_055;
        matches!(error.raw_os_error(), Some(WSAEMFILE | WSAENOBUFS)) || error.kind() == io::ErrorKind::OutOfMemory
    }
}
