//! [`Certificate`]: a certificate of the web (X.509, RFC 5280) with its chain and private key.

use crate::domain::time::UnixMillis;
use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use std::fmt;
use std::sync::Arc;
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;

/// A certificate with its chain and private key.
pub struct Certificate {
    certified: Arc<CertifiedKey>,
    /// When it becomes valid.
    pub valid_from: UnixMillis,
    /// When it expires.
    pub expires: UnixMillis,
}

/// Why a certificate cannot be used. Never holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is no certificate.
    #[error("there is no certificate: it must be PEM, beginning with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// The certificates are not PEM.
    #[error("the certificate is not PEM: {0}")]
    Pem(String),
    /// There is no private key.
    #[error(
        "there is no private key: it must be PEM without a passphrase, beginning with -----BEGIN PRIVATE KEY----- (or \
         EC PRIVATE KEY, RSA PRIVATE KEY)"
    )]
    NoKey,
    /// The private key is of a kind that cannot be used.
    #[error(
        "the private key cannot be used: it must be ECDSA (P-256, P-384, P-521), Ed25519 or RSA of 2048 bits or more"
    )]
    Key,
    /// The key belongs to another certificate.
    #[error("the private key is not that of the certificate; the server's own certificate must come first")]
    Mismatch,
    /// The certificate cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Malformed(String),
}

impl Certificate {
    /// Reads a certificate, followed by those that lead to its authority, and its private key, both PEM (RFC 7468).
    ///
    /// # Errors
    /// When they cannot be read, or do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|error| CertificateError::Pem(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?;
        let certificate = Self::unchecked(chain, key)?;
        match certificate.certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certificate),
            Err(rustls::Error::InconsistentKeys(_)) => Err(CertificateError::Mismatch),
            Err(error) => Err(CertificateError::Malformed(error.to_string())),
        }
    }

    /// One that shows an authority that a host is ours (RFC 8737, 3), from DER. Only authorities know its critical
    /// extension, so nobody else could read it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn proof(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<Self, CertificateError> {
        Self::unchecked(vec![certificate], key)
    }

    /// Without a check that the key belongs to the certificate.
    fn unchecked(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, CertificateError> {
        let own = chain.first().ok_or(CertificateError::NoCertificate)?;
        let (valid_from, expires) = validity(own).map_err(|error| CertificateError::Malformed(error.to_string()))?;
        let provider = aws_lc_rs::default_provider();
        let key = provider.key_provider.load_private_key(key).map_err(|_| CertificateError::Key)?;
        Ok(Self { certified: Arc::new(CertifiedKey::new(chain, key)), valid_from, expires })
    }

    /// True if browsers accept it for this host, as far as names are concerned (RFC 9525).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(name) = ServerName::try_from(host) else { return false };
        let own = self.certified.end_entity_cert().and_then(ParsedCertificate::try_from);
        own.is_ok_and(|own| verify_server_name(&own, &name).is_ok())
    }

    /// In the form that handshakes need.
    #[must_use]
    pub fn to_present(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// From when until when a certificate is valid (RFC 5280, 4.1).
fn validity(certificate: &[u8]) -> der::Result<(UnixMillis, UnixMillis)> {
    let mut content = SliceReader::new(AnyRef::from_der(certificate)?.value())?;
    let mut signed = SliceReader::new(AnyRef::decode(&mut content)?.value())?;
    let mut field = AnyRef::decode(&mut signed)?;
    if field.tag().is_context_specific() {
        // The version, which only certificates of version 1 lack.
        field = AnyRef::decode(&mut signed)?;
    }
    // That was the serial number; signature algorithm and issuer follow.
    field.tag().assert_eq(Tag::Integer)?;
    AnyRef::decode(&mut signed)?;
    AnyRef::decode(&mut signed)?;
    let mut times = SliceReader::new(AnyRef::decode(&mut signed)?.value())?;
    Ok((time(&mut times)?, time(&mut times)?))
}

fn time<'r>(reader: &mut impl Reader<'r>) -> der::Result<UnixMillis> {
    let since_epoch = match Tag::peek(reader)? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    Ok(UnixMillis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)))
}
