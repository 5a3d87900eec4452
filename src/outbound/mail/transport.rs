//! [`MailTransport`]: the way to mail servers.

use super::Letter;
use crate::domain::delivery::Failure;
use crate::domain::mail::SmtpServer;
use async_trait::async_trait;

/// Hands letters to servers. The real one is `SmtpTransport`.
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
