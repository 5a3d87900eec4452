//! Providers are believed to be who they are only with a certificate for their name.

use super::reach::{get, reach, resolver};
use crate::authority::Authority;
use sessiond::outbound::http::{DirectHttp, SendError};
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server that shows a certificate for `op.test` and answers anything; returns its port.
async fn serve(authority: &Authority) -> u16 {
    let acceptor = TlsAcceptor::from(authority.issue(&["op.test"]).server_config());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 4096];
            if stream.read(&mut head).await.is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_must_be_for_the_name_and_of_a_trusted_authority() {
    let authority = Authority::new();
    let (trusted, other) = (authority.der.clone(), Authority::new().der);
    let port = serve(&authority).await;
    let open = reach(&["127.0.0.0/8"]);
    let ask = async |host: &str, authorities: &[Vec<u8>]| {
        let http = DirectHttp::trusting(resolver(&[&["127.0.0.1"]]), authorities.to_vec());
        get(&http, &format!("https://{host}:{port}/"), &open).await
    };
    assert_eq!(ask("op.test", std::slice::from_ref(&trusted)).await, Ok(200));
    for (host, authorities) in [("other.test", vec![trusted]), ("op.test", vec![other]), ("op.test", Vec::new())] {
        let refused = ask(host, &authorities).await;
        let is_certificate =
            matches!(&refused, Err(SendError::Connection { reason, .. }) if reason.contains("certificate"));
        assert!(is_certificate, "{host}: {refused:?}");
    }
}
