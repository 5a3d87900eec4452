//! [`ProviderClient`]: requests to providers, and what they publish about themselves, which is kept for a while.

use crate::crypto::signed_token::{KeySet, SignedToken, TokenFlaw};
use crate::domain::http_request::{HttpReply, HttpRequest, Reach};
use crate::domain::json::Members;
use crate::domain::thirdparty::discovery::Discovery;
use crate::domain::time::SteadyMillis;
use crate::outbound::http::{HttpClient, SendError};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Documents of each kind that are kept at most.
const MAX_DOCUMENTS: usize = 256;

/// How long a document is used before it is fetched again, in ms.
const LIFETIME_MS: u64 = 60 * 60 * 1000;

/// How long a document is still used while it cannot be fetched again, in ms.
const STALE_MS: u64 = 24 * 60 * 60 * 1000;

/// How long to wait before a document is fetched again because something is missing in it, or after a failure, in ms.
const RETRY_MS: u64 = 30 * 1000;

/// The same while there is no document at all, in ms.
const FIRST_RETRY_MS: u64 = 2 * 1000;

/// Why a document cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// There is no reply.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The reply is a refusal.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The reply is not such a document.
    #[error("the answer is not the document that it should be")]
    Unreadable,
}

/// Why an id token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The provider's keys cannot be had.
    #[error("the keys of the provider cannot be read: {0}")]
    Keys(#[from] FetchError),
    /// The token itself.
    #[error("the id token is refused: {0}")]
    Token(#[from] TokenFlaw),
}

/// Requests to providers, and what they publish about themselves.
pub struct ProviderClient {
    http: Arc<dyn HttpClient>,
    discoveries: Documents<Discovery>,
    key_sets: Documents<KeySet>,
}

impl ProviderClient {
    /// A client without any documents yet.
    #[must_use]
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        let read_discovery = |body: &[u8]| Some(Discovery::of(&Members::parse(std::str::from_utf8(body).ok()?).ok()?));
        Self { http, discoveries: Documents::new(read_discovery), key_sets: Documents::new(KeySet::parse) }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Those of [`HttpClient::send`].
    pub async fn send(&self, request: &HttpRequest, reach: &Reach) -> Result<HttpReply, SendError> {
        self.http.send(request, reach).await
    }

    /// What a provider says about itself.
    ///
    /// # Errors
    /// When its document cannot be had.
    pub async fn discovery(&self, url: &str, reach: &Reach, now: SteadyMillis) -> Result<Arc<Discovery>, FetchError> {
        self.discoveries.get(&*self.http, url, reach, now, Need::Any).await
    }

    /// The payload of an id token, after its signature was checked against the keys at `jwks_uri`.
    ///
    /// # Errors
    /// When the keys cannot be had, or the token is refused.
    pub async fn open_token(
        &self,
        jwks_uri: &str,
        token: &SignedToken<'_>,
        reach: &Reach,
        now: SteadyMillis,
    ) -> Result<Vec<u8>, VerifyError> {
        let keys = self.key_sets.get(&*self.http, jwks_uri, reach, now, Need::Any).await?;
        match keys.open(token) {
            // The provider may have a new key.
            Err(TokenFlaw::UnknownKey) => {
                let newer = self.key_sets.get(&*self.http, jwks_uri, reach, now, Need::Newer).await?;
                Ok(newer.open(token)?)
            }
            opened => Ok(opened?),
        }
    }
}

/// How new a document must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The one that is kept will do.
    Any,
    /// Something is missing in the one that is kept.
    Newer,
}

/// Documents of one kind, by URL. Apps that may reach different networks do not share them.
struct Documents<T> {
    read: fn(&[u8]) -> Option<T>,
    slots: Cache<(Reach, String), Arc<Mutex<Slot<T>>>>,
}

/// The document at a URL. Its lock is held while it is fetched, so that this happens once at a time.
struct Slot<T> {
    kept: Option<(Arc<T>, SteadyMillis)>,
    /// When it was last fetched, and how that failed.
    tried: Option<(SteadyMillis, Option<FetchError>)>,
}

impl<T> Documents<T> {
    fn new(read: fn(&[u8]) -> Option<T>) -> Self {
        Self { read, slots: Cache::new(MAX_DOCUMENTS) }
    }

    async fn get(
        &self,
        http: &dyn HttpClient,
        url: &str,
        reach: &Reach,
        now: SteadyMillis,
        need: Need,
    ) -> Result<Arc<T>, FetchError> {
        let key = (reach.clone(), url.to_owned());
        let empty = || Ok::<_, Infallible>(Arc::new(Mutex::new(Slot { kept: None, tried: None })));
        let slot = match self.slots.get_or_insert_with(&key, empty) {
            Ok(slot) => slot,
            Err(never) => match never {},
        };
        let mut slot = slot.lock().await;
        if !slot.is_due(now, need) {
            return slot.outcome();
        }
        let fetched = self.fetch(http, url, reach).await;
        slot.put(fetched, now);
        slot.outcome()
    }

    async fn fetch(&self, http: &dyn HttpClient, url: &str, reach: &Reach) -> Result<T, FetchError> {
        let reply = http.send(&HttpRequest::get(url.to_owned()), reach).await?;
        if reply.status != 200 {
            return Err(FetchError::Status(reply.status));
        }
        (self.read)(&reply.body).ok_or(FetchError::Unreadable)
    }
}

