//! A server without a socket for the fuzz targets: in memory, with a clock that stands still and reproducible
//! randomness.

mod front;
pub mod provider;
pub mod stored;

pub use front::FRONT;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use sessiond::app::{self, ContextParts};
use sessiond::config::BaseConfig;
use sessiond::context::Context;
use sessiond::control::Task;
use sessiond::control::task_context::TaskContext;
use sessiond::control::tasks;
use sessiond::domain::entropy::Entropy;
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
use sessiond::domain::user::{Login, LoginMethod, User};
use sessiond::http::cdi::{Cdi, RECIPES};
use sessiond::http::exchange::{Reply, Request, Verb};
use sessiond::http::server::Dispatch;
use sessiond::outbound::http::{DirectHttp, HttpClient, SystemResolver};
use sessiond::outbound::mail::SmtpTransport;
use sessiond::state::key::KeyRing;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::user;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;

/// The server that receives all inputs of a run.
pub static SERVER: LazyLock<Server> = LazyLock::new(Server::new);

/// The current time for every input.
pub const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

/// A server without a socket.
pub struct Server {
    runtime: Runtime,
    context: Arc<Context>,
    cdi: Cdi,
    /// The keys of the base app.
    pub ring: Arc<KeyRing>,
    /// A valid access token.
    pub access_token: String,
    /// A valid refresh token.
    pub refresh_token: String,
    /// The session that both belong to.
    pub handle: String,
    /// The id of a user with a password.
    pub user: String,
    /// A valid password-reset token of that user.
    pub reset_token: String,
}

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> UnixMillis {
        NOW
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(0)
    }

    fn boot(&self) -> BootId {
        BootId([1; 16])
    }
}

/// Counts up: secrecy does not matter here, and every run is like the last.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Bytes that differ from call to call but are the same in every run.
pub fn counting() -> impl Entropy {
    Counting(AtomicU64::new(1))
}

/// Drives a future that never waits.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Waits for a future that does not need the server.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);
    RUNTIME.block_on(work)
}

/// Requests to others over connections of our own; settings that nobody changed allow none.
fn direct() -> Arc<dyn HttpClient> {
    Arc::new(DirectHttp::new(Arc::new(SystemResolver)))
}

/// A server's parts, in memory, with these settings.
fn context(runtime: &Runtime, settings: &[(&str, &str)], http: Arc<dyn HttpClient>) -> Arc<Context> {
    let all = [&[("ephemeral", "true"), ("bcrypt_log_rounds", "4")], settings].concat();
    let config = Arc::new(BaseConfig::with(&all, false).expect("good settings"));
    let parts = ContextParts {
        store: Arc::new(MemoryEngine::new()),
        clock: Arc::new(StandingClock),
        entropy: Arc::new(counting()),
        mail: Arc::new(SmtpTransport::default()),
        http,
    };
    Arc::new(runtime.block_on(app::compose(&config, parts)).expect("an app"))
}

