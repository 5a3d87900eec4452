//! Bodies: the limit, chunks, and slow senders.

use super::wire::Wire;
use super::{echo, impatient, limits, post, soon};
use crate::app::{TestApp, TestServer};
use serde_json::{Value, json};
use sessiond::config::Limits;

fn small() -> Limits {
    Limits { body_bytes: 1000, ..limits() }
}

#[tokio::test]
async fn a_body_at_the_limit_is_read() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&post("/a", &[b'x'; 1000])).await;
    assert_eq!(soon(wire.reply()).await.body, "POST /a 1000\n");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_in_one_line() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&post("/a", &[b'x'; 1001])).await;
    let reply = soon(wire.reply()).await;
    assert_eq!((reply.code, reply.body.as_str()), (413, "Request body is larger than 1000 bytes\n"));
}

#[tokio::test]
async fn a_connection_serves_on_after_a_body_above_the_limit() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&post("/a", &[b'x'; 2000])).await;
    assert_eq!(soon(wire.reply()).await.code, 413);
    wire.send(&post("/b", b"y")).await;
    assert_eq!(soon(wire.reply()).await.body, "POST /b 1\n");
}

#[tokio::test]
async fn a_huge_body_is_refused_without_being_read_to_its_end() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    let head = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n";
    wire.send(head.as_bytes()).await;
    wire.try_send(&[b'x'; 100_000]).await;
    assert_eq!(soon(wire.reply()).await.code, 413);
    assert!(soon(wire.is_closed()).await);
}

#[tokio::test]
async fn who_asks_before_sending_a_body_above_the_limit_is_told_at_once() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    let head = "POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n";
    wire.send(head.as_bytes()).await;
    assert_eq!(soon(wire.reply()).await.code, 413);
}

#[tokio::test]
async fn who_asks_before_sending_a_body_is_told_to_go_on() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(b"POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n").await;
    let interim = soon(wire.head_reply()).await;
    assert_eq!(interim.code, 100);
    wire.send(b"abc").await;
    assert_eq!(soon(wire.reply()).await.body, "POST /a 3\n");
}

#[tokio::test]
async fn chunked_bodies_are_joined() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for chunk in ["3\r\nabc\r\n", "5\r\ndefgh\r\n", "2\r\nij\r\n", "0\r\n\r\n"] {
        wire.send(chunk.as_bytes()).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(soon(wire.reply()).await.body, "POST /a 10\n");
}

#[tokio::test]
async fn a_chunked_body_is_limited_too() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for _ in 0..4 {
        wire.send(b"12c\r\n").await;
        wire.send(&[b'x'; 300]).await;
        wire.send(b"\r\n").await;
    }
    wire.send(b"0\r\n\r\n").await;
    assert_eq!(soon(wire.reply()).await.code, 413);
}

#[tokio::test]
async fn broken_chunks_are_a_bad_request() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n").await;
    let reply = soon(wire.reply()).await;
    assert_eq!((reply.code, reply.body.as_str()), (400, "Request body could not be read\n"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let (server, _) = echo(impatient()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await;
    let reply = soon(wire.reply()).await;
    assert_eq!((reply.code, reply.body.as_str()), (408, "Request body did not arrive within 100 ms\n"));
    assert!(soon(wire.is_closed()).await);
}

#[tokio::test]
async fn a_get_with_a_body_is_served() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(b"GET /a?b=c HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(soon(wire.reply()).await.body, "GET /a?b=c 2\n");
}

#[tokio::test]
async fn a_route_may_take_larger_bodies_than_others() {
    let (server, _) = echo(small()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&post("/roomy", &[b'x'; 10_000])).await;
    assert_eq!(soon(wire.reply()).await.body, "POST /roomy 10000\n");
    wire.send(&post("/roomy", &[b'x'; 10_001])).await;
    let reply = soon(wire.reply()).await;
    assert_eq!((reply.code, reply.body.as_str()), (413, "Request body is larger than 10000 bytes\n"));

    let head = "POST /roomy HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    wire.send(head.as_bytes()).await;
    for _ in 0..4 {
        wire.send(format!("7d0\r\n{}\r\n", "x".repeat(2_000)).as_bytes()).await;
    }
    wire.send(b"0\r\n\r\n").await;
    assert_eq!(soon(wire.reply()).await.body, "POST /roomy 8000\n");
}

/// A batch of as many users as one call may contain.
fn batch(filler: usize) -> Vec<u8> {
    let users: Vec<Value> = (0..10_000)
        .map(|number| {
            let email = format!("user-{number:05}@example.org");
            let method = json!({"recipeId": "thirdparty", "thirdPartyId": "google", "thirdPartyUserId": email, "email": email});
            json!({"externalUserId": format!("external-{number:05}"), "userMetadata": {"a": "x".repeat(filler)}, "loginMethods": [method]})
        })
        .collect();
    json!({ "users": users }).to_string().into_bytes()
}

#[tokio::test]
async fn the_largest_batch_of_users_fits() {
    const KEY: &str = "abcdefghijklmnopqrstuvwxyz";
    let folder = tempfile::tempdir().expect("a folder");
    let app = TestApp::builder().setting("api_keys", KEY).on_disk(folder.path()).build().await;
    let server = TestServer::start(&app).await;
    let send = async |path: &str, key: &str, body: &[u8]| {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\napi-key: {key}\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut wire = Wire::open(&server).await;
        wire.send(head.as_bytes()).await;
        wire.try_send(body).await;
        soon(wire.reply()).await
    };
    let users = batch(20);
    assert!(users.len() > 2 << 20, "{} bytes", users.len());
    // Neither unauthorised callers nor other routes get that much memory.
    assert_eq!(send("/bulk-import/users", "wrong", &users).await.code, 413);
    assert_eq!(send("/bulk-import/import", KEY, &users).await.code, 413);
    let reply = send("/public/bulk-import/users", KEY, &users).await;
    assert_eq!((reply.code, &reply.body[..14]), (200, "{\"status\":\"OK\""));
    let reply = send("/bulk-import/users", KEY, &batch(2_000)).await;
    assert_eq!((reply.code, reply.body.as_str()), (413, "Request body is larger than 16777216 bytes\n"));
}
