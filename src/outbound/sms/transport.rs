//! [`SmsTransport`]: the way to services that deliver text messages.

use crate::domain::sms::SmsService;
use crate::domain::time::UnixMillis;
use crate::outbound::mail::{Letter, SendError};
use async_trait::async_trait;

/// Hands letters to services that deliver them as text messages. The real one is [`HttpSms`](super::HttpSms).
#[async_trait]
pub trait SmsTransport: Send + Sync {
    /// Hands a letter to a service; returns what the service said when it took over the responsibility for it.
    ///
    /// # Errors
    /// Why it did not. It may have taken the letter nevertheless, if the connection broke before its answer.
    async fn send(&self, service: &SmsService, letter: &Letter, now: UnixMillis) -> Result<String, SendError>;
}
