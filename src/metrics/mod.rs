//! Figures for `GET /metrics`, in the OpenMetrics text format that Prometheus reads.
//!
//! Counters are resolved when they are declared, so that counting is one atomic addition and no request allocates a
//! label. Figures that the store, caches and keys count themselves are read on request.

mod counters;
mod gate;
mod hooks;
mod limits;
mod mail;
mod password;

use crate::crypto::password::pool::PoolStats;
use crate::domain::password::HashFamily;
use crate::domain::session::event::EventKind;
use crate::domain::time::UnixMillis;
use crate::domain::user::RecipeId;
use crate::store::EngineStats;
use crate::table::table;
use http::StatusCode;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::fmt::Debug;
use std::time::Duration;

/// The `Content-Type` of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
pub use counters::CountersBy;
pub use gate::{BounceOutcome, GateOutcome};
pub use hooks::{HookOutcome, QuestionOutcome};
pub use limits::LimitFigures;
pub use mail::MailOutcome;
pub use password::SignInOutcome;

/// First word of every figure's name.
const PREFIX: &str = "sessiond";
/// Upper bounds of the latency buckets, in seconds.
const LATENCY_BUCKETS: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// Every figure the server keeps.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    /// Panics caught in handlers.
    pub panics: Counter,
    /// Counters of what happens to sessions.
    pub sessions: SessionFigures,
    /// Sign-ins with a password, by outcome.
    pub sign_ins: CountersBy<SignInOutcome>,
    /// People who signed up themselves, without imported users, by recipe.
    pub sign_ups: CountersBy<RecipeId>,
    /// Attempts to send mails, by outcome.
    pub mails: CountersBy<MailOutcome>,
    /// Attempts to tell hooks of events, by outcome.
    pub hooks: CountersBy<HookOutcome>,
    /// Requests of the front door that were too many.
    pub limits: LimitFigures,
    /// Questions to hooks, by outcome.
    pub questions: CountersBy<QuestionOutcome>,
    /// Requests that proxies asked the gate about, by outcome.
    pub gate: CountersBy<GateOutcome>,
    /// Page loads that were sent to refresh their session, by outcome.
    pub bounces: CountersBy<BounceOutcome>,
}

/// Counters of what happens to sessions. Each outcome has its own counter, resolved once.
pub struct SessionFigures {
    /// Sessions created.
    pub created: Counter,
    /// Sessions ended by a call.
    pub revoked: Counter,
    /// Sessions removed after their end of life.
    pub expired: Counter,
    /// Tokens that took their parent's place at their first use.
    pub promoted: Counter,
    /// Siblings that took the promoted token's place within the grace period.
    pub siblings: Counter,
    /// Tokens replaced at refresh.
    pub rotated: Counter,
    /// Previous tokens exchanged once more within the grace period.
    pub grace_replays: Counter,
    refreshes: CountersBy<RefreshOutcome>,
}

table! {
    /// The outcome of a refresh.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum RefreshOutcome {
        /// New tokens were issued.
        Ok, "ok";
        /// No such session, or a bad token.
        Unauthorised, "unauthorised";
        /// A recent token came back, and the app is configured to treat that as signed out.
        Reuse, "reuse";
        /// A replaced token came back.
        Theft, "theft";
        /// The request was not valid.
        Invalid, "invalid";
    }
}

/// The current keys of all apps whose keys are in memory. There is one figure for all apps: a label per app would
/// create as many figures as there are apps.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeySnapshot {
    /// Apps whose keys are in memory.
    pub rings: u64,
    /// Keys in their JWKS documents.
    pub published: u64,
    /// Age of the oldest dynamic key that signs now, in ms; `None` without any.
    pub signing_age_ms: Option<u64>,
    /// Time until the first of them may publish a new dynamic key, in ms; `None` without any.
    pub next_change_ms: Option<u64>,
}

