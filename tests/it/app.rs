//! [`TestApp`]: an app in process, with a clock that only the test moves and randomness from a seed.
//!
//! ```ignore
//! let app = TestApp::new().await;
//! let reply = app.post("/recipe/session", json!({"userId": "u", …})).cdi("5.4").await;
//! assert_eq!(reply.json()["status"], "OK");
//! app.clock.advance(60_000);
//! ```
//!
//! [`TestServer`] puts the same app behind a real socket.

use crate::secrecy::Watch;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use sessiond::app::{self, ContextParts};
use sessiond::config::BaseConfig;
use sessiond::context::Context;
use sessiond::domain::entropy::Entropy;
use sessiond::domain::secret::Secret;
use sessiond::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
use sessiond::http::accept::Accept;
use sessiond::http::cdi::route::Route;
use sessiond::http::cdi::{self, Cdi};
use sessiond::http::exchange::{Reply, Request};
use sessiond::http::fdi::Fdi;
use sessiond::http::server::{self, Dispatch};
use sessiond::http::tls::Tls;
use sessiond::outbound::http::{DirectHttp, HttpClient, SystemResolver};
use sessiond::outbound::mail::{MailTransport, SmtpTransport};
use sessiond::state::certificates::Certificates;
use sessiond::store::Engine;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::sled::{self, Options};
use std::future::{Future, IntoFuture};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The time at which every test begins: 2023-11-14T22:13:20Z.
pub(crate) const START: UnixMillis = UnixMillis(1_700_000_000_000);

/// A clock that only the test moves.
#[derive(Debug, Clone)]
pub(crate) struct ManualClock {
    wall: Arc<AtomicU64>,
    steady: Arc<AtomicU64>,
    boot: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub(crate) fn at(start: UnixMillis) -> Self {
        Self { wall: Arc::new(AtomicU64::new(start.0)), steady: Arc::default(), boot: Arc::new(AtomicU64::new(1)) }
    }

    /// Advances the clock by `millis`.
    pub(crate) fn advance(&self, millis: u64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.steady.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the wall clock, as people and time services do: no time passes.
    pub(crate) fn set(&self, now: UnixMillis) {
        self.wall.store(now.0, Ordering::SeqCst);
    }

    /// Sets the wall clock forwards or back by this many ms.
    pub(crate) fn step(&self, by: i64) {
        self.set(UnixMillis(self.wall.load(Ordering::SeqCst).strict_add_signed(by)));
    }

    /// Simulates that the machine was off for `millis`: the steady clock starts anew.
    pub(crate) fn reboot(&self, millis: u64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.steady.store(0, Ordering::SeqCst);
        self.boot.fetch_add(1, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(self.steady.load(Ordering::SeqCst))
    }

    fn boot(&self) -> BootId {
        BootId(u128::from(self.boot.load(Ordering::SeqCst)).to_be_bytes())
    }
}

/// Reproducible bytes.
pub(crate) struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// The stream for this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// The configuration of a [`TestApp`].
pub(crate) struct TestAppBuilder {
    settings: Vec<(String, String)>,
    config_path: Option<PathBuf>,
    master_key: Option<String>,
    test_mode: bool,
    seed: u64,
    clock: ManualClock,
    store: Option<Arc<dyn Engine>>,
    mail: Option<Arc<dyn MailTransport>>,
    recipes: Vec<&'static [Route]>,
    http: Arc<dyn HttpClient>,
}

impl TestAppBuilder {
    /// Sets a key of `config.yaml`.
    pub(crate) fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Takes the settings as if they had come from this file.
    pub(crate) fn config_path(mut self, path: &str) -> Self {
        self.config_path = Some(path.into());
        self
    }

    /// Seals keys under this master key.
    pub(crate) fn master_key(mut self, key: &str) -> Self {
        self.master_key = Some(key.to_owned());
        self
    }

    /// Relaxes rules, as for SDK test suites.
    pub(crate) fn test_mode(mut self) -> Self {
        self.test_mode = true;
        self
    }

    /// Uses another stream of randomness.
    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Uses another clock.
    pub(crate) fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Uses another engine, or one that holds records already.
    pub(crate) fn store(mut self, store: Arc<dyn Engine>) -> Self {
        self.store = Some(store);
        self
    }

    /// Uses another way to mail servers.
    pub(crate) fn mail(mut self, mail: Arc<dyn MailTransport>) -> Self {
        self.mail = Some(mail);
        self
    }

    /// Uses the engine that keeps records in files of this folder.
    pub(crate) fn on_disk(self, folder: &Path) -> Self {
        let options = Options::new(Arc::new(self.clock.clone()), Arc::new(SeededEntropy::new(self.seed)));
        let (engine, _) = sled::open(folder, &options).expect("the folder opens");
        self.store(Arc::new(engine))
    }

    /// Sends requests to providers in another way.
    pub(crate) fn http_client(mut self, http: Arc<dyn HttpClient>) -> Self {
        self.http = http;
        self
    }

    /// Adds routes of the test's own.
    pub(crate) fn routes(mut self, routes: &'static [Route]) -> Self {
        self.recipes.push(routes);
        self
    }

    /// Builds the app.
    pub(crate) async fn build(self) -> TestApp {
        let watch = Watch::new();
        let settings: Vec<_> = self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let mut config = BaseConfig::with(&settings, self.test_mode).expect("settings of a test are good");
        config.config_path = self.config_path;
        config.master_key = self.master_key.map(Secret::new);
        let config = Arc::new(config);
        let parts = ContextParts {
            store: self.store.unwrap_or_else(|| Arc::new(MemoryEngine::new())),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SeededEntropy::new(self.seed)),
            mail: self.mail.unwrap_or_else(|| Arc::new(SmtpTransport::with_patience(Duration::from_secs(5)))),
            http: self.http,
        };
        let context = Arc::new(app::compose(&config, parts).await.expect("a new app opens"));
        let cdi = Cdi::with_recipes(Arc::clone(&context), &self.recipes).expect("no route twice");
        let fdi = Arc::new(Fdi::new(Arc::clone(&context), 3568));
        let keys = self.settings.iter().filter(|(key, _)| key == "api_keys").flat_map(|(_, keys)| keys.split(','));
        keys.for_each(|key| watch.secret(key.trim()));
        TestApp { context, cdi: Arc::new(cdi), fdi, clock: self.clock, watch: Arc::new(watch) }
    }
}

/// An app in process.
#[derive(Clone)]
pub(crate) struct TestApp {
    /// The parts, for commands and stores.
    pub(crate) context: Arc<Context>,
    /// The HTTP layer in front of them.
    pub(crate) cdi: Arc<Cdi>,
    /// The front door.
    pub(crate) fdi: Arc<Fdi>,
    /// Its clock.
    pub(crate) clock: ManualClock,
    /// Secrets that it handed out and that must not appear in the logs.
    watch: Arc<Watch>,
}

impl TestApp {
    /// An app with default settings, in memory.
    pub(crate) async fn new() -> Self {
        Self::builder().build().await
    }

