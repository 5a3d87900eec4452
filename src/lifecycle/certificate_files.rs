//! The files of the front door's certificate: read at start, and again when they change.

use crate::app::StartError;
use crate::config::{BaseConfig, CertificatePaths, FrontOpening, TlsSource};
use crate::context::Context;
use crate::crypto::certificate::Certificate;
use crate::domain::text;
use crate::domain::time::UnixMillis;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// How often the files are read, so that nobody has to tell us that they have changed.
const INTERVAL: Duration = Duration::from_secs(5);
/// The most hosts that a warning names.
const MAX_NAMED: usize = 5;

/// The files of the front door's certificate.
pub(super) struct CertificateFiles {
    paths: CertificatePaths,
    /// What is in use.
    used: Contents,
    reload: Arc<Notify>,
}

/// What the files hold.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl CertificateFiles {
    /// Reads the files that the settings name; `None` if they name none, or the front door stays closed.
    pub(super) fn of(config: &BaseConfig) -> Result<Option<(Self, Certificate)>, StartError> {
        let Some(TlsSource::Files(paths)) = &config.front.tls else { return Ok(None) };
        if config.front.opening == FrontOpening::Closed {
            return Ok(None);
        }
        let used = Contents::read(paths).map_err(StartError::Certificate)?;
        let certificate = used.parse(paths).map_err(StartError::Certificate)?;
        Ok(Some((Self { paths: paths.clone(), used, reload: Arc::default() }, certificate)))
    }

    /// What to notify when the files are to be read at once.
    pub(super) fn reload(&self) -> Arc<Notify> {
        Arc::clone(&self.reload)
    }

    /// Uses a certificate of these files from now on.
    pub(super) fn adopt(&self, context: &Context, certificate: Certificate) {
        for warning in warnings(&self.paths.key, &certificate, &hosts(context), context.now()) {
            tracing::warn!("{warning}");
        }
        context.certificates.replace(certificate);
    }

    /// Reads the files, and parses them if they have changed.
    async fn read(&self) -> Result<Option<(Contents, Certificate)>, String> {
        let paths = self.paths.clone();
        // A folder of the network may keep a reader waiting.
        let read = tokio::task::spawn_blocking(move || Contents::read(&paths)).await;
        let contents = read.map_err(|error| error.to_string()).flatten()?;
        if contents == self.used {
            return Ok(None);
        }
        let certificate = contents.parse(&self.paths)?;
        Ok(Some((contents, certificate)))
    }
}

/// Looks at the files from time to time, and whenever that is asked for, as long as the server runs. Files that cannot
/// be used leave the old certificate in use and are reported once. Only those that are still the same at the next look
/// are: a pair of files is replaced one after the other.
pub(super) async fn watch(files: Option<CertificateFiles>, context: &Context) -> Infallible {
    let Some(mut files) = files else { return std::future::pending().await };
    let (mut last, mut reported) = (None, None);
    loop {
        let is_asked = tokio::select! {
            () = tokio::time::sleep(INTERVAL) => false,
            () = files.reload.notified() => true,
        };
        let problem = match files.read().await {
            Ok(None) => None,
            Ok(Some((contents, certificate))) => {
                tracing::info!(expires = certificate.expires.http_date(), "the front door has a new certificate");
                files.adopt(context, certificate);
                files.used = contents;
                None
            }
            Err(problem) => Some(problem),
        };
        if let Some(problem) = &problem
            && (is_asked || last.as_ref() == Some(problem))
            && reported.as_ref() != Some(problem)
        {
            tracing::error!("the front door keeps its old certificate: {problem}");
            reported = Some(problem.clone());
        }
        if problem.is_none() {
            reported = None;
        }
        last = problem;
    }
}

impl Contents {
    fn read(paths: &CertificatePaths) -> Result<Self, String> {
        let read = |setting: &str, path: &Path| {
            std::fs::read(path).map_err(|error| format!("cannot read {setting} {}: {error}", shown(path)))
        };
        let certificate = read("front_tls_cert", &paths.certificate)?;
        Ok(Self { certificate, key: Zeroizing::new(read("front_tls_key", &paths.key)?) })
    }

    fn parse(&self, paths: &CertificatePaths) -> Result<Certificate, String> {
        Certificate::from_pem(&self.certificate, &self.key).map_err(|error| {
            let (certificate, key) = (shown(&paths.certificate), shown(&paths.key));
            format!("cannot use front_tls_cert {certificate} with front_tls_key {key}: {error}")
        })
    }
}

fn shown(path: &Path) -> String {
    text::escape(&path.to_string_lossy())
}

/// The hosts under which browsers reach the front doors of all apps.
fn hosts(context: &Context) -> BTreeSet<String> {
    let apps = context.directory.apps();
    let hosts = apps.iter().flat_map(|app| context.directory.front_hosts(app));
    hosts.collect()
}

/// What is odd about a certificate that can be used.
fn warnings(key: &Path, certificate: &Certificate, hosts: &BTreeSet<String>, now: UnixMillis) -> Vec<String> {
    let mut warnings = Vec::new();
    if is_readable_by_everybody(key) {
        warnings.push(format!("everybody on this machine can read front_tls_key {}: chmod 600 helps", shown(key)));
    }
    if certificate.expires < now {
        let expires = certificate.expires.http_date();
        warnings.push(format!("the front door's certificate expired on {expires}: browsers refuse it"));
    }
    if now < certificate.valid_from {
        let from = certificate.valid_from.http_date();
        warnings.push(format!("the front door's certificate is not valid before {from}: browsers refuse it"));
    }
    let missing: Vec<&str> = hosts.iter().map(String::as_str).filter(|host| !certificate.covers(host)).collect();
    if !missing.is_empty() {
        let more = missing.len().saturating_sub(MAX_NAMED);
        let named = missing.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        warnings.push(format!(
            "the front door's certificate is not for {named}{more}, as api_domain has it: browsers refuse it there"
        ));
    }
    warnings
}

fn is_readable_by_everybody(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}
