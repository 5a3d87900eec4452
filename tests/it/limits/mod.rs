//! What the server allows its peers, and what it does with those that want more.

mod accept;
mod bodies;
mod connections;
mod flood;
mod http2;
mod malformed;
mod methods;
mod panics;
mod replies;
mod targets;
mod tls;
mod wire;

use crate::app::TestServer;
use bytes::Bytes;
use http::StatusCode;
use sessiond::config::{BaseConfig, Limits};
use sessiond::http::exchange::{Reply, Request};
use sessiond::http::server::Dispatch;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Bytes of the reply to `/large`: more than the buffers of two sockets can hold.
const LARGE: usize = 16 << 20;

/// Echoes what arrived; `/panic` panics, `/wait` waits for [`Echo::release`], `/large` has a large reply. A body on
/// `/roomy` may be ten times as large as elsewhere.
#[derive(Default)]
struct Echo {
    waiting: AtomicUsize,
    release: Notify,
    panicked: AtomicUsize,
}

impl Dispatch for Echo {
    async fn dispatch(&self, request: Request) -> Reply {
        match request.path.as_str() {
            "/panic" => panic!("as asked"),
            "/wait" => {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                self.release.notified().await;
            }
            "/large" => return Reply::text(StatusCode::OK, &"x".repeat(LARGE)),
            _ => {}
        }
        let mut text = format!("{} {}", request.method, request.path);
        if !request.query.is_empty() {
            text = format!("{text}?{}", request.query);
        }
        text = format!("{text} {}", request.body.len());
        Reply::text(StatusCode::OK, &text)
    }

    fn body_limit(&self, request: &Request) -> Option<usize> {
        (request.path == "/roomy").then_some(10_000)
    }

    fn record_panic(&self) {
        self.panicked.fetch_add(1, Ordering::SeqCst);
    }
}

/// The default limits, to be changed by the test.
pub(crate) fn limits() -> Limits {
    BaseConfig::with(&[], false).expect("built-in settings are good").limits
}

/// Limits with short timeouts.
fn impatient() -> Limits {
    let short = Duration::from_millis(100);
    Limits { header_timeout: short, body_timeout: short, ..limits() }
}

async fn echo(limits: Limits) -> (TestServer, Arc<Echo>) {
    let echo = Arc::new(Echo::default());
    (TestServer::with(Arc::clone(&echo), limits).await, echo)
}

/// Aborts a test that would hang.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("an answer within 20 s")
}

/// A POST request with a content length.
fn post(path: &str, body: &[u8]) -> Bytes {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(body);
    request.into()
}

/// A GET request.
fn get(path: &str) -> Bytes {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").into()
}
