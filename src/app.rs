//! The composition root: the parts of a running server, put together once.
//!
//! The only module that names the system's clock and random source.

use crate::command::health::HealthLimits;
use crate::command::key::KeyRings;
use crate::command::session::verified::VerifiedTokens;
use crate::command::tenancy::Directory;
use crate::domain::entropy::Entropy;
use crate::domain::time::{Clock, UnixMillis};
use crate::metrics::Metrics;
use crate::store::Engine;
use std::sync::Arc;

/// Everything a command needs.
pub struct App {
    /// Where records live.
    pub store: Arc<dyn Engine>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Connection URI domains, apps and tenants with their effective settings.
    pub directory: Directory,
    /// Signing and sealing keys per app.
    pub keys: KeyRings,
    /// Access tokens whose signature has been checked already.
    pub verified: VerifiedTokens,
    /// How often health checks may reach the store.
    pub health: HealthLimits,
    /// Figures for `/metrics`.
    pub metrics: Metrics,
    /// Runs under an SDK's test suite: rules for time spans are relaxed, see the configuration docs.
    pub test_mode: bool,
}

impl App {
    /// The present, shorthand for `clock.now()`.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> UnixMillis {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UnixMillis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}
