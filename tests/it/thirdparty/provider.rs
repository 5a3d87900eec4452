//! [`TestProvider`]: an OpenID Connect provider on this machine that does what a test tells it, wrong things above all.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The client that tests use.
pub(super) const CLIENT: &str = "me";

/// An answer of the provider.
#[derive(Clone)]
pub(super) enum Answer {
    /// A whole reply.
    Reply(u16, String),
    /// A redirect.
    To(String),
    /// A body without an end.
    Endless,
    /// No reply at all.
    Silence,
}

/// A request that the provider got.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) head: String,
    pub(super) body: String,
}

#[derive(Default)]
struct Behaviour {
    answers: HashMap<String, Answer>,
    seen: Vec<Seen>,
}

/// The provider.
pub(super) struct TestProvider {
    address: SocketAddr,
    behaviour: Arc<Mutex<Behaviour>>,
    task: JoinHandle<()>,
}

/// A key that signs id tokens with ES256.
pub(super) struct Signer {
    pair: EcdsaKeyPair,
    kid: &'static str,
}

pub(super) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub(super) fn new(kid: &'static str) -> Self {
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"), kid }
    }

    /// The public key as a member of a JWKS document.
    pub(super) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (b64(&point[1..33]), b64(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "x": x, "y": y, "use": "sig", "alg": "ES256"})
    }

    /// A token with these claims.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": "ES256", "kid": self.kid}), claims)
    }

    /// A token with another header.
    pub(super) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", b64(signature))
    }
}

impl TestProvider {
    /// Starts a provider that describes itself and answers nothing else yet.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let behaviour = Arc::new(Mutex::new(Behaviour::default()));
        let task = tokio::spawn(serve(listener, Arc::clone(&behaviour)));
        let provider = Self { address, behaviour, task };
        provider.says("/.well-known/openid-configuration", &provider.discovery());
        provider
    }

    /// A URL of the provider.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it says about itself.
    pub(super) fn discovery(&self) -> Value {
        json!({
            "issuer": self.url(""), "authorization_endpoint": self.url("/auth"), "token_endpoint": self.url("/token"),
            "userinfo_endpoint": self.url("/me"), "jwks_uri": self.url("/keys"),
        })
    }

    /// Answers requests for a path with this JSON from now on.
    pub(super) fn says(&self, path: &str, json: &Value) {
        self.answers(path, Answer::Reply(200, json.to_string()));
    }

    /// Answers requests for a path so from now on.
    pub(super) fn answers(&self, path: &str, answer: Answer) {
        self.behaviour.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// The requests for a path so far.
    pub(super) fn seen(&self, path: &str) -> Vec<Seen> {
        let behaviour = self.behaviour.lock().unwrap();
        behaviour.seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// The claims of a good id token.
    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.url(""), "aud": CLIENT, "sub": "7", "exp": 1_700_000_600, "email": "P@x.io",
            "email_verified": true,
        })
    }
}

impl Drop for TestProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, behaviour: Arc<Mutex<Behaviour>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, Arc::clone(&behaviour)));
    }
}

/// Reads one request and answers it; the connection ends with that.
async fn answer(mut stream: TcpStream, behaviour: Arc<Mutex<Behaviour>>) {
    let Some(seen) = read(&mut stream).await else { return };
    let answer = {
        let mut behaviour = behaviour.lock().unwrap();
        let answer = behaviour.answers.get(&seen.path).cloned();
        behaviour.seen.push(seen);
        answer.unwrap_or_else(|| Answer::Reply(404, "{}".to_owned()))
    };
    let written = match answer {
        Answer::Reply(status, body) => {
            let length = body.len();
            let reply = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(reply.as_bytes()).await
        }
        Answer::To(location) => {
            let reply = format!("HTTP/1.1 302 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(reply.as_bytes()).await
        }
        Answer::Endless => endless(&mut stream).await,
        Answer::Silence => std::future::pending().await,
    };
    // A client that has read enough hangs up.
    drop(written);
}

async fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 X\r\n\r\n").await?;
    loop {
        stream.write_all(&[b' '; 65_536]).await?;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |text| text.trim().parse().expect("a length"));
    while bytes.len() < head_end + length {
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    let whole = String::from_utf8_lossy(&bytes).into_owned();
    let target = whole.split(' ').nth(1)?;
    let path = target.split('?').next()?.to_owned();
    Some(Seen { path, head: whole[..head_end].to_owned(), body: whole[head_end..].to_owned() })
}
