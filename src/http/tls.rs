//! TLS in front of HTTP (RFC 8446, RFC 5246): the handshake, and an answer for clients that speak plain HTTP.

use crate::fault::Fault;
use crate::state::certificates::Certificates;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

/// HTTP/2 as protocols are named in a handshake (RFC 7301).
const HTTP2: &[u8] = b"h2";
/// HTTP/1.1.
const HTTP1: &[u8] = b"http/1.1";
/// No protocol: an authority looks whether the host is ours (RFC 8737).
const ACME: &[u8] = b"acme-tls/1";

/// The answer to a request in plain HTTP. It is not a redirect: a client that follows one sends its secrets in the clear
/// the next time, too.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\
    content-length: 49\r\n\r\nThis port speaks HTTPS only: begin with https://\n";
/// How much of such a request is read, so that its sender gets the answer, in bytes.
const MAX_PLAIN: u64 = 64 * 1024;

/// TLS 1.2 and 1.3 with the present certificate, and HTTP/2 for those who ask for it (ALPN).
pub struct Tls {
    acceptor: TlsAcceptor,
}

/// A connection after its handshake.
pub(super) struct Secured {
    /// The decrypted bytes.
    pub(super) stream: TlsStream<TcpStream>,
    /// Whether HTTP/2 was agreed on.
    pub(super) is_http2: bool,
}

impl Tls {
    /// With these certificates, whichever is the present one at the time of a handshake; with `has_acme`, authorities
    /// may look whether hosts are ours.
    ///
    /// # Errors
    /// When the library's defaults do not fit together.
    pub fn new(certificates: Arc<Certificates>, has_acme: bool) -> Result<Self, Fault> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Fault::new("setting TLS up", error))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(Arc::new(Present(certificates)));
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        config.alpn_protocols.extend(has_acme.then(|| ACME.to_vec()));
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Does the handshake; `None` if it was all that the client wanted.
    ///
    /// # Errors
    /// When it fails, or the client speaks plain HTTP and has been told so.
    pub(super) async fn accept(&self, mut stream: TcpStream) -> io::Result<Option<Secured>> {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first.iter().all(u8::is_ascii_alphabetic) {
            tell_https(&mut stream).await?;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "plain HTTP on a port for TLS"));
        }
        let mut stream = self.acceptor.accept(stream).await?;
        let protocol = stream.get_ref().1.alpn_protocol();
        if protocol == Some(ACME) {
            stream.shutdown().await?;
            return Ok(None);
        }
        let is_http2 = protocol == Some(HTTP2);
        Ok(Some(Secured { stream, is_http2 }))
    }
}

async fn tell_https(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(PLAIN).await?;
    stream.shutdown().await?;
    // Closing with unread bytes would reset the connection, and the answer could be lost.
    tokio::io::copy(&mut stream.take(MAX_PLAIN), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Chooses the present certificate.
#[derive(Debug)]
struct Present(Arc<Certificates>);

impl ResolvesServerCert for Present {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name().map(str::to_ascii_lowercase);
        let is_authority = hello.alpn().is_some_and(|mut offered| offered.all(|protocol| protocol == ACME));
        let found = match (is_authority, &host) {
            (true, Some(host)) => self.0.proof(host),
            (true, None) => None,
            (false, _) => self.0.current(host.as_deref()),
        };
        found.map(|certificate| certificate.to_present())
    }
}
