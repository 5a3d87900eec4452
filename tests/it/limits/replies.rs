//! Replies on the wire: their headers, and peers that take them slowly or not at all.

use super::wire::Wire;
use super::{LARGE, echo, get, limits, soon};
use crate::app::{TestApp, TestServer};
use sessiond::config::Limits;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

#[tokio::test]
async fn no_browser_guesses_what_a_reply_is() {
    let app = TestApp::builder().setting("max_request_body_kb", "1").build().await;
    let server = TestServer::start(&app).await;
    let large = format!("POST /recipe/session HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n\r\n{}", " ".repeat(2000));
    for request in [
        "GET /hello HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /recipe/session/user?userId=u HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /users?includeRecipeIds=%3Cscript%3E HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /none HTTP/1.1\r\nhost: x\r\n\r\n",
        "BREW /hello HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: <b>\r\n\r\n",
        &large,
    ] {
        let mut wire = Wire::open(&server).await;
        wire.send(request.as_bytes()).await;
        let reply = soon(wire.reply()).await;
        assert!(reply.head.contains("\r\nx-content-type-options: nosniff\r\n"), "{request}: {}", reply.head);
        assert!(!reply.head.contains("html") && !reply.body.contains('<'), "{request}: {reply:?}");
    }
}

/// A connection with a small buffer that has requested the large reply.
async fn asking(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(32 << 10).expect("a socket option");
    let mut stream = socket.connect(server.address).await.expect("the server accepts");
    stream.write_all(&get("/large")).await.expect("the server reads");
    stream
}

#[tokio::test]
async fn a_reader_that_moves_on_is_not_cut_however_slow_it_is() {
    let keep_alive_timeout = Duration::from_millis(200);
    let (server, _) = echo(Limits { keep_alive_timeout, ..limits() }).await;
    let mut stream = asking(&server).await;
    let mut buffer = vec![0; 128 << 10];
    let (mut read, mut pause) = (0, Duration::from_millis(5));
    loop {
        let length = soon(stream.read(&mut buffer)).await.expect("the connection lives");
        if length == 0 {
            break;
        }
        read += length;
        tokio::time::sleep(pause).await;
        if read > LARGE / 2 {
            // Slowly enough, for long enough.
            pause = Duration::ZERO;
        }
    }
    assert!(read > LARGE, "cut after {read} bytes");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let reply_timeout = Duration::from_millis(200);
    let (server, _) = echo(Limits { reply_timeout, connections: 1, ..limits() }).await;
    let stalled = asking(&server).await;
    let mut second = Wire::open(&server).await;
    second.send(&get("/second")).await;
    assert_eq!(soon(second.reply()).await.body, "GET /second 0\n");
    drop(stalled);
}
