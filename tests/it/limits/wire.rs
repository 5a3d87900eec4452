//! A client that writes bytes as it likes and reads whole replies.

use crate::app::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection.
pub(super) struct Wire {
    socket: TcpStream,
    read: Vec<u8>,
}

/// A reply as received over the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WireReply {
    pub(super) code: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Wire {
    pub(super) async fn open(server: &TestServer) -> Self {
        let socket = TcpStream::connect(server.address).await.expect("the server accepts");
        socket.set_nodelay(true).expect("a socket option");
        Self { socket, read: Vec::new() }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.expect("the server reads");
    }

    /// Sends as much as the server accepts; true if it accepted everything.
    pub(super) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).await.is_ok()
    }

    /// The next reply to a request that was not HEAD.
    pub(super) async fn reply(&mut self) -> WireReply {
        self.reply_with(true).await
    }

    /// The next reply to a HEAD request.
    pub(super) async fn head_reply(&mut self) -> WireReply {
        self.reply_with(false).await
    }

    async fn reply_with(&mut self, has_body: bool) -> WireReply {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.fill().await, "closed before a reply: {:?}", String::from_utf8_lossy(&self.read));
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).expect("a head in ASCII").to_ascii_lowercase();
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code");
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let length = if has_body { length.expect("a content length") } else { 0 };
        while self.read.len() < length {
            assert!(self.fill().await, "closed inside a reply");
        }
        let body = String::from_utf8(self.read.drain(..length).collect()).expect("a body in UTF-8");
        WireReply { code, head, body }
    }

    /// The next reply's status code; none if the server closes instead.
    pub(super) async fn reply_or_close(&mut self) -> Option<u16> {
        while !self.read.windows(2).any(|window| window == b"\r\n") {
            if !self.fill().await {
                return None;
            }
        }
        String::from_utf8_lossy(&self.read).split(' ').nth(1)?.parse().ok()
    }

    /// True if the server closes without another byte.
    pub(super) async fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !self.fill().await
    }

    /// Reads some more; false when the connection is over.
    async fn fill(&mut self) -> bool {
        let mut buffer = vec![0; 16 * 1024];
        match self.socket.read(&mut buffer).await {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.read.extend_from_slice(&buffer[..length]);
                true
            }
        }
    }
}
