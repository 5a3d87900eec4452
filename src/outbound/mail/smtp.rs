//! [`SmtpTransport`]: hands letters to SMTP servers.

use super::{Letter, MailTransport, SendError};
use crate::domain::mail::{Addressee, Failure, MailAddress, Security, SmtpServer};
use async_trait::async_trait;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use lettre::{Address, AsyncTransport, Message, Tokio1Executor};
use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long one letter may take in all. Servers that check the content of letters answer late.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest text of a server that is kept, in characters.
const MAX_WORDS: usize = 300;

/// The SMTP client. Each letter has a connection of its own.
pub struct SmtpTransport {
    patience: Duration,
    /// What it takes to check the certificate of a host: reading the system's trust store takes long.
    trust: Mutex<HashMap<String, TlsParameters>>,
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
        Self { patience, trust: Mutex::default() }
    }

    async fn hand_over(&self, server: &SmtpServer, letter: &Letter) -> Result<Response, SendError> {
        let message = message(server, letter)?;
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
        let sent = client.build::<Tokio1Executor>().send(message).await;
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
        let name = host.to_owned();
        let made = tokio::task::spawn_blocking(move || TlsParameters::new_rustls(name)).await;
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

fn said(response: &Response) -> String {
    std::iter::once(response.code().to_string())
        .chain(response.message().map(str::to_owned))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The letter in the format of RFC 5322.
fn message(server: &SmtpServer, letter: &Letter) -> Result<Message, SendError> {
    let name = Some(server.from.name.as_str()).filter(|name| !name.is_empty()).map(str::to_owned);
    let (_, domain) = server.from.address.parts();
    let part = |content_type, text: &str| SinglePart::builder().header(content_type).body(text.to_owned());
    let body = MultiPart::alternative()
        // The same letter has the same bytes if it is sent again.
        .boundary(format!("part-{}", letter.id.simple()))
        .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
        .singlepart(part(ContentType::TEXT_HTML, &letter.html));
    Message::builder()
        .from(Mailbox::new(name, address(&server.from.address)?))
        .to(Mailbox::new(None, recipient(&letter.mail.to)?))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(letter.date.0))
        .subject(letter.subject.as_str())
        // Some recipients recognise a letter that arrives twice by its id.
        .message_id(Some(format!("<{}@{domain}>", letter.id)))
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("Content-Language", letter.mail.language.name()))
        .multipart(body)
        .map_err(|error| unsendable(&error))
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
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

/// A server's words as one line of bounded length.
fn one_line(words: &str) -> String {
    let is_gap = |char: char| char.is_whitespace() || char.is_control();
    let line = words.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_WORDS).collect()
}
