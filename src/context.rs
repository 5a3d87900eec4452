//! [`Context`]: the environment of every command. Built by [`crate::app`].

use crate::domain::entropy::Entropy;
use crate::domain::session::AccessTokenVersion;
use crate::domain::time::{Clock, Reading, SteadyMillis, UnixMillis};
use crate::fault::Fault;
use crate::metrics::Metrics;
use crate::outbound::acme::AcmeClient;
use crate::outbound::hook::HookClient;
use crate::outbound::mail::Mailer;
use crate::outbound::provider::ProviderClient;
use crate::state::certificates::Certificates;
use crate::state::contention::Contention;
use crate::state::directory::{AppEntry, Directory};
use crate::state::health_limits::HealthLimits;
use crate::state::identities::Identities;
use crate::state::key::{KeyContext, KeyRing, KeyRings, Need};
use crate::state::outbox::{EventOutbox, MailOutbox};
use crate::state::password::Hashing;
use crate::state::password::budgets::Budgets;
use crate::state::password::refusals::Refusals;
use crate::state::rate_limits::RateLimits;
use crate::state::recent_marks::RecentMarks;
use crate::state::recent_sign_ins::RecentSignIns;
use crate::state::settled_clock::SettledClock;
use crate::state::shared_refreshes::SharedRefreshes;
use crate::state::sightings::Sightings;
use crate::state::verified_tokens::VerifiedTokens;
use crate::store::Engine;
use std::sync::Arc;
use tokio::sync::Notify;

/// Everything a command needs.
pub struct Context {
    /// The store of the records.
    pub store: Arc<dyn Engine>,
    /// The source of the present time.
    pub clock: Arc<dyn Clock>,
    /// Whether the clock can be relied on for actions that cannot be undone.
    pub settled_clock: SettledClock,
    /// The source of random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Connection URI domains, apps and tenants with their effective settings.
    pub directory: Directory,
    /// Signing and sealing keys per app.
    pub keys: Arc<KeyRings>,
    /// Access tokens whose signature has already been checked.
    pub verified: VerifiedTokens,
    /// What the gate tells applications about tokens that it knows.
    pub identities: Identities,
    /// Refreshes whose result several page loads share.
    pub shared_refreshes: SharedRefreshes,
    /// The limits on how often health checks may reach the store.
    pub health: HealthLimits,
    /// Queues for commands on the same session whose commits conflict.
    pub contention: Contention,
    /// The threads that hash passwords.
    pub hashing: Hashing,
    /// Budgets of failed sign-ins.
    pub budgets: Budgets,
    /// The refused sign-ins that are already in the audit log.
    pub refusals: Refusals,
    /// What has been used of the front door's limits.
    pub limits: RateLimits,
    /// The users whose activity was marked recently.
    pub activity: Arc<RecentMarks>,
    /// Notified when users waiting to be imported were added.
    pub imports: Notify,
    /// What the front door shows in TLS handshakes.
    pub certificates: Arc<Certificates>,
    /// Writes mails and hands them to servers.
    pub mailer: Mailer,
    /// Wakes the job that sends mails.
    pub outbox: MailOutbox,
    /// What the job that tells hooks of events keeps in memory.
    pub events: EventOutbox,
    /// Calls hooks.
    pub hooks: HookClient,
    /// The client of third-party providers.
    pub providers: ProviderClient,
    /// The client of the authority for the front door's certificates.
    pub acme: AcmeClient,
    /// What requests have shown that does not fit in the set-up.
    pub sightings: Sightings,
    /// The browsers that should have tokens to show.
    pub sign_ins: RecentSignIns,
    /// Figures for `/metrics`.
    pub metrics: Metrics,
}

impl Context {
    /// The present, shorthand for `clock.now()`.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// The present for pauses that end with the process, shorthand for `clock.steady()`.
    pub fn steady(&self) -> SteadyMillis {
        self.clock.steady()
    }

    /// The present, if it can be relied on for actions that cannot be undone; see [`SettledClock`].
    pub fn settled_now(&self) -> Option<Reading> {
        let now = self.clock.reading();
        self.settled_clock.trusts(now).then_some(now)
    }

    /// The environment that key rings need.
    pub fn key_context(&self) -> KeyContext<'_> {
        let now = self.clock.reading();
        let settled = self.settled_clock.trusts(now);
        KeyContext { store: &*self.store, entropy: &*self.entropy, now: now.wall, steady: now.steady, settled }
    }

    /// An app's keys, ready for use: made, published, promoted and retired as the clock demands.
    ///
    /// # Errors
    /// When the store or the master key fails.
    pub async fn key_ring(&self, app: &AppEntry) -> Result<Arc<KeyRing>, Fault> {
        self.keys.ring(app, Need::Any, self.clock.reading(), || self.key_context()).await
    }

    /// Same as [`key_ring`](Self::key_ring), to mint access tokens of this layout: some need an RSA key, whatever the
    /// app's algorithm. The first caller that needs one waits until it is made.
    ///
    /// # Errors
    /// When the store, the master key or the RSA library fails.
    pub async fn key_ring_to_mint(&self, app: &AppEntry, version: AccessTokenVersion) -> Result<Arc<KeyRing>, Fault> {
        let need = if version.needs_rsa() { Need::Rsa } else { Need::Any };
        self.keys.ring(app, need, self.clock.reading(), || self.key_context()).await
    }
}
