//! [`HttpSms`]: hands letters to services over HTTP.

use super::SmsTransport;
use super::request::request;
use crate::domain::delivery::Failure;
use crate::domain::http_request::{HttpReply, Reach};
use crate::domain::sms::SmsService;
use crate::domain::time::UnixMillis;
use crate::outbound::http::HttpClient;
use crate::outbound::mail::{Letter, SendError};
use crate::outbound::one_line::one_line;
use async_trait::async_trait;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How long one letter may take in all.
const PATIENCE: Duration = Duration::from_secs(30);

/// The client of services that deliver text messages.
pub struct HttpSms {
    http: Arc<dyn HttpClient>,
    reach: Reach,
}

impl HttpSms {
    /// A client that sends its requests in this way. They may go to private networks: only the operator says where to.
    #[must_use]
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        let everywhere = [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
        Self { http, reach: Reach { private_networks: Arc::new(everywhere), setting: "", timeout: PATIENCE } }
    }
}

#[async_trait]
impl SmsTransport for HttpSms {
    async fn send(&self, service: &SmsService, letter: &Letter, now: UnixMillis) -> Result<String, SendError> {
        let request = request(service, letter, now);
        let reply = self
            .http
            .send(&request, &self.reach)
            .await
            .map_err(|error| SendError { failure: Failure::Unavailable, what: one_line(&error.to_string()) })?;
        let said = match service {
            SmsService::Twilio(_) => words_of_twilio(&reply),
            // What a program of the operator's says may hold what it was given.
            SmsService::Webhook(_) => reply.status.to_string(),
        };
        match failure(&reply) {
            None => Ok(said),
            Some(failure) => Err(SendError { failure, what: said }),
        }
    }
}

/// What a status means for this message and for others.
const fn failure(reply: &HttpReply) -> Option<Failure> {
    match reply.status {
        200..=299 => None,
        // The account, its rights, the address of the service, the number of requests: that concerns every message.
        401..=404 | 407 | 408 | 410 | 421 | 429 => Some(Failure::Unavailable),
        400..=499 => Some(Failure::Refused),
        _ => Some(Failure::Unavailable),
    }
}

/// Twilio's number and sentence for an error, or its id of the message.
fn words_of_twilio(reply: &HttpReply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let members: &[&str] = if failure(reply).is_some() { &["code", "message"] } else { &["sid", "status"] };
    let mut words = reply.status.to_string();
    for value in members.iter().filter_map(|name| body.get(name)) {
        words.push(' ');
        words.push_str(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    one_line(&words)
}
