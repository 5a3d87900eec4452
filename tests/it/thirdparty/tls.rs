//! Providers are believed to be who they are only with a certificate for their name.

use super::reach::{get, reach, resolver};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sessiond::outbound::http::{DirectHttp, SendError};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority, and the DER of its certificate.
fn authority() -> (Issuer<'static, KeyPair>, Vec<u8>) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate").der().to_vec();
    (Issuer::new(params, key), certificate)
}

/// A server that shows a certificate for `op.test` and answers anything; returns its port.
async fn serve(authority: &Issuer<'static, KeyPair>) -> u16 {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["op.test".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let config = config.with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into())).expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
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
    let (issuer, trusted) = authority();
    let (_, other) = authority();
    let port = serve(&issuer).await;
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
