//! Certificates from an authority that speaks ACME (RFC 8555), proved by TLS-ALPN-01 (RFC 8737): on the port that is
//! there already.

mod folder;
mod transport;

pub use folder::AcmeFolder;

use crate::config::AcmeConfig;
use crate::crypto::certificate::{Certificate, CertificateError};
use crate::domain::http_request::Reach;
use crate::domain::time::UnixMillis;
use crate::outbound::http::HttpClient;
use crate::outbound::one_line::one_line;
use crate::state::certificates::Certificates;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, ExternalAccountKey, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use ipnet::IpNet;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use transport::Transport;

/// Time for a whole order.
const PATIENCE: Duration = Duration::from_secs(180);
/// Time for one request.
const REQUEST_PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no certificate: one line, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcmeError {
    /// The authority refused, could not be reached or broke the protocol.
    #[error("{0}")]
    Authority(String),
    /// It offers no proof that we can give.
    #[error("the authority does not offer TLS-ALPN-01 for this host")]
    NoChallenge,
    /// It did not finish in time.
    #[error("the authority did not issue a certificate within {} s", PATIENCE.as_secs())]
    Timeout,
    /// What it issued cannot be used.
    #[error("what the authority issued cannot be used: {0}")]
    Unusable(#[from] CertificateError),
    /// It issued something that was not asked for.
    #[error("what the authority issued is not valid for {0} now")]
    Other(String),
    /// Account or certificate could not be written or read.
    #[error("cannot use {0}")]
    Folder(String),
    /// A key could not be made.
    #[error("a key or a request for a certificate could not be made")]
    Key,
}

/// A certificate as it is kept: PEM.
pub struct IssuedPair {
    /// The certificate and those that lead to its authority.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

/// The client of an authority.
pub struct AcmeClient {
    http: Arc<dyn HttpClient>,
}

impl AcmeClient {
    /// Sends its requests that way.
    #[must_use]
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self { http }
    }

    /// Gets a certificate for a host, which the authority connects to meanwhile. `now` is when it has to be valid.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn order(
        &self,
        config: &AcmeConfig,
        folder: &AcmeFolder,
        certificates: &Certificates,
        host: &str,
        now: UnixMillis,
    ) -> Result<(IssuedPair, Certificate), AcmeError> {
        let ordering = Box::pin(self.order_patiently(config, folder, certificates, host));
        let ordered = tokio::time::timeout(PATIENCE, ordering).await;
        certificates.remove_proof(host);
        let pair = ordered.unwrap_or(Err(AcmeError::Timeout))?;
        let certificate = Certificate::from_pem(pair.chain.as_bytes(), pair.key.as_bytes())?;
        if !certificate.covers(host) || certificate.expires <= now {
            return Err(AcmeError::Other(host.to_owned()));
        }
        Ok((pair, certificate))
    }

    async fn order_patiently(
        &self,
        config: &AcmeConfig,
        folder: &AcmeFolder,
        certificates: &Certificates,
        host: &str,
    ) -> Result<IssuedPair, AcmeError> {
        let account = self.account(config, folder).await?;
        let names = [Identifier::Dns(host.to_owned())];
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        prove(&mut order, certificates, host).await?;
        if order.poll_ready(&RetryPolicy::default()).await? != OrderStatus::Ready {
            return Err(AcmeError::Authority("the authority was not convinced that the host is ours".to_owned()));
        }
        let key = KeyPair::generate().map_err(|_| AcmeError::Key)?;
        let request = request(host, &key).map_err(|_| AcmeError::Key)?;
        order.finalize_csr(&request).await?;
        let chain = order.poll_certificate(&RetryPolicy::default()).await?;
        Ok(IssuedPair { chain, key: key.serialize_pem() })
    }

    /// The account at the authority; a new one at the first order.
    async fn account(&self, config: &AcmeConfig, folder: &AcmeFolder) -> Result<Account, AcmeError> {
        let builder = || Account::builder_with_http(Box::new(Transport::new(Arc::clone(&self.http), reach())));
        if let Some(text) = folder.account(&config.directory)? {
            let credentials: AccountCredentials = serde_json::from_str(&text)
                .map_err(|error| AcmeError::Folder(format!("the stored account: {error}")))?;
            return Ok(builder().from_credentials(credentials).await?);
        }
        let contact = config.contact_email.as_ref().map(|email| format!("mailto:{email}"));
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let account = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let external = config.external_account.as_ref();
        let external = external.map(|it| ExternalAccountKey::new(it.key_id.clone(), it.key.expose()));
        let (account, credentials) = builder().create(&account, config.directory.clone(), external.as_ref()).await?;
        let text = serde_json::to_string(&credentials).map_err(|_| AcmeError::Key)?;
        folder.keep_account(&config.directory, &text)?;
        Ok(account)
    }
}

/// Shows the authority what it asks for.
async fn prove(order: &mut Order, certificates: &Certificates, host: &str) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization.challenge(ChallengeType::TlsAlpn01).ok_or(AcmeError::NoChallenge)?;
        certificates.put_proof(host, proof(host, challenge.key_authorization().digest().as_ref())?);
        challenge.set_ready().await?;
    }
    Ok(())
}

/// The certificate that RFC 8737 (3) asks for.
fn proof(host: &str, digest: &[u8]) -> Result<Certificate, AcmeError> {
    if digest.len() != 32 {
        return Err(AcmeError::Key);
    }
    let made = KeyPair::generate().and_then(|key| {
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        Ok((params.self_signed(&key)?, key))
    });
    let (certificate, key) = made.map_err(|_| AcmeError::Key)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(Certificate::proof(certificate.der().clone(), key)?)
}

/// A request for a certificate (RFC 2986) with the host as its only name.
fn request(host: &str, key: &KeyPair) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = CertificateParams::new(vec![host.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    Ok(params.serialize_request(key)?.der().to_vec())
}

/// The operator chose the authority, which may be one of their own network.
fn reach() -> Reach {
    let everywhere =
        [IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0), IpNet::new_assert(Ipv6Addr::UNSPECIFIED.into(), 0)];
    Reach { private_networks: everywhere.into(), timeout: REQUEST_PATIENCE, setting: "front_acme_directory" }
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        Self::Authority(one_line(&error.to_string()))
    }
}
