//! HTTP/2: a connection costs no more than one of HTTP/1.1, however many requests share it.

use super::tls::{Secure, secure};
use super::{impatient, limits, soon};
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{Method, Request};
use sessiond::config::Limits;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// A connection of HTTP/2.
struct Streams {
    sender: SendRequest<Bytes>,
    /// Ends with the connection.
    connection: JoinHandle<Result<(), h2::Error>>,
    /// How many requests the server allows at once.
    allowed: usize,
}

async fn open(secure: &Secure) -> Streams {
    let stream = secure.connect(&["h2"]).await;
    let (sender, mut connection) = h2::client::handshake(stream).await.expect("a preface");
    // The server's settings come with its first frames.
    let mut pings = connection.ping_pong().expect("pings");
    let mut ping = Box::pin(pings.ping(h2::Ping::opaque()));
    soon(async {
        tokio::select! {
            pong = &mut ping => { pong.expect("a pong"); }
            ended = &mut connection => panic!("ended early: {ended:?}"),
        }
    })
    .await;
    drop(ping);
    let allowed = connection.max_concurrent_send_streams();
    Streams { sender, connection: tokio::spawn(connection), allowed }
}

fn request(method: Method, path: &str) -> Request<()> {
    Request::builder().method(method).uri(format!("https://front.test{path}")).body(()).expect("a request")
}

impl Streams {
    async fn get(&mut self, path: &str) -> ResponseFuture {
        let mut ready = soon(self.sender.clone().ready()).await.expect("an open connection");
        ready.send_request(request(Method::GET, path), true).expect("a request").0
    }
}

/// Status and body.
async fn read(reply: ResponseFuture) -> Result<(u16, String), h2::Error> {
    let reply = soon(reply).await?;
    let (head, mut body) = reply.into_parts();
    let mut text = Vec::new();
    while let Some(chunk) = soon(body.data()).await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        text.extend_from_slice(&chunk);
    }
    Ok((head.status.as_u16(), String::from_utf8(text).expect("text")))
}

#[tokio::test]
async fn requests_share_a_connection() {
    let secure = secure(limits()).await;
    let mut streams = open(&secure).await;
    assert_eq!(streams.allowed, 32);
    let waiting = streams.get("/wait").await;
    let other = streams.get("/other?a=b").await;
    assert_eq!(read(other).await.expect("a reply"), (200, "GET /other?a=b 0\n".to_owned()));
    secure.echo.release.notify_one();
    assert_eq!(read(waiting).await.expect("a reply").0, 200);
}

#[tokio::test]
async fn a_panic_ends_one_request_only() {
    let secure = secure(limits()).await;
    let mut streams = open(&secure).await;
    let waiting = streams.get("/wait").await;
    let panicking = streams.get("/panic").await;
    assert_eq!(read(panicking).await.expect("a reply").0, 500);
    assert_eq!(secure.echo.panicked.load(Ordering::SeqCst), 1);
    secure.echo.release.notify_one();
    assert_eq!(read(waiting).await.expect("a reply").0, 200);
}

#[tokio::test]
async fn bodies_and_heads_have_their_limits() {
    let secure = secure(Limits { body_bytes: 1000, ..impatient() }).await;
    let streams = open(&secure).await;
    let send = async |path: &str, size: usize, is_whole: bool| {
        let mut sender = streams.sender.clone().ready().await.expect("an open connection");
        let (reply, mut body) = sender.send_request(request(Method::POST, path), false).expect("a request");
        body.send_data(Bytes::from(vec![b'x'; size]), is_whole).expect("a body");
        let answered = read(reply).await;
        drop(body);
        answered.expect("a reply").0
    };
    assert_eq!(send("/a", 1000, true).await, 200);
    assert_eq!(send("/a", 1001, true).await, 413);
    assert_eq!(send("/roomy", 10_000, true).await, 200);
    // The rest never comes.
    assert_eq!(send("/a", 10, false).await, 408);

    let mut long = request(Method::GET, "/a");
    long.headers_mut().insert("x-long", "x".repeat(40_000).parse().expect("a value"));
    let mut sender = streams.sender.clone().ready().await.expect("an open connection");
    let refused = match sender.send_request(long, true) {
        Ok((reply, _)) => read(reply).await.map(|(code, _)| code),
        Err(error) => Err(error),
    };
    assert!(!matches!(refused, Ok(200)), "{refused:?}");
}

