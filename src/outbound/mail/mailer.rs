//! [`Mailer`]: writes letters and hands them on.

use super::compose;
use super::{CaughtMail, Delivery, Letter, MailTransport, SendError, Templates};
use crate::domain::ids::AppId;
use crate::domain::mail::{Addressee, Mail, SmtpServer};
use crate::domain::sms::SmsService;
use crate::domain::time::UnixMillis;
use crate::outbound::sms::SmsTransport;
use std::sync::Arc;
use uuid::Uuid;

/// Writes letters and hands them on.
pub struct Mailer {
    transport: Arc<dyn MailTransport>,
    sms: Arc<dyn SmsTransport>,
    templates: Arc<Templates>,
    /// The letters of apps without a server.
    pub caught: CaughtMail,
}

/// Who delivers an app's letters; without one, they are caught.
#[derive(Clone, Copy)]
pub struct Services<'a> {
    /// The server for mails.
    pub mail: Option<&'a SmtpServer>,
    /// The service for text messages.
    pub text: Option<&'a SmsService>,
}

impl Mailer {
    /// A mailer with these ways to reach servers for mails and services for text messages, and these templates.
    #[must_use]
    pub fn new(transport: Arc<dyn MailTransport>, sms: Arc<dyn SmsTransport>, templates: Templates) -> Self {
        Self { transport, sms, templates: Arc::new(templates), caught: CaughtMail::default() }
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
    pub async fn deliver(
        &self,
        services: Services<'_>,
        letter: Letter,
        now: UnixMillis,
    ) -> Result<Delivery, SendError> {
        let sent = match (&letter.mail.to, services) {
            (Addressee::Mailbox(_), Services { mail: Some(server), .. }) => self.transport.send(server, &letter).await,
            (Addressee::Phone(_), Services { text: Some(service), .. }) => self.sms.send(service, &letter, now).await,
            _ => {
                self.caught.put(letter);
                return Ok(Delivery::Caught);
            }
        };
        sent.map(Delivery::Sent)
    }
}
