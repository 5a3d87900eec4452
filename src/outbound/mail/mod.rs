//! Mail: from a [`Mail`] to a [`Letter`] in words, and from there to an SMTP server or into the box of caught mails.

mod caught;
mod compose;
mod messages;
mod smtp;
mod templates;

pub use caught::{CaughtMail, CaughtMailView, MAX_CAUGHT};
pub use smtp::SmtpTransport;
pub use templates::{TEMPLATES, Templates};

use crate::domain::ids::AppId;
use crate::domain::mail::{Failure, HeaderText, Mail, SmtpServer};
use crate::domain::time::UnixMillis;
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

/// Hands letters to servers. The real one is [`SmtpTransport`].
#[async_trait]
pub trait MailTransport: Send + Sync {
    /// Hands a letter to a server; returns what the server said when it took over the responsibility for it.
    ///
    /// # Errors
    /// Why it did not. It may have taken the letter nevertheless, if the connection broke before its answer.
    async fn send(&self, server: &SmtpServer, letter: &Letter) -> Result<String, SendError>;
}

/// Why a letter was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct SendError {
    /// What that means for this letter and for others.
    pub failure: Failure,
    /// The server's words, or ours: one line without secrets.
    pub what: String,
}

/// A mail in words.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its id; the same if it is sent again.
    pub id: Uuid,
    /// The app that sends it.
    pub app: AppId,
    /// What it is made from.
    pub mail: Mail,
    /// Its date.
    pub date: UnixMillis,
    /// Its subject.
    pub subject: HeaderText,
    /// Its words as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The server took it, with these words.
    Sent(String),
    /// It was caught, because no server is configured.
    Caught,
}

/// Writes letters and hands them on.
pub struct Mailer {
    transport: Arc<dyn MailTransport>,
    templates: Arc<Templates>,
    /// The letters of apps without a server.
    pub caught: CaughtMail,
}

impl Mailer {
    /// A mailer with this way to reach servers, and these templates.
    #[must_use]
    pub fn new(transport: Arc<dyn MailTransport>, templates: Templates) -> Self {
        Self { transport, templates: Arc::new(templates), caught: CaughtMail::default() }
    }

    /// Puts a mail into words. Reads the operator's templates, on a thread that may block.
    pub async fn write(&self, id: Uuid, app: AppId, mail: Mail, date: UnixMillis) -> Option<Letter> {
        let templates = Arc::clone(&self.templates);
        let writing = tokio::task::spawn_blocking(move || compose::letter(&templates, id, app, mail, date));
        match writing.await {
            Ok(Ok(letter)) => Some(letter),
            Ok(Err(error)) => {
                // invariant: the built-in templates render every mail, which a test checks
                tracing::error!(%error, "a built-in template cannot be used");
                None
            }
            Err(_) => None,
        }
    }

    /// Hands a letter to the app's server, or catches it if there is none.
    ///
    /// # Errors
    /// Why the server did not take it.
    pub async fn deliver(&self, server: Option<&SmtpServer>, letter: Letter) -> Result<Delivery, SendError> {
        match server {
            Some(server) => self.transport.send(server, &letter).await.map(Delivery::Sent),
            None => {
                self.caught.put(letter);
                Ok(Delivery::Caught)
            }
        }
    }
}
