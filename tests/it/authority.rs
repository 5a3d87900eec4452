//! An authority of the tests' own, and the certificates that it issues.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use sessiond::crypto::certificate::Certificate;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

/// An authority that nobody trusts but those who are told to.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(crate) der: Vec<u8>,
}

/// A certificate and its private key, as DER.
pub(crate) struct Issued {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).expect("a certificate").der().to_vec();
        Self { issuer: Issuer::new(params, key), der }
    }

    /// A certificate for these names that is valid for long.
    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        self.issue_between(names, (2020, 1), (4096, 1))
    }

    /// A certificate for these names that is valid from the one to the other: years and months.
    pub(crate) fn issue_between(&self, names: &[&str], from: (i32, u8), until: (i32, u8)) -> Issued {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("parameters");
        params.not_before = date_time_ymd(from.0, from.1, 1);
        params.not_after = date_time_ymd(until.0, until.1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Issued { certificate: certificate.der().to_vec(), key: key.serialize_der() }
    }

    /// A certificate for the key of a request (RFC 2986) that must be for this host alone; for another name, if a test
    /// wants that.
    pub(crate) fn issue_to(
        &self,
        request: &[u8],
        host: &str,
        name: &str,
        from: (i32, u8),
        until: (i32, u8),
    ) -> Option<Vec<u8>> {
        let mut request = CertificateSigningRequestParams::from_der(&request.to_vec().into()).ok()?;
        let named = |name: &str| vec![SanType::DnsName(name.try_into().expect("a name"))];
        if request.params.subject_alt_names != named(host) {
            return None;
        }
        request.params.subject_alt_names = named(name);
        request.params.not_before = date_time_ymd(from.0, from.1, 1);
        request.params.not_after = date_time_ymd(until.0, until.1, 1);
        Some(request.signed_by(&self.issuer).expect("a certificate").der().to_vec())
    }

    /// A client that trusts this authority alone and speaks these protocols.
    pub(crate) fn client(&self, protocols: &[&str]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.der.clone())).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

impl Issued {
    pub(crate) fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    pub(crate) fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key)
    }

    /// As the front door uses it.
    pub(crate) fn to_certificate(&self) -> Certificate {
        Certificate::from_pem(self.certificate_pem().as_bytes(), self.key_pem().as_bytes()).expect("a certificate")
    }

    /// A server that shows it.
    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let chain = vec![CertificateDer::from(self.certificate.clone())];
        Arc::new(config.with_single_cert(chain, PrivateKeyDer::Pkcs8(self.key.clone().into())).expect("a pair"))
    }
}

/// Text of RFC 7468.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let lines: Vec<String> =
        STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
