//! Requests to hooks.

use crate::domain::delivery::Failure;
use crate::domain::hook::EventHook;
use crate::domain::http_request::Reach;
use crate::domain::time::UnixMillis;
use crate::outbound::http::HttpClient;
use crate::outbound::one_line::one_line;
use crate::outbound::webhook::signed_request;
use std::sync::Arc;
use uuid::Uuid;

/// Calls hooks.
pub struct HookClient {
    http: Arc<dyn HttpClient>,
}

/// Why a hook has not taken an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TellError {
    /// Whether others would fare better.
    pub failure: Failure,
    /// What went wrong. Nothing of what the hook said: that may hold what it was told.
    pub what: String,
}

/// The id of an event, as hooks get it.
#[must_use]
pub fn message_id(id: &Uuid) -> String {
    format!("evt_{}", id.simple())
}

impl HookClient {
    /// A client that sends its requests in this way.
    #[must_use]
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self { http }
    }

    /// Tells a hook of an event; returns the status with which it took it.
    ///
    /// # Errors
    /// Why it has not taken it. It may have nevertheless, if the connection broke before its answer.
    pub async fn tell(
        &self,
        hook: &EventHook,
        reach: &Reach,
        (id, body): (&Uuid, String),
        now: UnixMillis,
    ) -> Result<u16, TellError> {
        // The status is the answer; whatever follows is of no use.
        let request = signed_request(&hook.webhook, message_id(id), body, now).max_reply(0);
        match self.http.send(&request, reach).await {
            Ok(reply) => match failure(reply.status) {
                None => Ok(reply.status),
                Some(failure) => Err(TellError { failure, what: format!("it answered {}", reply.status) }),
            },
            Err(error) => Err(TellError { failure: Failure::Unavailable, what: one_line(&error.to_string()) }),
        }
    }
}

/// What a status means for this event and for others. Events are never refused for good: a mistake in the receiver can
/// be mended until they expire.
const fn failure(status: u16) -> Option<Failure> {
    match status {
        200..=299 => None,
        // The address, the key, the number of requests, the machine behind a proxy: that concerns every event.
        301..=399 | 401 | 403..=405 | 407 | 408 | 410 | 421 | 429 | 502..=504 => Some(Failure::Unavailable),
        _ => Some(Failure::Deferred),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_concerns_one_event_or_all_of_them() {
        for (status, expected) in [
            (200, None),
            (204, None),
            (302, Some(Failure::Unavailable)),
            (400, Some(Failure::Deferred)),
            (401, Some(Failure::Unavailable)),
            (410, Some(Failure::Unavailable)),
            (422, Some(Failure::Deferred)),
            (429, Some(Failure::Unavailable)),
            (500, Some(Failure::Deferred)),
            (503, Some(Failure::Unavailable)),
        ] {
            assert_eq!(failure(status), expected, "{status}");
        }
    }
}
