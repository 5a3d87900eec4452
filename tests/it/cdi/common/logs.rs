//! What a request logs.

use crate::app::{TestApp, new_session};
use crate::cdi::hello::broken_store;
use crate::watched::REASON;
use serde_json::Value;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Collects log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Log lines at this level, as JSON.
    fn of_level(&self, level: &str) -> Vec<Value> {
        let bytes = self.0.lock().expect("no writer panics").clone();
        let text = String::from_utf8(bytes).expect("log lines are UTF-8");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
        let ours =
            |line: &Value| line["target"].as_str().is_some_and(|target| target.starts_with("sessiond::http::cdi"));
        lines.filter(|line| line["level"] == level && ours(line)).collect()
    }
}

fn collect() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::DEBUG).with_writer(lines.clone()).finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn each_request_is_one_line() {
    let app = TestApp::new().await;
    let (lines, _guard) = collect();
    app.post("/public/recipe/session/", new_session("some-user")).await.ok();
    app.get("/nothing/here").await;
    let lines: Vec<Value> = lines.of_level("DEBUG").iter().map(|line| line["fields"].clone()).collect();
    let [created, unknown] = &lines[..] else { panic!("two lines: {lines:?}") };
    assert_eq!(
        (&created["request"], &created["method"], &created["route"], &created["status"]),
        (&"test".into(), &"POST".into(), &"/recipe/session".into(), &200.into())
    );
    assert!(created["us"].is_number());
    assert_eq!((&unknown["route"], &unknown["status"]), (&"-".into(), &404.into()));
    assert!(!format!("{lines:?}").contains("some-user"));
}

#[tokio::test]
async fn a_fault_is_logged_once_with_its_chain_and_answered_without() {
    let app = broken_store().await;
    let (lines, _guard) = collect();
    let reply = app.get("/hello").await;
    assert_eq!((reply.code(), reply.body().as_str()), (500, "Internal error\n"));
    let lines = lines.of_level("ERROR");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let message = lines[0]["fields"]["message"].as_str().expect("a message");
    assert!(message.contains("reading a record to check the store: ") && message.contains(REASON), "{message}");
    assert_eq!(lines[0]["fields"]["request"], "test");
}

/// How the Python SDK fetches the keys that it publishes; Go's user agent is `Go-http-client/1.1`.
const PYTHON: &str = "python-httpx/0.28.1";

#[tokio::test]
async fn an_sdk_that_cannot_read_ed25519_keys_is_warned_of_once_per_app() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", serde_json::json!({"appId": "other", "coreConfig": {}})).await.ok();
    let rsa = serde_json::json!({"appId": "rsa", "coreConfig": {"access_token_signing_algorithm": "RS256"}});
    app.put("/recipe/multitenancy/app/v2", rsa).await.ok();
    let (lines, _guard) = collect();
    let read = async |path: &str, agent: &str, version: Option<&str>| {
        let request = app.get(path).header("user-agent", agent);
        match version {
            Some(version) => request.cdi(version).await,
            None => request.await,
        };
        lines.of_level("WARN").len()
    };
    let document = "/.well-known/jwks.json";
    // verifiers of sessions, Node, and an app that has RSA keys only
    assert_eq!(read(document, "Python-urllib/3.11", None).await, 0);
    assert_eq!(read(document, "Go-http-client/1.1", None).await, 0);
    assert_eq!(read(document, "node", Some("5.4")).await, 0);
    assert_eq!(read("/appid-rsa/.well-known/jwks.json", PYTHON, Some("5.4")).await, 0);

    assert_eq!(read(document, PYTHON, Some("5.4")).await, 1);
    for (path, agent, version) in [(document, PYTHON, "5.4"), ("/recipe/jwt/jwks", "Go-http-client/1.1", "2.15")] {
        assert_eq!(read(path, agent, Some(version)).await, 1, "once");
    }
    assert_eq!(read("/appid-other/recipe/jwt/jwks", "Go-http-client/2.0", Some("3.1")).await, 2, "of each app");
    let text = lines.of_level("WARN")[0]["fields"]["message"].as_str().expect("a message").to_owned();
    assert!(text.contains("access_token_signing_algorithm to RS256"), "{text}");
}

#[tokio::test]
async fn nobody_without_a_key_makes_the_server_warn() {
    let app = TestApp::builder().setting("api_keys", "0123456789012345678901234").build().await;
    let (lines, _guard) = collect();
    app.get("/.well-known/jwks.json").header("user-agent", PYTHON).cdi("5.4").await;
    assert_eq!(lines.of_level("WARN").len(), 0);
    let key = "0123456789012345678901234";
    app.get("/.well-known/jwks.json").header("user-agent", PYTHON).header("api-key", key).cdi("5.4").await;
    assert_eq!(lines.of_level("WARN").len(), 1);
}
