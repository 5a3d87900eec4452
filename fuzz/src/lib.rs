//! A server's inside for the fuzz targets: in memory, on a clock that stands still, with reproducible randomness.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use sessiond::app::{App, Parts};
use sessiond::command::key::KeyRing;
use sessiond::config::BaseConfig;
use sessiond::domain::entropy::Entropy;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::{Clock, SteadyMillis, UnixMillis};
use sessiond::domain::user::{Login, LoginMethod, User};
use sessiond::http::cdi::Cdi;
use sessiond::http::exchange::{Reply, Request};
use sessiond::http::server::Dispatch;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::user;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;

/// The server that all inputs of a run go to.
pub static SERVER: LazyLock<Server> = LazyLock::new(Server::new);

/// The present of every input.
pub const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

/// A server without a socket.
pub struct Server {
    runtime: Runtime,
    app: Arc<App>,
    cdi: Cdi,
    /// The keys of the base app.
    pub ring: Arc<KeyRing>,
    /// A good access token.
    pub access_token: String,
    /// A good refresh token.
    pub refresh_token: String,
    /// The session that both belong to.
    pub handle: String,
}

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> UnixMillis {
        NOW
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(0)
    }
}

/// Counts: no secret is kept from anyone here, and every run is like the last.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}

impl Server {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let config = Arc::new(BaseConfig::with(&[("ephemeral", "true")], false).expect("good settings"));
        let parts = Parts {
            store: Arc::new(MemoryEngine::new()),
            clock: Arc::new(StandingClock),
            entropy: Arc::new(Counting(AtomicU64::new(1))),
        };
        let app = Arc::new(runtime.block_on(App::compose(&config, parts)).expect("an app"));
        let cdi = Cdi::new(Arc::clone(&app)).expect("no route twice");
        let entry = app.directory.app(&AppId::base()).expect("the base app");
        let ring = runtime.block_on(app.keys.ring(&app, &entry)).expect("keys");
        let empty = String::new();
        let mut server =
            Self { runtime, app, cdi, ring, access_token: empty.clone(), refresh_token: empty.clone(), handle: empty };
        let body = r#"{"userId":"u","userDataInJWT":{"a":[1,null]},"userDataInDatabase":{},"enableAntiCsrf":true}"#;
        let reply = server.ask(Method::POST, "/recipe/session", "", HeaderMap::new(), body.as_bytes());
        let reply: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        let text = |owner: &str, member: &str| reply[owner][member].as_str().expect("a session").to_owned();
        server.access_token = text("accessToken", "token");
        server.refresh_token = text("refreshToken", "token");
        server.handle = text("session", "handle");
        server.runtime.block_on(server.people());
        server
    }

    /// Three people with an address each: `a`, `b` and `c`.
    async fn people(&self) {
        for id in ["a", "b", "c"] {
            let person = User::new(LoginMethod {
                id: UserId::new(id),
                external: None,
                tenants: [TenantId::public()].into(),
                time_joined: NOW,
                login: Login::Passwordless { email: Some(format!("{id}@example.org")), phone_number: None },
            });
            let mut tx = self.app.store.begin();
            user::save(tx.as_mut(), &AppId::base(), &[], &[&person]).await.expect("a store").expect("nobody else");
            tx.commit().await.expect("a store");
        }
    }

    /// The parts behind the dispatcher.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The answer to a request. Panics, as a finding, when it is none that a caller's input may lead to.
    pub fn ask(&self, method: Method, path: &str, query: &str, headers: HeaderMap, body: &[u8]) -> Reply {
        let request = Request {
            id: "fuzz".to_owned(),
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: bytes::Bytes::copy_from_slice(body),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let reply = self.runtime.block_on(self.cdi.dispatch(request));
        let text = String::from_utf8(reply.body.to_vec()).expect("replies are UTF-8");
        if reply.status == StatusCode::OK && reply.content_type.starts_with("application/json") {
            let _: serde_json::Value = serde_json::from_str(&text).expect("a JSON reply is JSON");
        }
        let fine = reply.status.is_success()
            || reply.status.is_client_error()
            || reply.status == StatusCode::NOT_IMPLEMENTED
            // The protocol's answer to a token that is none.
            || (reply.status == StatusCode::INTERNAL_SERVER_ERROR && text == "accessToken is not a JWT\n");
        assert!(fine, "{} {text}", reply.status);
        reply
    }

    /// `text` with `$A`, `$R` and `$H` replaced by a good access token, refresh token and handle.
    pub fn fill_in(&self, text: &str) -> String {
        text.replace("$A", &self.access_token).replace("$R", &self.refresh_token).replace("$H", &self.handle)
    }
}

/// Headers from lines `name: value`; lines that are none are left out.
pub fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    let pairs = lines.filter_map(|line| line.split_once(':'));
    pairs
        .filter_map(|(name, value)| {
            Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        })
        .collect()
}

/// A good token changed by what the fuzzer wants: pairs of a place and what is to stand there.
pub fn changed(token: &str, changes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = token.as_bytes().to_vec();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        match change[2] {
            0xFF => bytes.truncate(place.max(1)),
            0xFE => bytes.insert(place, b'.'),
            0xFD => bytes.insert(place, b'='),
            byte => bytes[place] = ALPHABET[usize::from(byte) % ALPHABET.len()],
        }
    }
    String::from_utf8(bytes).expect("ASCII")
}