#[tokio::test]
async fn as_many_requests_run_at_once_as_there_may_be_connections() {
    let secure = secure(Limits { connections: 2, ..limits() }).await;
    let mut streams = open(&secure).await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(streams.get("/wait").await);
    }
    let running = || secure.echo.waiting.load(Ordering::SeqCst);
    soon(async {
        while running() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(running(), 2);
    let released = tokio::spawn({
        let echo = std::sync::Arc::clone(&secure.echo);
        async move {
            loop {
                echo.release.notify_one();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    for reply in waiting {
        assert_eq!(read(reply).await.expect("a reply").0, 200);
    }
    released.abort();
}

#[tokio::test]
async fn a_peer_that_abandons_its_requests_is_cut() {
    let secure = secure(limits()).await;
    let streams = open(&secure).await;
    let abandoned = async {
        for sent in 0..5000 {
            let Ok(mut sender) = streams.sender.clone().ready().await else { return sent };
            let Ok((_, mut body)) = sender.send_request(request(Method::GET, "/wait"), false) else { return sent };
            // The server may see both frames at once, and then has nothing to do.
            tokio::task::yield_now().await;
            body.send_reset(h2::Reason::CANCEL);
        }
        panic!("5000 requests were abandoned");
    };
    soon(abandoned).await;
    assert!(soon(streams.connection).await.expect("no panic").is_err());
}

#[tokio::test]
async fn a_slow_handler_is_not_a_slow_peer_and_an_idle_peer_is() {
    let keep_alive = Duration::from_millis(300);
    let secure = secure(Limits { keep_alive_timeout: keep_alive, reply_timeout: keep_alive, ..impatient() }).await;
    let mut streams = open(&secure).await;
    let waiting = streams.get("/wait").await;
    let other = streams.get("/other").await;
    assert_eq!(read(other).await.expect("a reply").0, 200);
    tokio::time::sleep(keep_alive * 3).await;
    secure.echo.release.notify_one();
    assert_eq!(read(waiting).await.expect("a reply").0, 200);
    let since = Instant::now();
    let _ = soon(streams.connection).await;
    assert!(since.elapsed() >= keep_alive * 3 / 4, "closed after {:?}", since.elapsed());

    // One that never asks for anything is not waited for longer than for a head.
    let since = Instant::now();
    let _ = soon(open(&secure).await.connection).await;
    assert!(since.elapsed() < keep_alive, "closed after {:?}", since.elapsed());
}

#[tokio::test]
async fn pings_do_not_keep_an_idle_connection_open() {
    let short = Duration::from_millis(200);
    let secure = secure(Limits { keep_alive_timeout: short, reply_timeout: short, ..impatient() }).await;
    let stream = secure.connect(&["h2"]).await;
    let (sender, mut connection) = h2::client::handshake(stream).await.expect("a preface");
    let mut pings = connection.ping_pong().expect("pings");
    let ended = tokio::spawn(connection);
    let reply = soon(sender.ready()).await.expect("open").send_request(request(Method::GET, "/a"), true);
    assert_eq!(read(reply.expect("a request").0).await.expect("a reply").0, 200);
    soon(async { while pings.ping(h2::Ping::opaque()).await.is_ok() {} }).await;
    let _ = soon(ended).await;
}

#[tokio::test]
async fn a_stop_lets_running_requests_finish() {
    let secure = secure(limits()).await;
    let mut streams = open(&secure).await;
    let waiting = streams.get("/wait").await;
    while secure.echo.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let (address, echo) = (secure.server.address, std::sync::Arc::clone(&secure.echo));
    let stopping = tokio::spawn(secure.server.stop());
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    echo.release.notify_waiters();
    assert_eq!(read(waiting).await.expect("a reply").0, 200);
    soon(stopping).await.expect("a clean stop");
}