impl<T> Slot<T> {
    /// Whether to fetch now.
    fn is_due(&self, now: SteadyMillis, need: Need) -> bool {
        let Some((at, failure)) = &self.tried else { return true };
        let pause_ms = match (&self.kept, failure, need) {
            (None, ..) => FIRST_RETRY_MS,
            (Some(_), Some(_), _) | (Some(_), None, Need::Newer) => RETRY_MS,
            (Some(_), None, Need::Any) => LIFETIME_MS,
        };
        now.0.saturating_sub(at.0) >= pause_ms
    }

    fn put(&mut self, fetched: Result<T, FetchError>, now: SteadyMillis) {
        match fetched {
            Ok(document) => {
                self.kept = Some((Arc::new(document), now));
                self.tried = Some((now, None));
            }
            Err(error) => {
                self.kept.take_if(|(_, at)| now.0.saturating_sub(at.0) >= STALE_MS);
                self.tried = Some((now, Some(error)));
            }
        }
    }

    /// The document, even if it could not be fetched again.
    fn outcome(&self) -> Result<Arc<T>, FetchError> {
        match (&self.kept, &self.tried) {
            (Some((document, _)), _) => Ok(Arc::clone(document)),
            (None, Some((_, Some(error)))) => Err(error.clone()),
            (None, _) => Err(FetchError::Unreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex as SyncMutex;
    use std::time::Duration;

    /// Answers with what it was last told to, and counts.
    struct Fake {
        reply: SyncMutex<Result<HttpReply, SendError>>,
        asked: SyncMutex<usize>,
    }

    #[async_trait::async_trait]
    impl HttpClient for Fake {
        async fn send(&self, _: &HttpRequest, _: &Reach) -> Result<HttpReply, SendError> {
            *self.asked.lock().unwrap() += 1;
            tokio::task::yield_now().await;
            self.reply.lock().unwrap().clone()
        }
    }

    impl Fake {
        fn says(&self, status: u16, body: &str) {
            *self.reply.lock().unwrap() = Ok(HttpReply::new(status, body.as_bytes().to_vec()));
        }

        fn asked(&self) -> usize {
            *self.asked.lock().unwrap()
        }
    }

    fn new() -> (Arc<Fake>, ProviderClient) {
        let fake = Arc::new(Fake { reply: SyncMutex::new(Err(SendError::Url)), asked: SyncMutex::default() });
        (Arc::clone(&fake), ProviderClient::new(fake))
    }

    fn reach() -> Reach {
        Reach { private_networks: Arc::new([]), setting: "provider_private_networks", timeout: Duration::from_secs(1) }
    }

    const ISSUER: &str = r#"{"issuer": "a"}"#;

    #[tokio::test]
    async fn a_document_is_fetched_once_by_many_and_again_after_an_hour() {
        let (fake, client) = new();
        let reach = reach();
        fake.says(200, ISSUER);
        let at = |ms: u64| client.discovery("u", &reach, SteadyMillis(ms));
        let (one, two, three) = tokio::join!(at(0), at(0), at(LIFETIME_MS - 1));
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert_eq!(fake.asked(), 1);
        fake.says(200, r#"{"issuer": "b"}"#);
        assert_eq!(at(LIFETIME_MS).await.unwrap().issuer.as_deref(), Some("b"));
        assert_eq!(fake.asked(), 2);
        client.discovery("other", &reach, SteadyMillis(LIFETIME_MS)).await.unwrap();
        assert_eq!(fake.asked(), 3);
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_moment_and_an_old_document_used_for_a_day() {
        let (fake, client) = new();
        let reach = reach();
        let at = |ms: u64| client.discovery("u", &reach, SteadyMillis(ms));
        assert_eq!(at(0).await, Err(FetchError::Send(SendError::Url)));
        assert!(at(FIRST_RETRY_MS - 1).await.is_err());
        assert_eq!(fake.asked(), 1);
        fake.says(200, "<html>");
        assert_eq!(at(FIRST_RETRY_MS).await, Err(FetchError::Unreadable));
        fake.says(200, ISSUER);
        let start = 10 * FIRST_RETRY_MS;
        assert!(at(start).await.is_ok());
        fake.says(500, ISSUER);
        assert!(at(start + LIFETIME_MS).await.is_ok());
        assert!(at(start + LIFETIME_MS + RETRY_MS - 1).await.is_ok());
        assert_eq!(fake.asked(), 4);
        assert!(at(start + LIFETIME_MS + RETRY_MS).await.is_ok());
        assert_eq!(fake.asked(), 5);
        assert_eq!(at(start + STALE_MS).await, Err(FetchError::Status(500)));
    }

    #[tokio::test]
    async fn an_unknown_key_is_looked_for_at_most_every_half_minute() {
        let (fake, client) = new();
        let reach = reach();
        fake.says(200, r#"{"keys": []}"#);
        let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AA";
        let token = SignedToken::parse(token).unwrap();
        let unknown = Err(VerifyError::Token(TokenFlaw::UnknownKey));
        for (ms, asked) in [(0, 1), (RETRY_MS - 1, 1), (RETRY_MS, 2), (RETRY_MS + 1, 2), (2 * RETRY_MS, 3)] {
            assert_eq!(client.open_token("u", &token, &reach, SteadyMillis(ms)).await, unknown);
            assert_eq!(fake.asked(), asked, "{ms}");
        }
    }

    #[tokio::test]
    async fn no_more_than_so_many_documents_are_kept() {
        let (fake, client) = new();
        fake.says(200, ISSUER);
        for number in 0..2 * MAX_DOCUMENTS {
            client.discovery(&number.to_string(), &reach(), SteadyMillis(0)).await.unwrap();
        }
        assert!(client.discoveries.slots.len() <= MAX_DOCUMENTS);
    }
}
