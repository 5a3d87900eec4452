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
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// Shortest pause between two checks.
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(5);
/// How many requests an HTTP/2 peer may abandon in the life of a connection. Each costs us more than its peer (rapid
/// reset, CVE-2023-44487); browsers abandon few.
const MAX_ABANDONED: u32 = 200;

/// What a connection waits for, and since when. Shared by its socket, its service and its timer.
#[derive(Clone)]
pub struct Patience {
    opened: Instant,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Milliseconds from `opened` to the current poll of the connection.
    now: AtomicU64,
    /// Milliseconds from `opened` to the start of the phase, times four, plus the phase.
    since: AtomicU64,
    /// Requests that are being answered.
    answering: AtomicU32,
    /// Requests that the peer did not wait for.
    abandoned: AtomicU32,
    /// Whether several requests may be under way at a time.
    is_multiplexed: AtomicBool,
}

/// The state a connection waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The next request.
    Idle,
    /// The handshake of TLS, or the rest of a request's head.
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
        let patience = Self { opened: Instant::now(), state: Arc::default() };
        patience.enter(Phase::Head);
        patience
    }

    /// Records that several requests may be under way at a time from now on.
    pub fn multiplex(&self) {
        self.state.is_multiplexed.store(true, Ordering::Relaxed);
    }

    /// True after [`multiplex`](Self::multiplex).
    #[must_use]
    pub fn is_multiplexed(&self) -> bool {
        self.state.is_multiplexed.load(Ordering::Relaxed)
    }

    /// Records that a request is being answered, until [`Answering::finish`].
    #[must_use]
    pub fn answer(&self) -> Answering {
        self.state.answering.fetch_add(1, Ordering::Relaxed);
        Answering { patience: self.clone(), is_finished: false }
    }

    /// Records that `phase` begins.
    fn enter(&self, phase: Phase) {
        self.enter_at(phase, self.state.now.load(Ordering::Relaxed));
    }

    fn enter_at(&self, phase: Phase, since: u64) {
        self.state.since.store(since << 2 | phase as u64, Ordering::Relaxed);
    }

    /// Milliseconds since the connection was opened.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX >> 2)
    }

    fn phase(&self) -> (Phase, Instant) {
        let noted = self.state.since.load(Ordering::Relaxed);
        let since = self.opened + Duration::from_millis(noted >> 2);
        let phase = match noted & 3 {
            _ if self.state.answering.load(Ordering::Relaxed) > 0 => Phase::Busy,
            0 => Phase::Idle,
            1 => Phase::Head,
            _ => Phase::Reply,
        };
        (phase, since)
    }

    fn has_abandoned_too_many(&self) -> bool {
        self.is_multiplexed() && self.state.abandoned.load(Ordering::Relaxed) > MAX_ABANDONED
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

    /// Runs a connection until it ends, or its peer is too slow or abandons too much; returns true if it was cut.
    pub async fn guard(&self, connection: impl Future<Output = ()>, limits: Limits) -> bool {
        let mut connection = pin!(connection);
        let connection = poll_fn(|cx| {
            self.state.now.store(self.elapsed(), Ordering::Relaxed);
            match connection.as_mut().poll(cx) {
                Poll::Pending if self.has_abandoned_too_many() => Poll::Ready(true),
                polled => polled.map(|()| false),
            }
        });
        tokio::select! {
            biased;
            is_cut = connection => is_cut,
            () = self.lost(limits) => true,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that is being answered.
pub struct Answering {
    patience: Patience,
    is_finished: bool,
}

impl Answering {
    /// Records that the reply is ready to be sent.
    pub fn finish(mut self) {
        self.is_finished = true;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Patience { state, .. } = &self.patience;
        if !self.is_finished {
            state.abandoned.fetch_add(1, Ordering::Relaxed);
        }
        // Where requests are answered by tasks of their own, the connection may not have been polled for long.
        let since = match self.patience.is_multiplexed() {
            true => self.patience.elapsed(),
            false => state.now.load(Ordering::Relaxed),
        };
        self.patience.enter_at(Phase::Reply, since);
        state.answering.fetch_sub(1, Ordering::Relaxed);
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
        let has_more = buf.filled().len() > before;
        if has_more && self.patience.phase().0 == Phase::Idle && !self.patience.is_multiplexed() {
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