    /// An app with special settings.
    pub(crate) fn builder() -> TestAppBuilder {
        TestAppBuilder {
            settings: Vec::new(),
            config_path: None,
            master_key: None,
            test_mode: false,
            seed: 1,
            clock: ManualClock::at(START),
            store: None,
            mail: None,
            recipes: cdi::RECIPES.to_vec(),
            http: Arc::new(DirectHttp::new(Arc::new(SystemResolver))),
        }
    }

    /// Adds a secret of the test's own that must not appear in the logs.
    pub(crate) fn keep_secret(&self, text: &str) {
        self.watch.secret(text);
    }

    /// A request with any method. `path` may have a query.
    pub(crate) fn request(&self, method: Method, path: &str) -> TestRequest<'_> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            id: "test".to_owned(),
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        TestRequest { app: self, request, is_front: false }
    }

    /// A request to the front door, as from a browser that names no page.
    pub(crate) fn front(&self, method: Method, path: &str) -> TestRequest<'_> {
        self.front_at(method, "localhost", path)
    }

    /// A request to the front door under another host.
    pub(crate) fn front_at(&self, method: Method, host: &str, path: &str) -> TestRequest<'_> {
        TestRequest { is_front: true, ..self.request(method, path).host(host) }
    }

    /// A GET request.
    pub(crate) fn get(&self, path: &str) -> TestRequest<'_> {
        self.request(Method::GET, path)
    }

    /// A POST request with a JSON body.
    #[expect(clippy::needless_pass_by_value, reason = "`json!` reads better without a borrow")]
    pub(crate) fn post(&self, path: &str, body: Value) -> TestRequest<'_> {
        self.request(Method::POST, path).json(&body)
    }

    /// A PUT request with a JSON body.
    #[expect(clippy::needless_pass_by_value, reason = "`json!` reads better without a borrow")]
    pub(crate) fn put(&self, path: &str, body: Value) -> TestRequest<'_> {
        self.request(Method::PUT, path).json(&body)
    }

    /// A session of `user` without custom data, at the newest version.
    pub(crate) async fn session(&self, user: &str) -> TestReply {
        self.post("/recipe/session", new_session(user)).await.ok()
    }
}

/// The smallest body that creates a session.
pub(crate) fn new_session(user: &str) -> Value {
    json!({"userId": user, "enableAntiCsrf": false, "userDataInJWT": {}, "userDataInDatabase": {}})
}

/// A request under construction; awaiting it sends it.
pub(crate) struct TestRequest<'a> {
    app: &'a TestApp,
    request: Request,
    is_front: bool,
}

impl TestRequest<'_> {
    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header's name");
        self.request.headers.append(name, HeaderValue::try_from(value).expect("a header's value"));
        self
    }

    /// Sets the `cdi-version`.
    pub(crate) fn cdi(self, version: &str) -> Self {
        self.header("cdi-version", version)
    }

    /// Sets the API key.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("api-key", key)
    }

    /// Sets the host.
    pub(crate) fn host(self, host: &str) -> Self {
        self.header("host", host)
    }

    /// Sets the caller's address.
    pub(crate) fn from(mut self, peer: &str) -> Self {
        self.request.peer = peer.parse().expect("an address");
        self
    }

    /// Sets a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Sets any body.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.request.body = body.into();
        self
    }
}