impl KeySnapshot {
    /// Combines the figures of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            rings: self.rings + other.rings,
            published: self.published + other.published,
            signing_age_ms: self.signing_age_ms.max(other.signing_age_ms),
            next_change_ms: self.next_change_ms.into_iter().chain(other.next_change_ms).min(),
        }
    }
}

impl SessionFigures {
    fn registered(registry: &mut Registry) -> Self {
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let created = counter("sessions_created", "Sessions created");
        let revoked = counter("sessions_revoked", "Sessions ended by a call");
        let expired = counter("sessions_expired", "Sessions removed after their end of life");
        let figure = ("refreshes", "Refreshes by outcome");
        let refreshes =
            CountersBy::registered(registry, figure, ("outcome", RefreshOutcome::name), RefreshOutcome::ALL);
        let moves: Family<MoveLabels, Counter> = Family::default();
        registry.register("lineage_moves", "Changes of a session's live refresh token by kind", moves.clone());
        let moves = |kind| moves.get_or_create(&MoveLabels { kind }).clone();
        Self {
            created,
            revoked,
            expired,
            promoted: moves("promoted"),
            siblings: moves("sibling"),
            rotated: moves("rotated"),
            grace_replays: moves("grace"),
            refreshes,
        }
    }

    /// Counts an event that moved a session's lineage; other events are counted where they are caused.
    pub fn count(&self, event: &EventKind) {
        match event {
            EventKind::Promoted { .. } => self.promoted.inc(),
            EventKind::SiblingMoved { .. } => self.siblings.inc(),
            EventKind::Rotated { .. } => self.rotated.inc(),
            EventKind::GraceReplay { .. } => self.grace_replays.inc(),
            _ => 0,
        };
    }

    /// Counts one refresh.
    pub fn refreshed(&self, outcome: RefreshOutcome) {
        self.refreshes.count(outcome);
    }
}

/// Figures that are counted elsewhere, read on request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot {
    /// The store's own figures.
    pub engine: EngineStats,
    /// Access tokens that were found in the cache of verified ones.
    pub verified_hits: u64,
    /// Access tokens whose signature had to be checked.
    pub verified_misses: u64,
    /// Apps in the directory.
    pub apps: u64,
    /// All apps' keys.
    pub keys: KeySnapshot,
    /// Password hashing, in the order of [`HashFamily::ALL`].
    pub hashing: [PoolStats; HashFamily::ALL.len()],
    /// When the first of the front door's certificates expires; `None` without TLS.
    pub certificate_expires: Option<UnixMillis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MoveLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

/// One route's counters, resolved.
pub struct RouteFigures {
    success: Counter,
    client_error: Counter,
    server_error: Counter,
    latency: Histogram,
}

impl RouteFigures {
    /// Counts one reply.
    pub fn record(&self, status: StatusCode, took: Duration) {
        match status.as_u16() {
            ..400 => self.success.inc(),
            400..500 => self.client_error.inc(),
            _ => self.server_error.inc(),
        };
        self.latency.observe(took.as_secs_f64());
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let requests = Family::default();
        registry.register("requests", "Replies by route and status class", requests.clone());
        let latency: Family<RouteLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS));
        registry.register("request_seconds", "Time from the whole request to the reply", latency.clone());
        let panics = Counter::default();
        registry.register("panics", "Handlers that panicked", panics.clone());
        let sessions = SessionFigures::registered(&mut registry);
        let figure = ("sign_ins", "Sign-ins with a password by outcome");
        let sign_ins =
            CountersBy::registered(&mut registry, figure, ("outcome", SignInOutcome::name), SignInOutcome::ALL);
        let figure = ("sign_ups", "Sign-ups by recipe, without imports");
        let sign_ups = CountersBy::registered(&mut registry, figure, ("recipe", RecipeId::as_str), RecipeId::ALL);
        let figure = ("mails", "Attempts to send mails by outcome");
        let mails = CountersBy::registered(&mut registry, figure, ("outcome", MailOutcome::name), MailOutcome::ALL);
        let figure = ("hook_events", "Attempts to tell hooks of events by outcome");
        let hooks = CountersBy::registered(&mut registry, figure, ("outcome", HookOutcome::name), HookOutcome::ALL);
        let figure = ("hook_questions", "Questions to inline hooks by outcome");
        let questions =
            CountersBy::registered(&mut registry, figure, ("outcome", QuestionOutcome::name), QuestionOutcome::ALL);
        let figure = ("gate_requests", "Requests that proxies asked the gate about by outcome");
        let gate = CountersBy::registered(&mut registry, figure, ("outcome", GateOutcome::name), GateOutcome::ALL);
        let figure = ("gate_bounces", "Page loads that the gate sent to refresh their session by outcome");
        let bounces =
            CountersBy::registered(&mut registry, figure, ("outcome", BounceOutcome::name), BounceOutcome::ALL);
        let limits = LimitFigures::registered(&mut registry);
        Self {
            registry,
            requests,
            latency,
            panics,
            sessions,
            sign_ins,
            sign_ups,
            mails,
            hooks,
            questions,
            gate,
            bounces,
            limits,
        }
    }
}

