//! [`Context`]: what every command is run with. Put together by [`crate::app`].

use crate::domain::clock_watch::{ClockWatch, SETTLING_MS, Verdict};
use crate::domain::entropy::Entropy;
use crate::domain::time::{Clock, UnixMillis};
use crate::fault::Fault;
use crate::metrics::Metrics;
use crate::state::contention::Contention;
use crate::state::directory::{AppEntry, Directory};
use crate::state::health_limits::HealthLimits;
use crate::state::key::{KeyRing, KeyRings, Surroundings};
use crate::state::password::Hashing;
use crate::state::password::budgets::Budgets;
use crate::state::password::refusals::Refusals;
use crate::state::recent_marks::RecentMarks;
use crate::state::verified_tokens::VerifiedTokens;
use crate::store::Engine;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Everything a command needs.
pub struct Context {
    /// Where records live.
    pub store: Arc<dyn Engine>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Whether the clock can be relied on.
    pub clock_watch: Mutex<ClockWatch>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Connection URI domains, apps and tenants with their effective settings.
    pub directory: Directory,
    /// Signing and sealing keys per app.
    pub keys: Arc<KeyRings>,
    /// Access tokens whose signature has been checked already.
    pub verified: VerifiedTokens,
    /// How often health checks may reach the store.
    pub health: HealthLimits,
    /// Where commands about one session queue when their commits conflict.
    pub contention: Contention,
    /// Where passwords are hashed.
    pub hashing: Hashing,
    /// Failed sign-ins.
    pub budgets: Budgets,
    /// Which refused sign-ins the audit log has been told of.
    pub refusals: Refusals,
    /// Whose activity was marked lately.
    pub activity: RecentMarks,
    /// Told when users were added that wait to be imported.
    pub imports: Notify,
    /// Figures for `/metrics`.
    pub metrics: Metrics,
}

impl Context {
    /// The present, shorthand for `clock.now()`.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// The present, if it can be relied on for what cannot be undone (see [`ClockWatch`]); says so once when it cannot
    /// any more.
    pub fn settled_now(&self) -> Option<UnixMillis> {
        let reading = self.clock.reading();
        // Plain numbers: no panic leaves them half-changed.
        let verdict = self.clock_watch.lock().unwrap_or_else(PoisonError::into_inner).judge(reading);
        match verdict {
            Verdict::Settled => Some(reading.wall),
            Verdict::Settling => None,
            Verdict::Jumped { by_ms, ahead } => {
                let way = if ahead { "ahead" } else { "back" };
                tracing::warn!(
                    "the system's clock jumped {way} by {} s: what has expired is refused but not deleted until the \
                     clock has gone evenly for {} h. If the time is wrong now, correct it and see to the time service; if \
                     it is right (it was wrong before, or the machine was paused), nothing needs to be done",
                    by_ms / 1000,
                    SETTLING_MS / 3_600_000,
                );
                None
            }
        }
    }

    /// What the key rings need of this server.
    pub fn surroundings(&self) -> Surroundings<'_> {
        let settled = self.settled_now();
        let now = settled.unwrap_or_else(|| self.now());
        Surroundings { store: &*self.store, entropy: &*self.entropy, now, settled: settled.is_some() }
    }

    /// An app's keys, ready for use: made, published, promoted and retired as the clock demands.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn key_ring(&self, app: &AppEntry) -> Result<Arc<KeyRing>, Fault> {
        self.keys.ring(app, self.now(), || self.surroundings()).await
    }
}