impl<'a> IntoFuture for TestRequest<'a> {
    type Output = TestReply;
    type IntoFuture = Pin<Box<dyn Future<Output = TestReply> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let is_audit = self.request.path.ends_with("/audit");
            self.app.watch.request(&self.request.body);
            let reply = match self.is_front {
                true => self.app.fdi.dispatch(self.request).await,
                false => self.app.cdi.dispatch(self.request).await,
            };
            if is_audit {
                // Whatever the error text says was also logged, so no secret may be in it either.
                self.app.watch.search(&String::from_utf8_lossy(&reply.body));
            }
            self.app.watch.reply(&reply.body);
            for (name, value) in &reply.headers {
                self.app.watch.header(name.as_str(), value.to_str().unwrap_or_default());
            }
            for mail in self.app.context.mailer.caught.list() {
                self.app.watch.link(mail.link.as_deref().unwrap_or_default());
            }
            TestReply(reply)
        })
    }
}

/// A reply.
#[derive(Debug, Clone)]
pub(crate) struct TestReply(pub(crate) Reply);

impl TestReply {
    /// The status code.
    pub(crate) fn code(&self) -> u16 {
        self.0.status.as_u16()
    }

    /// The body of a JSON reply.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let types = [sessiond::http::exchange::JSON, sessiond::http::fdi::reply::JSON];
        assert!(types.contains(&self.0.content_type), "{}", self.body());
        serde_json::from_slice(&self.0.body).expect("a JSON reply has a JSON body")
    }

    /// The body as text, its final newline included.
    pub(crate) fn body(&self) -> String {
        String::from_utf8(self.0.body.to_vec()).expect("replies are UTF-8")
    }

    /// Asserts status 200 and protocol status `OK`.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.0.status, StatusCode::OK, "{}", self.body());
        assert_eq!(self.json()["status"], "OK", "{}", self.body());
        self
    }

    /// The values of a header that is not one of the usual ones.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.0.headers.iter().filter(|(other, _)| other.as_str() == name);
        named.map(|(_, value)| value.to_str().expect("headers of replies are ASCII")).collect()
    }

    /// Asserts a text reply: status, message and the newline after it.
    #[track_caller]
    pub(crate) fn is_text(&self, code: u16, sentence: &str) {
        assert_eq!((self.code(), self.body().as_str()), (code, format!("{sentence}\n").as_str()));
        assert_eq!(self.0.content_type, sessiond::http::exchange::TEXT);
    }

    /// A string at a JSON pointer.
    #[track_caller]
    pub(crate) fn text_at(&self, pointer: &str) -> String {
        let json = self.json();
        let found = json.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer} in {json}")).to_owned()
    }

    /// `accessToken.token`.
    #[track_caller]
    pub(crate) fn access_token(&self) -> String {
        self.text_at("/accessToken/token")
    }

    /// `refreshToken.token`.
    #[track_caller]
    pub(crate) fn refresh_token(&self) -> String {
        self.text_at("/refreshToken/token")
    }

    /// `session.handle`.
    #[track_caller]
    pub(crate) fn handle(&self) -> String {
        self.text_at("/session/handle")
    }
}

/// A real socket on a free port; stops when it is dropped.
pub(crate) struct TestServer {
    /// The address it listens on.
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Serves an app with the limits of its settings.
    pub(crate) async fn start(app: &TestApp) -> Self {
        Self::with(Arc::clone(&app.cdi), app.context.directory.base().limits).await
    }

    /// Serves anything, with special limits.
    pub(crate) async fn with<D: Dispatch>(dispatch: Arc<D>, limits: sessiond::config::Limits) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        Self::accepting(listener, address, dispatch, limits)
    }

    /// The same over TLS.
    pub(crate) async fn with_tls<D: Dispatch>(
        dispatch: Arc<D>,
        limits: sessiond::config::Limits,
        certificates: &Arc<Certificates>,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let tls = Tls::new(Arc::clone(certificates), true).expect("TLS is set up");
        Self::serving(listener, address, dispatch, limits, Some(tls))
    }

    /// The same, with connections from another source.
    pub(crate) fn accepting<D: Dispatch>(
        connections: impl Accept + 'static,
        address: SocketAddr,
        dispatch: Arc<D>,
        limits: sessiond::config::Limits,
    ) -> Self {
        Self::serving(connections, address, dispatch, limits, None)
    }

    fn serving<D: Dispatch>(
        connections: impl Accept + 'static,
        address: SocketAddr,
        dispatch: Arc<D>,
        limits: sessiond::config::Limits,
        tls: Option<Tls>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(server::serve(connections, limits, 1, dispatch, tls, shutdown));
        Self { address, stop: Some(stop), task: Some(task) }
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.task.take().expect("stopped once").await.expect("the server ends without a panic");
    }
}
