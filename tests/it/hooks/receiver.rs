//! A program that is told of events: real sockets, and every way to misbehave.

use serde_json::Value;
use sessiond::crypto::webhook::signature;
use sessiond::domain::http_request::{HttpReply, HttpRequest, Reach};
use sessiond::outbound::http::{DirectHttp, HttpClient, SendError, SystemResolver};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The secret of the hooks of these tests.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How a receiver answers.
#[derive(Debug, Clone)]
pub(crate) enum Manners {
    /// With this status and body.
    Says(u16, String),
    /// With a redirect to itself.
    Redirects,
    /// With what is not HTTP.
    Garbage,
    /// With a body of 10 MB, after this status.
    Floods(u16),
    /// Not at all; the connection stays open.
    Silent,
    /// By hanging up once it has read the request.
    HangsUp,
}

/// A request that a receiver got.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    headers: HashMap<String, String>,
    text: String,
}

impl Received {
    /// A header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body, once its signature is checked.
    #[track_caller]
    pub(crate) fn body(&self) -> Value {
        assert!(self.is_signed_with(SECRET), "{self:?}");
        serde_json::from_str(&self.text).unwrap()
    }

    /// Whether one of its signatures is by this secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
        let time_s = self.header("webhook-timestamp").parse().unwrap();
        let signed = signature(&key, self.header("webhook-id"), time_s, &self.text);
        self.header("webhook-signature").split(' ').any(|one| one == signed)
    }
}

/// A receiver on this machine.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    manners: Arc<Mutex<Manners>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// A receiver that takes everything.
    pub(crate) fn start() -> Self {
        Self::with(Manners::Says(204, String::new()))
    }

    /// A receiver with these manners.
    pub(crate) fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (manners, received) = (Arc::new(Mutex::new(manners)), Arc::new(Mutex::new(Vec::new())));
        let (shown, seen) = (Arc::clone(&manners), Arc::clone(&received));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (shown, seen) = (Arc::clone(&shown), Arc::clone(&seen));
                // The other side may hang up at any time.
                std::thread::spawn(move || serve(&stream.unwrap(), &shown, &seen).unwrap_or_default());
            }
        });
        Self { port, manners, received }
    }

    /// Changes its manners.
    pub(crate) fn behave(&self, manners: Manners) {
        *self.manners.lock().unwrap() = manners;
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=hush", self.port)
    }

    /// What it got so far, oldest first.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What it got since the last time, oldest first.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }

    /// The types of the events that it got since the last time, in their order of arrival.
    pub(crate) fn take_types(&self) -> Vec<String> {
        self.take().iter().map(|one| one.body()["type"].as_str().unwrap().to_owned()).collect()
    }
}

fn serve(stream: &TcpStream, manners: &Mutex<Manners>, received: &Mutex<Vec<Received>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    received.lock().unwrap().push(Received { path, headers, text: String::from_utf8(body).unwrap() });
    let manners = manners.lock().unwrap().clone();
    let mut stream = stream;
    match manners {
        Manners::Says(status, body) => {
            write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        }
        Manners::Redirects => write!(stream, "HTTP/1.1 307 x\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"),
        Manners::Garbage => write!(stream, "220 mail.example.org ESMTP\r\n"),
        Manners::Floods(status) => {
            let size = 10_000_000;
            write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {size}\r\n\r\n")?;
            stream.write_all(&vec![b' '; size])
        }
        Manners::Silent => {
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Manners::HangsUp => Ok(()),
    }
}

/// A client with less patience than the settings allow.
pub(crate) struct Hasty(DirectHttp);

impl Hasty {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(DirectHttp::new(Arc::new(SystemResolver))))
    }
}

#[async_trait::async_trait]
impl HttpClient for Hasty {
    async fn send(&self, request: &HttpRequest, reach: &Reach) -> Result<HttpReply, SendError> {
        self.0.send(request, &Reach { timeout: Duration::from_millis(300), ..reach.clone() }).await
    }
}
