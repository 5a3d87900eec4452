//! The load generator: keep-alive connections on one thread, each sending its next request once its reply is there.
//!
//! Hand-written because it shares the machine with what it measures: a request costs it one write, one read and a
//! search for `Content-Length`.

use super::server::Server;
use super::settings::Settings;
use super::wire;
use anyhow::ensure;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One connection's conversation.
pub(crate) trait Script: Send {
    /// The next request; `None` when there is nothing left to send.
    fn next(&mut self) -> Option<&[u8]>;

    /// Handles the reply's head, before [`answer`](Self::answer); for replies whose headers matter.
    fn head(&mut self, _head: &[u8]) {}

    /// Handles the reply.
    ///
    /// # Errors
    /// When the reply is not the one that this conversation expects.
    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String>;
}

/// One conversation per connection.
pub(crate) type Scripts = Vec<Box<dyn Script>>;

/// The results of one or more windows of load.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Replies that were as expected.
    pub(crate) answers: u64,
    /// Unexpected replies and broken connections.
    pub(crate) errors: u64,
    /// The first error.
    pub(crate) first_error: Option<String>,
    /// Bytes sent, heads included.
    pub(crate) sent: u64,
    /// Bytes of bodies received.
    pub(crate) received: u64,
    /// Microseconds per reply.
    pub(crate) latencies: Vec<u32>,
    /// Elapsed time.
    pub(crate) wall: Duration,
    /// CPU time of the server.
    pub(crate) cpu: Duration,
}

impl Tally {
    /// Adds another window.
    pub(crate) fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.errors += other.errors;
        self.sent += other.sent;
        self.received += other.received;
        self.wall += other.wall;
        self.cpu += other.cpu;
        self.latencies.extend(other.latencies);
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Replies per second.
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
        let answers = self.answers as f64;
        answers / self.wall.as_secs_f64().max(1e-9)
    }

    /// Server CPU in microseconds per reply.
    pub(crate) fn cpu_us(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
        let answers = self.answers.max(1) as f64;
        self.cpu.as_secs_f64() * 1e6 / answers
    }

    /// The latency in microseconds that this share of the replies stayed below.
    pub(crate) fn quantile(&mut self, share: f64) -> u32 {
        self.latencies.sort_unstable();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count is a count"
        )]
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

struct Connection {
    stream: TcpStream,
    script: Box<dyn Script>,
    buffer: Vec<u8>,
}

/// A set of connections to one server.
pub(crate) struct Fleet {
    connections: Vec<Connection>,
}

impl Fleet {
    /// Opens one connection per script.
    ///
    /// # Errors
    /// When a connection is refused.
    pub(crate) async fn connect(address: SocketAddr, scripts: Scripts) -> anyhow::Result<Self> {
        let mut connections = Vec::with_capacity(scripts.len());
        for script in scripts {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            connections.push(Connection { stream, script, buffer: Vec::with_capacity(8192) });
        }
        Ok(Self { connections })
    }

    /// Drives all connections for `time`, and then waits for the requests still in flight.
    ///
    /// # Errors
    /// When the server's CPU time cannot be read.
    pub(crate) async fn run(&mut self, server: &Server, time: Duration) -> anyhow::Result<Tally> {
        // The server has closed connections that were idle for long.
        ensure!(!self.connections.is_empty(), "all connections are gone: shorter windows keep them alive");
        let cpu_before = server.cpu()?;
        let began = Instant::now();
        let deadline = began + time;
        let mut tasks = JoinSet::new();
        for connection in self.connections.drain(..) {
            tasks.spawn(connection.drive(deadline));
        }
        let mut tally = Tally::default();
        while let Some(ended) = tasks.join_next().await {
            let (connection, part) = ended?;
            tally.add(part);
            self.connections.extend(connection);
        }
        tally.wall = began.elapsed();
        tally.cpu = server.cpu()?.saturating_sub(cpu_before);
        Ok(tally)
    }