impl Metrics {
    /// The counters of the route with this label.
    pub fn route(&self, route: &'static str) -> RouteFigures {
        let class = |class| self.requests.get_or_create(&RequestLabels { route, class }).clone();
        RouteFigures {
            success: class("2xx"),
            client_error: class("4xx"),
            server_error: class("5xx"),
            latency: self.latency.get_or_create(&RouteLabels { route }).clone(),
        }
    }

    /// Every figure as text; see [`CONTENT_TYPE`].
    #[must_use]
    pub fn text(&self, snapshot: &Snapshot) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // invariant: writing to a string does not fail
        let _ = encode_registry(&mut text, &self.registry);
        let _ = encode_registry(&mut text, &snapshot.registry());
        let _ = encode_eof(&mut text);
        text
    }
}

impl Snapshot {
    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let mut counter = |name, help, value| register(&mut registry, name, help, ConstCounter::new(value));
        counter("commits", "Commits that became durable", self.engine.commits);
        counter("commit_conflicts", "Commits refused because something read had changed", self.engine.conflicts);
        counter("commit_groups", "Groups of commits written with one disk wait each", self.engine.groups);
        counter("verified_token_cache_hits", "Access tokens found in the cache of verified tokens", self.verified_hits);
        counter("verified_token_cache_misses", "Access tokens whose signature was checked", self.verified_misses);
        let mut gauge = |name, help, value| register(&mut registry, name, help, ConstGauge::new(value));
        gauge("journal_bytes", "Size of the journal", self.engine.journal_bytes);
        gauge("disk_bytes", "Size of the data folder", self.engine.disk_bytes);
        gauge("apps", "Apps", self.apps);
        gauge("key_rings", "Apps whose keys are in memory", self.keys.rings);
        gauge("published_keys", "Signing keys in the JWKS of apps in memory", self.keys.published);
        if let Some(age) = self.keys.signing_age_ms {
            gauge("signing_key_age_seconds", "Age of the oldest dynamic key that signs", age / 1000);
        }
        if let Some(next_change) = self.keys.next_change_ms {
            gauge("next_key_change_seconds", "Time until an app may publish the next signing key", next_change / 1000);
        }
        if let Some(UnixMillis(expires)) = self.certificate_expires {
            let help = "When the front door's TLS certificate expires, in seconds since 1970";
            gauge("tls_certificate_expiry_timestamp_seconds", help, expires / 1000);
        }
        password::register(&mut registry, &self.hashing);
        registry
    }
}

fn register(
    registry: &mut Registry,
    name: &str,
    help: &str,
    figure: impl EncodeMetric + Debug + Send + Sync + 'static,
) {
    registry.register(name, help, figure);
}
