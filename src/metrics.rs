//! Figures for `GET /metrics`, in the Prometheus text format.
//!
//! Counters are resolved when they are declared, so that counting is one atomic addition and no request allocates a
//! label.

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Upper bounds of the latency buckets, in seconds.
const LATENCY_BUCKETS: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// Every figure the server keeps.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    /// Panics caught in handlers.
    pub panics: Counter,
    /// What happens to sessions.
    pub sessions: SessionFigures,
}

/// What happens to sessions. Each outcome has its counter, resolved once.
pub struct SessionFigures {
    /// Sessions created.
    pub created: Counter,
    /// Sessions ended by a call.
    pub revoked: Counter,
    /// Sessions removed after their end of life.
    pub expired: Counter,
    refreshes: [(RefreshOutcome, Counter); RefreshOutcome::ALL.len()],
}

/// What a refresh came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// New tokens.
    Ok,
    /// No such session, or a bad token.
    Unauthorised,
    /// A recent token came back, and the app treats that as signed out.
    Reuse,
    /// A replaced token came back.
    Theft,
    /// The request was not acceptable.
    Invalid,
}

impl RefreshOutcome {
    const ALL: [Self; 5] = [Self::Ok, Self::Unauthorised, Self::Reuse, Self::Theft, Self::Invalid];

    const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unauthorised => "unauthorised",
            Self::Reuse => "reuse",
            Self::Theft => "theft",
            Self::Invalid => "invalid",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
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
        let refreshes: Family<OutcomeLabels, Counter> = Family::default();
        registry.register("refreshes", "Refreshes by outcome", refreshes.clone());
        let refreshes = RefreshOutcome::ALL
            .map(|outcome| (outcome, refreshes.get_or_create(&OutcomeLabels { outcome: outcome.label() }).clone()));
        Self { created, revoked, expired, refreshes }
    }

    /// Counts one refresh.
    pub fn refreshed(&self, outcome: RefreshOutcome) {
        if let Some((_, counter)) = self.refreshes.iter().find(|(known, _)| *known == outcome) {
            counter.inc();
        }
    }
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
    classes: [Counter; 3],
    latency: Histogram,
}

impl RouteFigures {
    /// Counts one reply.
    pub fn answered(&self, status: StatusCode, took: Duration) {
        let [success, client, server] = &self.classes;
        let class = match status.as_u16() {
            ..400 => success,
            400..500 => client,
            _ => server,
        };
        class.inc();
        self.latency.observe(took.as_secs_f64());
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sessiond");
        let requests = Family::default();
        registry.register("requests", "Replies by route and status class", requests.clone());
        let latency: Family<RouteLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS));
        registry.register("request_seconds", "Time from the whole request to the reply", latency.clone());
        let panics = Counter::default();
        registry.register("panics", "Handlers that panicked", panics.clone());
        let sessions = SessionFigures::registered(&mut registry);
        Self { registry, requests, latency, panics, sessions }
    }
}

impl Metrics {
    /// The counters of the route with this label.
    pub fn route(&self, route: &'static str) -> RouteFigures {
        let class = |class| self.requests.get_or_create(&RequestLabels { route, class }).clone();
        RouteFigures {
            classes: [class("2xx"), class("4xx"), class("5xx")],
            latency: self.latency.get_or_create(&RouteLabels { route }).clone(),
        }
    }
}

impl Metrics {
    /// Every figure in the Prometheus text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // invariant: writing to a string does not fail
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}
