//! Watches the logs of the whole suite: everything that a test's app logs, at every level, is kept, and when the app is
//! dropped, none of the secrets that it handed out may appear in it.

use serde_json::Value;
use sessiond::domain::one_time_token::OneTimeHash;
use sessiond::domain::token_hash::{TokenHash1, hex};
use sessiond::domain::totp::TotpSecret;
use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};

/// All log lines of this process so far.
static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let lines = fmt::layer().json().with_writer(|| Writer);
    // The only subscriber of this process; everything at every level, of libraries too.
    Registry::default().with(lines).try_init().expect("nobody else subscribes to the suite's logs");
    Lines(Mutex::default())
});

struct Lines(Mutex<String>);

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&LINES.0).push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Secrets that were handed out, and the position from which the log is searched for them.
pub(crate) struct Watch {
    from: usize,
    secrets: Mutex<Vec<String>>,
}

impl Watch {
    /// Starts at the current position.
    pub(crate) fn new() -> Self {
        Self { from: lock(&LINES.0).len(), secrets: Mutex::default() }
    }

    /// Adds a secret of the test's own.
    pub(crate) fn secret(&self, text: &str) {
        lock(&self.secrets).push(text.to_owned());
    }

    /// The secrets in a reply.
    pub(crate) fn reply(&self, body: &[u8]) {
        if let Ok(json) = serde_json::from_slice(body) {
            lock(&self.secrets).extend(issued(&json));
            shared(&json, &mut lock(&self.secrets));
        }
    }

    /// The token that the front door hands out in this header.
    pub(crate) fn header(&self, name: &str, value: &str) {
        let cookie = value.split(';').next().and_then(|pair| pair.split_once('='));
        let found = match (name, cookie) {
            ("st-access-token", _) => vec![signature(value)],
            ("set-cookie", Some(("sAccessToken", token))) => vec![signature(token)],
            ("st-refresh-token", _) => refresh_token(value).into(),
            ("set-cookie", Some(("sRefreshToken", token))) => refresh_token(token).into(),
            ("anti-csrf", _) => vec![value.to_owned()],
            _ => vec![],
        };
        // Cleared ones are empty, and an empty text is in every line.
        let is_cleared = cookie.map_or(value, |(_, token)| token).is_empty();
        lock(&self.secrets).extend(found.into_iter().filter(|_| !is_cleared));
    }

    /// The token in a link of a mail: in the query or in the fragment; as it is, and as stored.
    pub(crate) fn link(&self, link: &str) {
        let (url, fragment) = link.split_once('#').unwrap_or((link, ""));
        let members = url.split(['?', '&']).filter_map(|member| member.strip_prefix("token="));
        for token in members.chain([fragment]).filter(|token| !token.is_empty()) {
            lock(&self.secrets).extend([token.to_owned(), hex(OneTimeHash::of(token).as_bytes())]);
        }
    }

    /// The secrets in a request that the server stores.
    pub(crate) fn request(&self, body: &[u8]) {
        if let Ok(json) = serde_json::from_slice(body) {
            shared(&json, &mut lock(&self.secrets));
        }
    }

    /// Fails if `text` holds a secret.
    #[track_caller]
    pub(crate) fn search(&self, text: &str) {
        for secret in lock(&self.secrets).iter() {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            assert!(found.is_none(), "the secret {secret} slipped out: {}", found.unwrap_or_default());
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let lines = lock(&LINES.0)[self.from..].to_owned();
            self.search(&lines);
        }
    }
}

/// The secrets in a reply, in every form in which they could leak.
fn issued(json: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("antiCsrfToken" | "sessionId", Value::String(text)) => found.push(text.clone()),
            // A token sent by e-mail: as it is, and as stored.
            ("token", Value::String(text)) => {
                found.extend([text.clone(), hex(OneTimeHash::of(text).as_bytes())]);
            }
            // Secrets of a passwordless sign-in. Six digits would be found in every other line.
            ("deviceId" | "linkCode", Value::String(text)) => found.push(text.clone()),
            // Secrets of an authenticator app: as displayed, and as used in computations.
            ("secret", Value::String(text)) => {
                found.push(text.clone());
                found.extend(TotpSecret::from_base32(text).map(|secret| format!("{:?}", secret.expose())));
            }
            ("jwt", Value::String(text)) => found.push(signature(text)),
            ("accessToken", Value::Object(token)) => {
                found.extend(token.get("token").and_then(Value::as_str).map(signature));
            }
            ("refreshToken", Value::Object(token)) => {
                found.extend(token.get("token").and_then(Value::as_str).into_iter().flat_map(refresh_token));
            }
            _ => {}
        }
    }
    found
}

/// A refresh token, its hash, and as much of the stored hash as no record keeps.
fn refresh_token(text: &str) -> [String; 3] {
    let hash = TokenHash1::of(text);
    [text.to_owned(), hash.to_hex(), hex(&hash.stored().0)[..32].to_owned()]
}

/// Secrets that applications share with providers, wherever they are; a PEM key line by line.
fn shared(json: &Value, found: &mut Vec<String>) {
    for (name, value) in json.as_object().into_iter().flatten() {
        if let ("clientSecret" | "privateKey", Value::String(text)) = (name.as_str(), value) {
            // Shorter ones would be found in every other line.
            found.extend(text.lines().filter(|line| line.len() >= 8).map(str::to_owned));
        }
        shared(value, found);
    }
    json.as_array().into_iter().flatten().for_each(|value| shared(value, found));
}

/// Header and payload of a token are not secret by themselves; the signature makes it one.
pub(crate) fn signature(token: &str) -> String {
    token.rsplit('.').next().unwrap_or(token).to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
#[should_panic(expected = "slipped out")]
fn a_secret_that_an_application_shares_is_found() {
    let watch = Watch::new();
    watch.request(
        br#"{"config": {"clients": [{"additionalConfig": {"privateKey": "-----\nnot-for-logs-either\n-----"}}]}}"#,
    );
    tracing::debug!("a careless line with not-for-logs-either");
    drop(watch);
}

#[test]
#[should_panic(expected = "slipped out")]
fn a_secret_in_a_log_line_is_found() {
    let watch = Watch::new();
    watch.reply(br#"{"status": "OK", "antiCsrfToken": "3b2f0c1e-not-for-logs"}"#);
    tracing::debug!(csrf = "3b2f0c1e-not-for-logs", "a careless line");
    drop(watch);
}

#[test]
#[should_panic(expected = "slipped out")]
fn a_token_of_the_front_door_is_found() {
    let watch = Watch::new();
    watch.header("set-cookie", "sRefreshToken=refresh-not-for-logs; Path=/auth/session/refresh; HttpOnly");
    tracing::debug!("a careless line with refresh-not-for-logs");
    drop(watch);
}

#[test]
#[should_panic(expected = "slipped out")]
fn a_token_in_the_link_of_a_mail_is_found() {
    let watch = Watch::new();
    watch.link("http://localhost:3000/auth/reset-password?token=reset-not-for-logs&tenantId=public");
    tracing::debug!("a careless line with reset-not-for-logs");
    drop(watch);
}
