//! A handler that panics.

use super::wire::Wire;
use super::{echo, get, limits, soon};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_panic_becomes_a_500_and_the_server_lives() {
    let (server, echo) = echo(limits()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&get("/panic")).await;
    let reply = soon(wire.reply()).await;
    assert_eq!((reply.code, reply.body.as_str()), (500, "Internal error\n"));
    assert!(!reply.body.contains("as asked"));
    assert_eq!(echo.panicked.load(Ordering::SeqCst), 1);

    // the same connection, and a new one
    wire.send(&get("/a")).await;
    assert_eq!(soon(wire.reply()).await.code, 200);
    let mut other = Wire::open(&server).await;
    other.send(&get("/a")).await;
    assert_eq!(soon(other.reply()).await.code, 200);
}

#[tokio::test]
async fn a_failure_names_the_request_for_the_log() {
    let (server, _) = echo(limits()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(b"GET /panic HTTP/1.1\r\nhost: x\r\nx-request-id: abc-1.2_3\r\n\r\n").await;
    assert!(soon(wire.reply()).await.head.contains("x-request-id: abc-1.2_3\r\n"));
    wire.send(b"GET /panic HTTP/1.1\r\nhost: x\r\nx-request-id: <script>\r\n\r\n").await;
    let head = soon(wire.reply()).await.head;
    assert!(head.contains("x-request-id: 00000001-"), "{head}");
}
