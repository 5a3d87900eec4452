//! [`FrontListener`]: the port for browsers.

use crate::config::values::Values;
use crate::domain::loopback::is_loopback;
use crate::domain::mail::MailAddress;
use crate::domain::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::path::PathBuf;

/// The listener of the front door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontListener {
    /// Whether to open it.
    pub opening: FrontOpening,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// Maximum number of its connections served at once.
    pub connections: usize,
    /// Where its certificate comes from; `None` without TLS.
    pub tls: Option<TlsSource>,
}

/// Whether to open the front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontOpening {
    /// It stays closed.
    Closed,
    /// It was not asked for, but serves developers on this machine; a busy port keeps it closed.
    Development,
    /// It was asked for; a busy port is an error.
    Wanted,
}

/// Where the front door's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSource {
    /// Files, which are read again when they change.
    Files(CertificatePaths),
    /// An authority that speaks ACME.
    Acme(AcmeConfig),
}

/// An authority that speaks ACME (RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeConfig {
    /// The URL of its directory.
    pub directory: String,
    /// Where it may write to about certificates.
    pub contact_email: Option<String>,
    /// The account that the operator has there already, if it asks for one.
    pub external_account: Option<ExternalAccount>,
}

/// An account at an authority, to which the ACME account is bound (RFC 8555, 7.3.4).
#[derive(Debug, Clone)]
pub struct ExternalAccount {
    /// Its id.
    pub key_id: String,
    /// Its key for HMAC-SHA256.
    pub key: Secret<Vec<u8>>,
}

impl PartialEq for ExternalAccount {
    fn eq(&self, other: &Self) -> bool {
        self.key_id == other.key_id && self.key.matches(other.key.expose())
    }
}

impl Eq for ExternalAccount {}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatePaths {
    /// The certificate and those that lead to its authority, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

impl FrontListener {
    /// Reads the settings. `auto` opens the front door where it has an address, and for development: on this machine,
    /// while no API key keeps programs and pages of this machine out.
    ///
    /// # Errors
    /// The sentence of the first rule that fails.
    pub(in crate::config) fn read(values: &Values) -> Result<Self, String> {
        let host = |key| values.text(key).unwrap_or("localhost");
        let is_open = values.text("api_keys").is_none() && values.text("supertokens_saas_secret").is_none();
        let opening = match values.text("front").unwrap_or("auto").to_ascii_lowercase().as_str() {
            "off" => FrontOpening::Closed,
            "on" => FrontOpening::Wanted,
            _ if values.text("api_domain").is_some() => FrontOpening::Wanted,
            _ if is_open && is_loopback(host("host")) => FrontOpening::Development,
            _ => FrontOpening::Closed,
        };
        let port = u16::try_from(values.int("front_port")).unwrap_or_default();
        // Where any free port will do for the one, the other must not take a fixed one.
        let is_any = opening == FrontOpening::Development && values.int("port") == 0;
        Ok(Self {
            opening,
            host: host("front_host").to_owned(),
            port: if is_any { 0 } else { port },
            connections: usize::try_from(values.unsigned("front_max_connections")).unwrap_or(usize::MAX),
            tls: TlsSource::read(values)?,
        })
    }
}

impl TlsSource {
    /// Reads the settings; `None` without TLS.
    ///
    /// # Errors
    /// The sentence of the first rule that fails.
    pub(in crate::config) fn read(values: &Values) -> Result<Option<Self>, String> {
        let files = match (values.given_path("front_tls_cert"), values.given_path("front_tls_key")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                Some(Self::Files(CertificatePaths { certificate: certificate.into(), key: key.into() }))
            }
            _ => return Err("'front_tls_cert' and 'front_tls_key' must be set together".to_owned()),
        };
        if !values.is("front_acme", "on") {
            return Ok(files);
        }
        if files.is_some() {
            return Err("'front_acme' and 'front_tls_cert' cannot be used together".to_owned());
        }
        AcmeConfig::read(values).map(|config| Some(Self::Acme(config)))
    }

    /// The setting that asks for it.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Files(_) => "front_tls_cert",
            Self::Acme(_) => "front_acme",
        }
    }
}

impl AcmeConfig {
    fn read(values: &Values) -> Result<Self, String> {
        if values.flag("ephemeral") {
            let why = "it would order a new certificate at every start, and authorities limit that";
            return Err(format!("'front_acme' needs a data folder: without one ('ephemeral') {why}"));
        }
        let directory = values.text("front_acme_directory").unwrap_or_default();
        let uri = directory.parse::<http::Uri>().ok().filter(|uri| uri.host().is_some_and(|host| !host.is_empty()));
        let is_safe = |uri: &http::Uri| match uri.scheme_str() {
            Some("https") => true,
            Some("http") => uri.host().is_some_and(is_loopback),
            _ => false,
        };
        if !uri.as_ref().is_some_and(is_safe) {
            return Err("'front_acme_directory' must be a URL that begins with https://".to_owned());
        }
        let contact_email = values.text("front_acme_contact_email").map(MailAddress::parse).transpose();
        let contact_email = contact_email
            .map_err(|error| format!("'front_acme_contact_email' is not a valid address: {error}"))?
            .map(|address| address.as_str().to_owned());
        let external_account = ExternalAccount::read(values)?;
        Ok(Self { directory: directory.to_owned(), contact_email, external_account })
    }
}

impl ExternalAccount {
    fn read(values: &Values) -> Result<Option<Self>, String> {
        let (key_id, key) = match (values.text("front_acme_eab_key_id"), values.text("front_acme_eab_key")) {
            (None, None) => return Ok(None),
            (Some(key_id), Some(key)) => (key_id.to_owned(), key),
            _ => return Err("'front_acme_eab_key_id' and 'front_acme_eab_key' must be set together".to_owned()),
        };
        // Authorities write it as RFC 8555 does; some with padding.
        let key = URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).ok().filter(|key| !key.is_empty());
        let key = key.ok_or("'front_acme_eab_key' must be a key in base64url, as the authority shows it")?;
        Ok(Some(Self { key_id, key: Secret::new(key) }))
    }
}
