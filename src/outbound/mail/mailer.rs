//! [`Mailer`]: writes letters and hands them on.

use super::compose;
use super::{CaughtMail, Delivery, Letter, MailTransport, SendError, Templates};
use crate::domain::ids::AppId;
use crate::domain::mail::{Mail, SmtpServer};
use crate::domain::time::UnixMillis;
use std::sync::Arc;
use uuid::Uuid;

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
