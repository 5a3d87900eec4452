//! Requests to hooks.

use crate::domain::delivery::Failure;
use crate::domain::hook::{EventHook, InlineHook};
use crate::domain::http_request::Reach;
use crate::domain::ids::AppId;
use crate::domain::time::UnixMillis;
use crate::outbound::http::HttpClient;
use crate::outbound::one_line::one_line;
use crate::outbound::webhook::signed_request;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The most questions to one hook at once: a slow one keeps others waiting, and not the server busy.
const AT_ONCE: usize = 32;
/// The largest answer to a question, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Calls hooks.
pub struct HookClient {
    http: Arc<dyn HttpClient>,
    /// Turns to ask the inline hooks of apps, by their URLs.
    turns: Mutex<HashMap<(AppId, String), Arc<Semaphore>>>,
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
        Self { http, turns: Mutex::default() }
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

impl HookClient {
    /// Asks an inline hook of an app; returns the body of its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ask(
        &self,
        (app, hook): (&AppId, &InlineHook),
        reach: &Reach,
        (id, body): (&Uuid, String),
        now: UnixMillis,
    ) -> Result<Vec<u8>, String> {
        let request = signed_request(&hook.webhook, format!("ask_{}", id.simple()), body, now).max_reply(MAX_ANSWER);
        let turns = self.turns(app, &hook.webhook.url);
        let reach = Reach { timeout: hook.timeout, ..reach.clone() };
        let asking = async {
            let _turn = turns.acquire().await;
            self.http.send(&request, &reach).await
        };
        // The wait for a turn counts: people wait, too.
        match tokio::time::timeout(hook.timeout, asking).await {
            Ok(Ok(reply)) if matches!(reply.status, 200..=299) => Ok(reply.body),
            Ok(Ok(reply)) => Err(format!("it answered {}", reply.status)),
            Ok(Err(error)) => Err(one_line(&error.to_string())),
            Err(_) => Err(format!("{} did not answer in time", hook.webhook.host())),
        }
    }

    fn turns(&self, app: &AppId, url: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let of_hook = turns.entry((app.clone(), url.to_owned())).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
        Arc::clone(of_hook)
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
