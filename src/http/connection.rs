//! How long a connection may keep us waiting: for a request's head, while its reply is being read, and between
//! requests.
//!
//! hyper has one timer for both and re-arms it for every request. Here a connection records in one atomic number what
//! it waits for and since when, and a slow timer checks that from time to time. The clock is read once per poll of the
//! connection, which for most requests means once.

use crate::config::Limits;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// Shortest pause between two checks.
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// What a connection waits for, and since when. Shared by its socket, its service and its timer.
#[derive(Clone)]
pub struct Patience {
    opened: Instant,
    state: Arc<State>,
}

struct State {
    /// Milliseconds from `opened` to the current poll of the connection.
    now: AtomicU64,
    /// Milliseconds from `opened` to the start of the phase, times four, plus the phase.
    since: AtomicU64,
}

/// The state a connection waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The next request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// Our own work: reading the body, which has its own limit, or the handler.
    Busy,
    /// The peer, which has to read more of its reply.
    Reply,
}

impl Patience {
    /// The state of a connection that was just accepted and whose first head is due.
    #[must_use]
    pub fn new() -> Self {
        let state = State { now: AtomicU64::new(0), since: AtomicU64::new(0) };
        let patience = Self { opened: Instant::now(), state: Arc::new(state) };
        patience.enter(Phase::Head);
        patience
    }

    /// Records that `phase` begins.
    pub fn enter(&self, phase: Phase) {
        let since = match phase {
            Phase::Busy => 0, // has no limit here, so its start does not matter
            Phase::Idle | Phase::Head | Phase::Reply => self.state.now.load(Ordering::Relaxed),
        };
        self.state.since.store(since << 2 | phase as u64, Ordering::Relaxed);
    }

    fn phase(&self) -> (Phase, Instant) {
        let noted = self.state.since.load(Ordering::Relaxed);
        let phase = match noted & 3 {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Reply,
        };
        (phase, self.opened + Duration::from_millis(noted >> 2))
    }

    /// Completes when the peer has kept the connection waiting for longer than `limits` allow.
    async fn lost(&self, limits: Limits) {
        let shortest = limits.header_timeout.min(limits.keep_alive_timeout).min(limits.reply_timeout);
        let check_interval = (shortest / 2).max(MIN_CHECK_INTERVAL);
        let mut timer = pin!(sleep_until(self.opened + check_interval));
        loop {
            timer.as_mut().await;
            let now = Instant::now();
            let due = match self.phase() {
                (Phase::Idle, since) => since + limits.keep_alive_timeout,
                (Phase::Head, since) => since + limits.header_timeout,
                (Phase::Busy, _) => now + check_interval,
                (Phase::Reply, since) => since + limits.reply_timeout,
            };
            if due <= now {
                return;
            }
            timer.as_mut().reset(due.min(now + check_interval));
        }
    }

    /// Runs a connection until it ends or its peer is too slow; returns true if it was cut.
    pub async fn guard(&self, connection: impl Future<Output = ()>, limits: Limits) -> bool {
        let mut connection = pin!(connection);
        let connection = poll_fn(|cx| {
            let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX >> 2);
            self.state.now.store(now, Ordering::Relaxed);
            connection.as_mut().poll(cx)
        });
        tokio::select! {
            biased;
            () = connection => false,
            () = self.lost(limits) => true,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

/// A socket that records when the first bytes of a request arrive, and how its reply is being sent.
pub struct Watched<S> {
    socket: S,
    patience: Patience,
}

impl<S> Watched<S> {
    /// Wraps `socket` and reports its progress to `patience`.
    pub const fn new(socket: S, patience: Patience) -> Self {
        Self { socket, patience }
    }

    /// Records how much the peer has read: a reply that makes progress is not stalled, however long it takes.
    fn note_written(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) && matches!(self.patience.phase().0, Phase::Idle | Phase::Reply) {
            self.patience.enter(Phase::Reply);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before && self.patience.phase().0 == Phase::Idle {
            self.patience.enter(Phase::Head);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.note_written(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        // hyper flushes the socket once it has written everything.
        if matches!(flushed, Poll::Ready(Ok(()))) && self.patience.phase().0 == Phase::Reply {
            self.patience.enter(Phase::Idle);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