impl Server {
    fn new() -> Self {
        let runtime = runtime();
        let context = context(&runtime, &[], direct());
        let cdi = Cdi::new(Arc::clone(&context), Vec::new()).expect("no route twice");
        let entry = context.directory.app(&AppId::base()).expect("the base app");
        let ring = runtime.block_on(context.key_ring(&entry)).expect("keys");
        let empty = String::new;
        let mut server = Self {
            runtime,
            context,
            cdi,
            ring,
            access_token: empty(),
            refresh_token: empty(),
            handle: empty(),
            user: empty(),
            reset_token: empty(),
        };
        let body = r#"{"userId":"u","userDataInJWT":{"a":[1,null]},"userDataInDatabase":{},"enableAntiCsrf":true}"#;
        let reply = server.made("/recipe/session", body);
        let text = |owner: &str, member: &str| reply[owner][member].as_str().expect("a session").to_owned();
        server.access_token = text("accessToken", "token");
        server.refresh_token = text("refreshToken", "token");
        server.handle = text("session", "handle");
        server.runtime.block_on(server.people());
        let signed_up = server.made("/recipe/signup", r#"{"email":"p@example.org","password":"password"}"#);
        server.user = signed_up["user"]["id"].as_str().expect("a user").to_owned();
        let body = format!(r#"{{"userId":"{}","email":"p@example.org"}}"#, server.user);
        let token = server.made("/recipe/user/password/reset/token", &body);
        server.reset_token = token["token"].as_str().expect("a token").to_owned();
        server
    }

    /// The reply to a request made while setting up the run.
    fn made(&self, path: &str, body: &str) -> serde_json::Value {
        let reply = self.ask(Method::POST, path, "", HeaderMap::new(), body.as_bytes());
        serde_json::from_slice(&reply.body).expect("JSON")
    }

    /// Three users with an address each: `a`, `b` and `c`.
    async fn people(&self) {
        for id in ["a", "b", "c"] {
            let person = User::new(LoginMethod {
                id: UserId::new(id),
                external: None,
                tenants: [TenantId::public()].into(),
                time_joined: NOW,
                login: Login::Passwordless { email: Some(format!("{id}@example.org")), phone_number: None },
            });
            let mut tx = self.context.store.begin();
            user::save(tx.as_mut(), &AppId::base(), &[], &[&person]).await.expect("a store").expect("nobody else");
            tx.commit().await.expect("a store");
        }
    }

    /// The parts behind the dispatcher.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The reply to a request. Panics, as a finding, if a caller's input may not lead to such a reply.
    pub fn ask(&self, method: Method, path: &str, query: &str, headers: HeaderMap, body: &[u8]) -> Reply {
        let request = request(method, (path, query), headers, body);
        let reply = self.runtime.block_on(self.cdi.dispatch(request));
        let text = String::from_utf8(reply.body.to_vec()).expect("replies are UTF-8");
        if reply.status == StatusCode::OK && reply.content_type.starts_with("application/json") {
            let _: serde_json::Value = serde_json::from_str(&text).expect("a JSON reply is JSON");
        }
        let fine = reply.status.is_success()
            || reply.status.is_client_error()
            || reply.status == StatusCode::NOT_IMPLEMENTED
            // The protocol's reply to an invalid token.
            || (reply.status == StatusCode::INTERNAL_SERVER_ERROR && text == "accessToken is not a JWT\n");
        assert!(fine, "{} {text}", reply.status);
        reply
    }

    /// The result of a task of the command line. Panics, as a finding, if its error is not a readable message.
    pub fn task(&self, task: Task) -> Result<serde_json::Value, String> {
        let tasks = TaskContext { context: &self.context, report: Arc::new(|_| {}), served: true };
        let outcome = self.runtime.block_on(tasks::run(&tasks, task));
        if let Err(sentence) = &outcome {
            assert!(!sentence.is_empty() && !sentence.contains('\n'), "no sentence: {sentence:?}");
        }
        outcome
    }

    /// `text` with `$A`, `$R`, `$H`, `$P` and `$T` replaced by a valid access token, refresh token, handle, id of a
    /// user and password-reset token.
    pub fn fill_in(&self, text: &str) -> String {
        let text = text.replace("$A", &self.access_token).replace("$R", &self.refresh_token);
        text.replace("$H", &self.handle).replace("$P", &self.user).replace("$T", &self.reset_token)
    }
}

/// A request from this machine.
fn request(method: Method, (path, query): (&str, &str), headers: HeaderMap, body: &[u8]) -> Request {
    Request {
        id: "fuzz".to_owned(),
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: bytes::Bytes::copy_from_slice(body),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

/// Headers from lines `name: value`; other lines are skipped.
pub fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    let pairs = lines.filter_map(|line| line.split_once(':'));
    pairs
        .filter_map(|(name, value)| {
            Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        })
        .collect()
}

/// A valid token changed as the fuzzer likes: pairs of a position and the new character.
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

/// An endpoint of the table of routes.
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// `METHOD path`, or the path alone where all are GET.
    name: String,
}

/// Endpoints to choose from.
pub struct Endpoints(Vec<Endpoint>);

/// All endpoints.
pub static ALL: LazyLock<Endpoints> =
    LazyLock::new(|| Endpoints::of(|_| true, |verb, path| format!("{verb:?} {path}")));
/// Endpoints that take only a query.
pub static QUERIES: LazyLock<Endpoints> =
    LazyLock::new(|| Endpoints::of(|verb| verb == Verb::GET, |_, path| path.to_owned()));

const VERSIONS: [&str; 7] = ["2.7", "2.21", "3.1", "4.0", "5.0", "5.4", "5.6"];
const RIDS: [&str; 4] = ["", "emailpassword", "thirdparty", "passwordless"];

impl Endpoints {
    fn of(wanted: impl Fn(Verb) -> bool, name: impl Fn(Verb, &str) -> String) -> Self {
        let mut endpoints: Vec<_> = RECIPES
            .iter()
            .flat_map(|routes| *routes)
            .filter(|route| wanted(route.verb))
            .map(|route| {
                let path = if route.path.is_empty() { "/" } else { route.path };
                let method = format!("{:?}", route.verb).parse().expect("a method");
                Endpoint { method, path, name: name(route.verb, path) }
            })
            .collect();
        endpoints.sort_by(|a, b| a.name.cmp(&b.name));
        endpoints.dedup_by(|a, b| a.name == b.name);
        Self(endpoints)
    }

    /// The endpoint that a line names, and the headers for the version and recipe that it names. Whatever it does not
    /// name properly is chosen by its bytes.
    pub fn choose(&self, line: &str) -> (&Endpoint, HeaderMap) {
        let sum: usize = line.bytes().map(usize::from).sum();
        let mut named = self
            .0
            .iter()
            .filter(|one| line.strip_prefix(&one.name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
        let endpoint = named.next_back().unwrap_or(&self.0[sum % self.0.len()]);
        let words: Vec<_> = line.split(' ').collect();
        let version =
            VERSIONS.iter().find(|version| words.contains(version)).unwrap_or(&VERSIONS[sum % VERSIONS.len()]);
        let rid = RIDS.iter().find(|rid| words.last() == Some(rid)).unwrap_or(&RIDS[0]);
        let lines = [format!("cdi-version: {version}"), format!("rid: {rid}")];
        (endpoint, headers(lines.iter().map(String::as_str)))
    }
}

/// Splits the query, which begins with a blank and a question mark, off the end of a first line.
pub fn split_query(line: &str) -> (&str, &str) {
    line.split_once(" ?").unwrap_or((line, ""))
}

/// The first line, and the rest.
pub fn split_line(data: &[u8]) -> (String, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    (String::from_utf8_lossy(&data[..end]).into_owned(), data.get(end + 1..).unwrap_or_default())
}
