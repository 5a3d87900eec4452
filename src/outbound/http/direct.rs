//! [`DirectHttp`]: requests over connections of our own.

use super::address::is_public;
use super::connection::{Answer, exchange};
use super::target::Target;
use super::{HttpClient, SendError};
use crate::domain::http_request::{HttpReply, HttpRequest, Reach};
use crate::domain::loopback;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Redirects that are followed, all to the same place.
const MAX_REDIRECTS: usize = 3;

/// Looks host names up.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of a host.
    ///
    /// # Errors
    /// When it has none.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Requests over connections of our own: each to an address that was checked, and to no other.
pub struct DirectHttp {
    resolver: Arc<dyn Resolve>,
    /// The trusted authorities, if not those of the system.
    authorities: Option<Vec<Vec<u8>>>,
    /// Read from the system when the first encrypted connection is opened.
    tls: OnceCell<Arc<ClientConfig>>,
}

impl DirectHttp {
    /// With this resolver and the authorities that the system trusts.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, authorities: None, tls: OnceCell::new() }
    }

    /// With this resolver and only these authorities, each as the DER of a certificate.
    #[must_use]
    pub fn trusting(resolver: Arc<dyn Resolve>, authorities: Vec<Vec<u8>>) -> Self {
        Self { resolver, authorities: Some(authorities), tls: OnceCell::new() }
    }

    async fn follow(&self, target: &Target, request: &HttpRequest, reach: &Reach) -> Result<HttpReply, SendError> {
        let mut target = target.clone();
        for _ in 0..=MAX_REDIRECTS {
            let Answer { reply, location } = self.ask(&target, request, reach).await?;
            let Some(location) = location else { return Ok(reply) };
            let next = target.redirected(&location).filter(|_| request.body.is_none());
            target = next.ok_or_else(|| SendError::Redirect(target.host.clone()))?;
        }
        Err(SendError::Redirect(target.host))
    }

    async fn ask(&self, target: &Target, request: &HttpRequest, reach: &Reach) -> Result<Answer, SendError> {
        let addresses = self.allowed_addresses(target, reach).await?;
        let tls = match target.is_https {
            true => Some(self.tls(target).await?),
            false => None,
        };
        exchange(target, &addresses, tls, request).await
    }

    /// Those addresses of the target that may be connected to.
    async fn allowed_addresses(&self, target: &Target, reach: &Reach) -> Result<Vec<SocketAddr>, SendError> {
        let found = match target.host.parse() {
            Ok(address) => vec![address],
            Err(_) => self.look_up(&target.host).await?,
        };
        let mut allowed = Vec::with_capacity(found.len());
        let mut refusal = None;
        for address in found {
            match check(target, address, reach) {
                Ok(()) => allowed.push(SocketAddr::new(address, target.port)),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            Some(error) if allowed.is_empty() => Err(error),
            _ => Ok(allowed),
        }
    }

    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, SendError> {
        let known = loopback::addresses(host);
        if !known.is_empty() {
            return Ok(known.to_vec());
        }
        let unresolved = |reason: String| SendError::Unresolved { host: host.to_owned(), reason };
        let found = self.resolver.addresses(host).await.map_err(|error| unresolved(error.to_string()))?;
        if found.is_empty() { Err(unresolved("it does not exist".to_owned())) } else { Ok(found) }
    }

    async fn tls(&self, target: &Target) -> Result<Arc<ClientConfig>, SendError> {
        let config = self.tls.get_or_try_init(|| async {
            let authorities = self.authorities.clone();
            let made =
                tokio::task::spawn_blocking(|| tls_config(authorities)).await.map_err(io::Error::other).flatten();
            made.map(Arc::new).map_err(|error| SendError::Connection {
                host: target.host.clone(),
                reason: format!("TLS cannot be used: {error}"),
            })
        });
        config.await.map(Arc::clone)
    }
}

#[async_trait::async_trait]
impl HttpClient for DirectHttp {
    async fn send(&self, request: &HttpRequest, reach: &Reach) -> Result<HttpReply, SendError> {
        let target = Target::parse(&request.url)?;
        match tokio::time::timeout(reach.timeout, self.follow(&target, request, reach)).await {
            Ok(answered) => answered,
            Err(_) => Err(SendError::Timeout(target.host)),
        }
    }
}

/// Whether the target may be called at this address.
fn check(target: &Target, address: IpAddr, reach: &Reach) -> Result<(), SendError> {
    let is_allowed = reach.allows_private(address);
    if !is_public(address) && !is_allowed {
        return Err(SendError::Private { host: target.host.clone(), address, setting: reach.setting });
    }
    let is_own = is_allowed && address.to_canonical().is_loopback();
    if target.is_https || is_own { Ok(()) } else { Err(SendError::Plain(target.host.clone())) }
}

/// TLS 1.2 and 1.3, with these authorities or those that the system trusts.
fn tls_config(authorities: Option<Vec<Vec<u8>>>) -> io::Result<ClientConfig> {
    let roots = match authorities {
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(authorities.into_iter().map(CertificateDer::from));
            roots
        }
        None => system_roots()?,
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth())
}

fn system_roots() -> io::Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let reason = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
    Err(io::Error::other(format!(
        "the system has no certificates of authorities ({reason}): install ca-certificates, or name a file in \
         SSL_CERT_FILE"
    )))
}
