//! TLS: the handshake has the limits of a request's head, and its certificate may change while connections are open.

use super::wire::Wire;
use super::{Echo, echo, get, impatient, limits, soon};
use crate::app::TestServer;
use crate::authority::Authority;
use sessiond::config::Limits;
use sessiond::state::certificates::Certificates;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// A server that speaks TLS, and those who trust it.
pub(super) struct Secure {
    pub(super) server: TestServer,
    pub(super) echo: Arc<Echo>,
    authority: Authority,
    certificates: Arc<Certificates>,
}

pub(super) async fn secure(limits: Limits) -> Secure {
    let (authority, certificates, echo) = (Authority::new(), Arc::new(Certificates::default()), Arc::default());
    certificates.replace(authority.issue(&["front.test"]).to_certificate());
    let server = TestServer::with_tls(Arc::clone(&echo), limits, &certificates).await;
    Secure { server, echo, authority, certificates }
}

impl Secure {
    /// A connection over which one of these protocols is spoken.
    pub(super) async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let socket = TcpStream::connect(self.server.address).await.expect("the server accepts");
        let name = ServerName::try_from("front.test").expect("a name");
        TlsConnector::from(self.authority.client(protocols)).connect(name, socket).await.expect("a handshake")
    }
}

/// Sends a request and reads until the connection ends, or nothing more comes for a moment.
async fn ask(stream: &mut TlsStream<TcpStream>, request: &[u8]) -> String {
    stream.write_all(request).await.expect("the server reads");
    let mut reply = vec![0; 4096];
    let length = soon(stream.read(&mut reply)).await.expect("a reply");
    reply.truncate(length);
    String::from_utf8(reply).expect("text")
}

#[tokio::test]
async fn the_protocol_is_agreed_on_in_the_handshake() {
    let secure = secure(limits()).await;
    for (offered, agreed) in
        [(&["h2", "http/1.1"][..], Some(&b"h2"[..])), (&["http/1.1"], Some(b"http/1.1")), (&[], None)]
    {
        let mut stream = secure.connect(offered).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed, "{offered:?}");
        if agreed != Some(b"h2") {
            let reply = ask(&mut stream, &get("/a")).await;
            assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("GET /a 0\n"), "{reply}");
        }
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let secure = secure(Limits { connections: 1, ..impatient() }).await;
    let mut silent = Wire::open(&secure.server).await;
    // The only connection is taken: this one is served once the silent one is cut.
    let since = Instant::now();
    let mut stream = soon(secure.connect(&[])).await;
    assert!(since.elapsed() >= Duration::from_millis(80), "served beyond the cap after {:?}", since.elapsed());
    assert!(soon(silent.is_closed()).await);
    assert!(ask(&mut stream, &get("/a")).await.starts_with("HTTP/1.1 200"));
    drop(stream);
    let mut slow = Wire::open(&secure.server).await;
    // The head of a ClientHello, and then nothing.
    slow.send(&[22, 3, 1, 2, 0, 1, 0, 1]).await;
    assert!(soon(slow.is_closed()).await);
}

#[tokio::test]
async fn plain_http_is_told_so() {
    let secure = secure(limits()).await;
    for request in [&get("/a")[..], b"POST /auth/signin HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"] {
        let mut wire = Wire::open(&secure.server).await;
        wire.send(request).await;
        let reply = soon(wire.reply()).await;
        assert_eq!((reply.code, reply.body.as_str()), (400, "This port speaks HTTPS only: begin with https://\n"));
        assert!(soon(wire.is_closed()).await);
    }
    // And the other way round: nothing that is not HTTP is answered on a plain port.
    let (server, _) = echo(limits()).await;
    let mut wire = Wire::open(&server).await;
    wire.send(&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 13, 10, 13, 10]).await;
    assert!(matches!(soon(wire.reply_or_close()).await, None | Some(400)));
}

#[tokio::test]
async fn a_new_certificate_is_shown_from_the_next_handshake_on() {
    let secure = secure(limits()).await;
    let shown = |stream: &TlsStream<TcpStream>| {
        stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|own| own.to_vec()).unwrap()
    };
    let mut before = secure.connect(&[]).await;
    let next = secure.authority.issue(&["front.test"]);
    secure.certificates.replace(next.to_certificate());
    let after = secure.connect(&[]).await;
    assert_eq!(shown(&after), next.certificate);
    assert_ne!(shown(&before), next.certificate);
    assert!(ask(&mut before, &get("/still-here")).await.contains("/still-here"));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_half_a_handshake() {
    let secure = secure(Limits { shutdown_timeout: Duration::from_secs(60), ..limits() }).await;
    let mut silent = Wire::open(&secure.server).await;
    let mut idle = secure.connect(&["h2"]).await;
    soon(secure.server.stop()).await;
    assert!(soon(silent.is_closed()).await);
    let mut rest = Vec::new();
    let _ = soon(idle.read_to_end(&mut rest)).await;
}
