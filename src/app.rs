//! The composition root: the parts of a running server, put together once.
//!
//! Chooses the clock and the random source: those of [`crate::system`], or the caller's.

use crate::config::{BaseConfig, ConfigError};
use crate::domain::clock_watch::{ClockWatch, SETTLING_MS, Verdict};
use crate::domain::entropy::Entropy;
use crate::domain::time::{Clock, UnixMillis};
use crate::fault::Fault;
use crate::logs::LogError;
use crate::metrics::Metrics;
use crate::state::contention::Contention;
use crate::state::directory::{AppEntry, Directory};
use crate::state::health_limits::HealthLimits;
use crate::state::key::{KeyRing, KeyRings, MasterKey, Surroundings, UnlockError, unlock};
use crate::state::password::Hashing;
use crate::state::password::budgets::Budgets;
use crate::state::password::refusals::Refusals;
use crate::state::recent_marks::RecentMarks;
use crate::state::verified_tokens::VerifiedTokens;
use crate::store::memory::MemoryEngine;
use crate::store::sled::{Fatal, OnProgress, Options, SledEngine, open as open_sled};
use crate::store::{Engine, StoreError, user};
use crate::system::{SystemClock, SystemEntropy, create_private};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The part of the setting for cached records that access tokens may take which have been checked already; about 700
/// bytes each.
const VERIFIED_TOKENS_SHARE: u64 = 4;

/// Everything a command needs.
pub struct App {
    /// Where records live.
    pub store: Arc<dyn Engine>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    clock_watch: Mutex<ClockWatch>,
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

/// What an [`App`] takes from outside.
pub struct Parts {
    /// Where records live.
    pub store: Arc<dyn Engine>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a server could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// These settings do not go together.
    #[error("{0}")]
    Refused(String),
    /// Logging could not start.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The system would not give threads.
    #[error("cannot start worker threads: {0}")]
    Runtime(#[source] io::Error),
    /// The port could not be opened.
    #[error(
        "Error while starting webserver. Possible reasons: another program, or another sessiond, already uses port {port} \
         on {host}; or this user may not open the port; or {host} is not an address of this machine ({source}). Choose \
         another with --port or --host"
    )]
    Bind {
        /// Address.
        host: String,
        /// Port.
        port: u16,
        /// The system's word.
        source: io::Error,
    },
    /// The data folder is not usable.
    #[error("cannot use the data folder {path}: {source}. Choose a writable one with --data-dir")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The store would not open, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys would not open.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The store failed while the server ran.
    #[error("{0}. Everything acknowledged is on disk; free or mend the disk, then start again")]
    StoreFailed(String),
    /// Something else failed inside.
    #[error("{}", .0.chain())]
    Inside(#[from] Fault),
}

impl App {
    /// Opens the store, unlocks the keys and loads the directory. For short work: the process aborts should the store
    /// fail for good meanwhile.
    ///
    /// # Errors
    /// What was wrong, and what to do about it.
    pub async fn open(config: &Arc<BaseConfig>) -> Result<Self, StartError> {
        let fatal: Fatal = Arc::new(|_| std::process::abort());
        Self::over(config, &OpenStore::open(config, Arc::new(|_| ()), fatal)?).await
    }

    /// The same over a store that is open already. It is closed when something else does not open.
    ///
    /// # Errors
    /// When the keys or the directory cannot be read.
    pub async fn over(config: &Arc<BaseConfig>, store: &OpenStore) -> Result<Self, StartError> {
        let engine = store.engine();
        let parts =
            Parts { store: Arc::clone(&engine), clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) };
        let app = Self::compose(config, parts).await;
        if app.is_err() {
            // Nothing was written, so the next start may trust what is there. The first error is the one to report.
            let _ = engine.close().await;
        }
        app
    }

    /// The same over parts that the caller chose: tests bring their own store, clock and randomness.
    ///
    /// # Errors
    /// When the keys or the directory cannot be read.
    pub async fn compose(config: &Arc<BaseConfig>, parts: Parts) -> Result<Self, StartError> {
        let Parts { store, clock, entropy } = parts;
        let master = config.master_key.as_ref().map(|key| MasterKey::new(key.expose())).transpose()?;
        let vault = unlock(&*store, master.as_ref(), &*entropy).await?;
        let watch = if config.test_mode { ClockWatch::trusting } else { ClockWatch::new };
        let clock_watch = Mutex::new(watch(clock.reading()));
        let directory = Directory::load(Arc::clone(config), &*store).await?;
        user::listing::v1::upgrade(&*store).await?;
        user::count::establish(&*store).await?;
        Ok(Self {
            directory,
            store,
            clock,
            clock_watch,
            entropy,
            keys: Arc::new(KeyRings::new(vault)),
            verified: VerifiedTokens::new(config.cache_bytes / VERIFIED_TOKENS_SHARE),
            health: HealthLimits::default(),
            contention: Contention::default(),
            hashing: Hashing::new(config.hashing),
            budgets: Budgets::default(),
            refusals: Refusals::default(),
            activity: RecentMarks::default(),
            imports: Notify::new(),
            metrics: Metrics::default(),
        })
    }

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

/// The store of a server.
#[derive(Clone)]
pub enum OpenStore {
    /// In a data folder.
    Disk(Arc<SledEngine>),
    /// Gone at the process's end.
    Memory(Arc<MemoryEngine>),
}

impl OpenStore {
    /// Opens the data folder, or memory if that is what the settings say. Blocks while a folder is recovered.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(config: &BaseConfig, progress: OnProgress, fatal: Fatal) -> Result<Self, StartError> {
        let folder = create_private(&config.data_dir);
        if config.ephemeral {
            // Without a folder commands cannot find the server, which it says later; it serves all the same.
            return Ok(Self::Memory(Arc::new(MemoryEngine::new())));
        }
        folder.map_err(|source| StartError::Folder { path: config.data_dir.clone(), source })?;
        let options = Options { progress, fatal, ..disk_options(config) };
        let (engine, _report) = open_sled(&config.data_dir, &options)?;
        Ok(Self::Disk(Arc::new(engine)))
    }

    /// The store as commands see it.
    #[must_use]
    pub fn engine(&self) -> Arc<dyn Engine> {
        match self {
            Self::Disk(engine) => Arc::clone(engine) as _,
            Self::Memory(engine) => Arc::clone(engine) as _,
        }
    }
}

/// How a data folder is opened with these settings.
#[must_use]
pub fn disk_options(config: &BaseConfig) -> Options {
    let options = Options::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
    Options { cache_bytes: config.cache_bytes, ..options }
}
