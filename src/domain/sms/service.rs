//! The services that deliver text messages.

use crate::domain::secret::Secret;
use crate::domain::webhook::{Webhook, host};

/// A service that delivers text messages.
#[derive(Debug, Clone)]
pub enum SmsService {
    /// Twilio, or something that is called like it.
    Twilio(Twilio),
    /// A program of the operator's.
    Webhook(Webhook),
}

/// An account at Twilio.
#[derive(Debug, Clone)]
pub struct Twilio {
    /// Its id.
    pub account_sid: String,
    /// Its password.
    pub auth_token: Secret<String>,
    /// Who the messages are from.
    pub from: TwilioSender,
    /// Origin of the API, and the path before it.
    pub base_url: String,
}

/// Who messages are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwilioSender {
    /// A number, or a name that is registered as one.
    Number(String),
    /// A messaging service of the account, which chooses a number.
    MessagingService(String),
}

impl SmsService {
    /// The host, and the port if it is not the usual one, that requests go to.
    #[must_use]
    pub fn host(&self) -> String {
        host(&self.url()).to_owned()
    }

    /// The URL that requests go to.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Twilio(twilio) => {
                format!("{}/2010-04-01/Accounts/{}/Messages.json", twilio.base_url, twilio.account_sid)
            }
            Self::Webhook(webhook) => webhook.url.clone(),
        }
    }
}