    /// Sends one request on every connection at the same time and waits for all replies.
    ///
    /// # Errors
    /// When the server's CPU time cannot be read.
    pub(crate) async fn once(&mut self, server: &Server) -> anyhow::Result<Tally> {
        // A deadline in the past: each conversation starts its first request before it checks the deadline.
        self.run(server, Duration::ZERO).await
    }
}

/// Sends everything that these scripts have to send, one connection each, to prepare a measurement.
///
/// # Errors
/// When a reply is not as expected; `what` says what failed.
pub(crate) async fn send_all(server: &Server, what: &str, scripts: Scripts) -> anyhow::Result<Tally> {
    send_all_to(server.address, server, what, scripts).await
}

/// The same, to one of the server's addresses.
///
/// # Errors
/// When a reply is not as expected; `what` says what failed.
pub(crate) async fn send_all_to(
    address: SocketAddr,
    server: &Server,
    what: &str,
    scripts: Scripts,
) -> anyhow::Result<Tally> {
    // Scripts end on their own; no preparation takes this long.
    let tally = Fleet::connect(address, scripts).await?.run(server, Duration::from_secs(3600)).await?;
    ensure!(tally.errors == 0, "{what} failed: {}", tally.first_error.unwrap_or_default());
    Ok(tally)
}

/// Drives two addresses in alternating windows, so that whatever else the machine does hits both. The first window of
/// each warms caches and is not counted.
///
/// # Errors
/// When a connection is refused or the CPU time of a server cannot be read.
pub(crate) async fn alternate(
    settings: &Settings,
    sides: [(&Server, SocketAddr, Scripts); 2],
) -> anyhow::Result<[Tally; 2]> {
    let [(one, one_address, one_scripts), (other, other_address, other_scripts)] = sides;
    let mut fleet = Fleet::connect(one_address, one_scripts).await?;
    let mut other_fleet = Fleet::connect(other_address, other_scripts).await?;
    let (mut tally, mut other_tally) = (Tally::default(), Tally::default());
    for round in 0..=settings.rounds {
        let window = fleet.run(one, settings.window()).await?;
        let other_window = other_fleet.run(other, settings.window()).await?;
        if round > 0 {
            tally.add(window);
            other_tally.add(other_window);
        }
    }
    Ok([tally, other_tally])
}

impl Connection {
    /// Talks until the deadline; a broken connection is not returned.
    async fn drive(mut self, deadline: Instant) -> (Option<Self>, Tally) {
        let mut tally = Tally::default();
        loop {
            match self.exchange(&mut tally).await {
                Ok(true) if Instant::now() < deadline => {}
                Ok(_) => return (Some(self), tally),
                Err(reason) => {
                    tally.errors += 1;
                    tally.first_error = Some(reason);
                    return (None, tally);
                }
            }
        }
    }

    /// One request and its reply. `Ok(false)`: the script has no more requests.
    async fn exchange(&mut self, tally: &mut Tally) -> Result<bool, String> {
        let Some(request) = self.script.next() else { return Ok(false) };
        let began = Instant::now();
        tally.sent += request.len() as u64;
        self.stream.write_all(request).await.map_err(|e| format!("write: {e}"))?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await.map_err(|e| format!("read: {e}"))? == 0 {
                return Err("the server closed the connection".to_owned());
            }
            match wire::head(&self.buffer)? {
                Some(head) if self.buffer.len() >= head.len + head.body => break head,
                _ => {}
            }
        };
        let latency = began.elapsed().as_micros();
        let body = self.buffer.get(head.len..head.len + head.body).unwrap_or_default();
        tally.received += head.body as u64;
        self.script.head(self.buffer.get(..head.len).unwrap_or_default());
        match self.script.answer(head.status, body) {
            Ok(()) => {
                tally.answers += 1;
                tally.latencies.push(u32::try_from(latency).unwrap_or(u32::MAX));
            }
            Err(reason) => {
                tally.errors += 1;
                tally.first_error.get_or_insert(reason);
            }
        }
        Ok(true)
    }
}
