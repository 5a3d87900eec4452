//! The composition root: the parts of a running server, put together once.
//!
//! The only module that names the system's clock and random source.

use crate::command::health::HealthLimits;
use crate::command::key::{KeyRings, MasterKey, UnlockError, unlock};
use crate::command::session::retry::Contention;
use crate::command::session::verified::VerifiedTokens;
use crate::command::tenancy::Directory;
use crate::config::{BaseConfig, ConfigError};
use crate::domain::entropy::Entropy;
use crate::domain::time::{Clock, UnixMillis};
use crate::fault::Fault;
use crate::logs::LogError;
use crate::metrics::Metrics;
use crate::store::memory::MemoryEngine;
use crate::store::{Engine, StoreError};
use rand::TryRng;
use rand::rngs::SysRng;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Memory for access tokens that have been checked already; about a kilobyte each.
const VERIFIED_TOKENS_BYTES: u64 = 16 << 20;

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
    pub keys: Arc<KeyRings>,
    /// Access tokens whose signature has been checked already.
    pub verified: VerifiedTokens,
    /// How often health checks may reach the store.
    pub health: HealthLimits,
    /// Where commands about one session queue when their commits conflict.
    pub contention: Contention,
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
    /// Something else failed inside.
    #[error("{}", .0.chain())]
    Inside(#[from] Fault),
}

impl App {
    /// Opens the store, unlocks the keys and loads the directory.
    ///
    /// # Errors
    /// What was wrong, and what to do about it.
    pub async fn open(config: &Arc<BaseConfig>) -> Result<Self, StartError> {
        let store = open_store(config)?;
        let parts = Parts { store: Arc::clone(&store), clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) };
        let app = Self::compose(config, parts).await;
        if app.is_err() {
            // Nothing was written, so the next start may trust what is there. The first error is the one to report.
            let _ = store.close().await;
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
        Ok(Self {
            directory: Directory::load(Arc::clone(config), &*store).await?,
            store,
            clock,
            entropy,
            keys: Arc::new(KeyRings::new(vault)),
            verified: VerifiedTokens::new(VERIFIED_TOKENS_BYTES),
            health: HealthLimits::default(),
            contention: Contention::default(),
            metrics: Metrics::default(),
        })
    }

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

/// The system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(bytes) {
            // Without randomness every token would be guessable: no server is better than that one.
            tracing::error!(%error, "the system's random source failed");
            std::process::abort();
        }
    }
}

fn open_store(config: &BaseConfig) -> Result<Arc<dyn Engine>, StartError> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|source| StartError::Folder { path: config.data_dir.clone(), source })?;
    if !config.ephemeral {
        tracing::warn!("the store on disk is not there yet: everything is kept in memory");
    }
    Ok(Arc::new(MemoryEngine::new()))
}
