//! What a request leaves in the log.

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
    /// Lines of the plane at this level, as JSON.
    fn of_level(&self, level: &str) -> Vec<Value> {
        let bytes = self.0.lock().expect("no writer panics").clone();
        let text = String::from_utf8(bytes).expect("log lines are UTF-8");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
        lines.filter(|line| line["level"] == level && line["target"] == "sessiond::http::cdi").collect()
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
    assert!(message.contains("asking the store for a record: ") && message.contains(REASON), "{message}");
    assert_eq!(lines[0]["fields"]["request"], "test");
}
