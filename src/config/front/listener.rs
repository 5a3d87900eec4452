//! [`FrontListener`]: the port for browsers.

use crate::config::values::Values;
use crate::domain::loopback::is_loopback;
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
}

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
    /// A sentence, if one file is missing.
    pub(in crate::config) fn read(values: &Values) -> Result<Option<Self>, String> {
        match (values.given_path("front_tls_cert"), values.given_path("front_tls_key")) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(Self::Files(CertificatePaths { certificate: certificate.into(), key: key.into() })))
            }
            _ => Err("'front_tls_cert' and 'front_tls_key' must be set together".to_owned()),
        }
    }
}
