//! [`SmtpTransport`]: hands letters to SMTP servers.

use super::message::message;
use super::{Letter, MailTransport, SendError};
use crate::domain::delivery::Failure;
use crate::domain::mail::{Addressee, MailAddress, Security, SmtpServer};
use crate::outbound::one_line::one_line;
use async_trait::async_trait;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use lettre::{Address, AsyncTransport, Tokio1Executor};
use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long one letter may take in all. Servers that check the content of letters answer late.
const PATIENCE: Duration = Duration::from_secs(60);

/// The SMTP client. Each letter has a connection of its own.
pub struct SmtpTransport {
    patience: Duration,
    /// What it takes to check the certificate of a host: reading the system's trust store takes long.
    trust: Mutex<HashMap<String, TlsParameters>>,
    /// The trusted authorities, if not those of the system.
    authorities: Option<Vec<Vec<u8>>>,
}

impl Default for SmtpTransport {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

impl SmtpTransport {
    /// A client that gives a letter up after this time.
    #[must_use]
    pub fn with_patience(patience: Duration) -> Self {
        Self { patience, trust: Mutex::default(), authorities: None }
    }

    /// The same, trusting only these authorities, each as the DER of a certificate.
    #[must_use]
    pub fn trusting(self, authorities: Vec<Vec<u8>>) -> Self {
        Self { authorities: Some(authorities), ..self }
    }

    async fn hand_over(&self, server: &SmtpServer, letter: &Letter) -> Result<Response, SendError> {
        let envelope = envelope(server, letter)?;
        let mut client = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.as_str())
            .port(server.port)
            .tls(self.tls(server).await?)
            .timeout(Some(self.patience));
        if let Some(credentials) = &server.credentials {
            let (name, password) = (credentials.username.clone(), credentials.password.expose().clone());
            client = client
                .credentials(Credentials::new(name, password))
                .authentication(vec![Mechanism::Plain, Mechanism::Login]);
        }
        let message = message(&server.from, letter);
        let sent = client.build::<Tokio1Executor>().send_raw(&envelope, &message).await;
        sent.map_err(|error| {
            if error.is_tls() {
                // The trust store may have changed by the next attempt.
                self.trust().remove(&server.host);
            }
            failed(&error, letter.mail.to.as_str().is_ascii())
        })
    }

    async fn tls(&self, server: &SmtpServer) -> Result<Tls, SendError> {
        if server.security == Security::Plain {
            return Ok(Tls::None);
        }
        let parameters = self.parameters(&server.host).await?;
        Ok(match server.security {
            Security::Tls => Tls::Wrapper(parameters),
            Security::StartTlsIfOffered => Tls::Opportunistic(parameters),
            Security::StartTls | Security::Plain => Tls::Required(parameters),
        })
    }

    async fn parameters(&self, host: &str) -> Result<TlsParameters, SendError> {
        if let Some(known) = self.trust().get(host) {
            return Ok(known.clone());
        }
        let (name, authorities) = (host.to_owned(), self.authorities.clone());
        let made = tokio::task::spawn_blocking(|| tls_parameters(name, authorities)).await;
        let made = made.map_err(|error| unavailable(&error))?.map_err(|error| failed(&error, true))?;
        self.trust().insert(host.to_owned(), made.clone());
        Ok(made)
    }

    fn trust(&self) -> std::sync::MutexGuard<'_, HashMap<String, TlsParameters>> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MailTransport for SmtpTransport {
    async fn send(&self, server: &SmtpServer, letter: &Letter) -> Result<String, SendError> {
        let sending = Box::pin(self.hand_over(server, letter));
        let Ok(outcome) = tokio::time::timeout(self.patience, sending).await else {
            let what = format!("no answer within {} s", self.patience.as_secs());
            return Err(SendError { failure: Failure::Unavailable, what });
        };
        outcome.map(|response| one_line(&said(&response)))
    }
}

/// What it takes to check the certificate of a host, with these authorities or those that the system trusts.
fn tls_parameters(host: String, authorities: Option<Vec<Vec<u8>>>) -> Result<TlsParameters, Error> {
    let Some(authorities) = authorities else { return TlsParameters::new_rustls(host) };
    let mut parameters = TlsParameters::builder(host).certificate_store(CertificateStore::None);
    for authority in authorities {
        parameters = parameters.add_root_certificate(Certificate::from_der(authority)?);
    }
    parameters.build_rustls()
}

fn said(response: &Response) -> String {
    std::iter::once(response.code().to_string())
        .chain(response.message().map(str::to_owned))
        .collect::<Vec<_>>()
        .join(" ")
}

fn envelope(server: &SmtpServer, letter: &Letter) -> Result<Envelope, SendError> {
    let (from, to) = (address(&server.from.address)?, recipient(&letter.mail.to)?);
    Envelope::new(Some(from), vec![to]).map_err(|error| unsendable(&error))
}

fn recipient(to: &Addressee) -> Result<Address, SendError> {
    match to {
        Addressee::Mailbox(mailbox) => address(mailbox),
        Addressee::Phone(_) => {
            let what = "a mail server delivers to mailboxes only".to_owned();
            Err(SendError { failure: Failure::Refused, what })
        }
    }
}

fn address(address: &MailAddress) -> Result<Address, SendError> {
    let (local, domain) = address.parts();
    Address::new(local, domain).map_err(|error| unsendable(&error))
}

/// A letter that no server would take.
fn unsendable(error: &dyn std::error::Error) -> SendError {
    SendError { failure: Failure::Refused, what: one_line(&error.to_string()) }
}

fn unavailable(error: &dyn std::error::Error) -> SendError {
    SendError { failure: Failure::Unavailable, what: one_line(&error.to_string()) }
}

/// What an error means. Replies about the sign-in and about the service concern every letter; that the server knows no
/// international addresses concerns this one.
fn failed(error: &Error, is_ascii: bool) -> SendError {
    const OF_THE_SERVICE: [u16; 8] = [421, 432, 454, 530, 534, 535, 538, 523];
    let code = error.status().map(u16::from);
    let failure = match code {
        Some(code) if OF_THE_SERVICE.contains(&code) => Failure::Unavailable,
        Some(500..=599) => Failure::Refused,
        Some(_) => Failure::Deferred,
        None if error.is_client() && !is_ascii => Failure::Refused,
        None => Failure::Unavailable,
    };
    let mut what = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !what.contains(&cause_text) {
            what = format!("{what}: {cause_text}");
        }
        source = cause.source();
    }
    SendError { failure, what: one_line(&what) }
}
