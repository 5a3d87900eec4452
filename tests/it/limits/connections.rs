//! Connections: how many, how long, how they end.

use super::wire::Wire;
use super::{echo, get, impatient, limits, post, soon};
use sessiond::config::Limits;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let (server, _) = echo(limits()).await;
    let mut wire = Wire::open(&server).await;
    let requests: Vec<u8> = (0..50).flat_map(|number| post(&format!("/{number}"), b"body")).collect();
    wire.send(&requests).await;
    for number in 0..50 {
        assert_eq!(soon(wire.reply()).await.body, format!("POST /{number} 4\n"));
    }
}

#[tokio::test]
async fn a_connection_beyond_the_cap_is_served_once_another_ends() {
    let (server, _) = echo(Limits { connections: 1, ..limits() }).await;
    let mut first = Wire::open(&server).await;
    first.send(&get("/first")).await;
    assert_eq!(soon(first.reply()).await.code, 200);

    let mut second = Wire::open(&server).await;
    second.send(&get("/second")).await;
    let early = tokio::time::timeout(Duration::from_millis(100), second.reply()).await;
    assert!(early.is_err(), "served beyond the cap");
    drop(first);
    assert_eq!(soon(second.reply()).await.body, "GET /second 0\n");
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let (server, _) = echo(impatient()).await;
    let mut silent = Wire::open(&server).await;
    let mut slow = Wire::open(&server).await;
    slow.send(b"GET / HTTP/1.1\r\nho").await;
    assert!(soon(silent.is_closed()).await);
    assert!(soon(slow.is_closed()).await);
}

#[tokio::test]
async fn a_head_that_trickles_does_not_buy_time() {
    let (server, _) = echo(impatient()).await;
    let mut wire = Wire::open(&server).await;
    let trickle = async {
        wire.send(b"GET / HTTP/1.1\r\n").await;
        while wire.try_send(b"x-more: 1\r\n").await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(trickle).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_keep_alive_time_only() {
    let keep_alive = Duration::from_millis(600);
    let (server, _) = echo(Limits { keep_alive_timeout: keep_alive, ..impatient() }).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/a")).await;
    assert_eq!(soon(wire.reply()).await.code, 200);
    let since = std::time::Instant::now();
    assert!(soon(wire.is_closed()).await);
    assert!(since.elapsed() >= Duration::from_millis(550), "closed after {:?}", since.elapsed());
}

#[tokio::test]
async fn a_slow_handler_is_not_a_slow_peer() {
    let (server, echo) = echo(impatient()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/wait")).await;
    let early = tokio::time::timeout(Duration::from_millis(400), wire.reply()).await;
    assert!(early.is_err(), "cut or answered early");
    echo.release.notify_waiters();
    assert_eq!(soon(wire.reply()).await.code, 200);
}

#[tokio::test]
async fn a_stop_lets_running_requests_finish() {
    let (server, echo) = echo(limits()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/wait")).await;
    while echo.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let address = server.address;
    let stopping = tokio::spawn(server.stop());
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    echo.release.notify_waiters();
    assert_eq!(soon(wire.reply()).await.code, 200);
    soon(stopping).await.expect("a clean stop");
    assert!(soon(wire.is_closed()).await);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let (server, echo) = echo(Limits { shutdown_timeout: Duration::from_millis(50), ..limits() }).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/wait")).await;
    while echo.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    soon(server.stop()).await;
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let (server, _) = echo(limits()).await;
    let mut wire = Wire::open(&server).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000));
    wire.try_send(long.as_bytes()).await;
    let code = soon(wire.reply_or_close()).await;
    assert!(matches!(code, None | Some(414 | 431)), "{code:?}");
}
