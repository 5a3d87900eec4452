//! The composition root: the parts of a running server, put together once.
//!
//! Chooses the clock and the random source: those of [`crate::system`], or the caller's.

use crate::config::{BaseConfig, ConfigError};
use crate::context::Context;
use crate::domain::entropy::Entropy;
use crate::domain::time::Clock;
use crate::fault::Fault;
use crate::logs::LogError;
use crate::metrics::Metrics;
use crate::outbound::acme::AcmeClient;
use crate::outbound::hook::HookClient;
use crate::outbound::http::{DirectHttp, HttpClient, SystemResolver};
use crate::outbound::mail::{MailTransport, Mailer, SmtpTransport, Templates};
use crate::outbound::provider::ProviderClient;
use crate::outbound::sms::HttpSms;
use crate::state::contention::Contention;
use crate::state::directory::Directory;
use crate::state::health_limits::HealthLimits;
use crate::state::identities::Identities;
use crate::state::key::{KeyRings, MasterKey, UnlockError, unlock};
use crate::state::outbox::{EventOutbox, MailOutbox};
use crate::state::password::Hashing;
use crate::state::password::budgets::Budgets;
use crate::state::password::refusals::Refusals;
use crate::state::rate_limits::RateLimits;
use crate::state::recent_sign_ins::RecentSignIns;
use crate::state::settled_clock::SettledClock;
use crate::state::shared_refreshes::SharedRefreshes;
use crate::state::sightings::Sightings;
use crate::state::verified_tokens::VerifiedTokens;
use crate::store::data_folder::{self, OpenFolder, Options};
use crate::store::maintenance::Maintain;
use crate::store::memory::MemoryEngine;
use crate::store::{Engine, Fatal, OnProgress, StoreError, tallies, user};
use crate::system::{SystemClock, SystemEntropy, create_private};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Notify;

/// The memory for verified access tokens is the memory for cached records divided by this. A token takes about 700
/// bytes.
const VERIFIED_TOKENS_SHARE: u64 = 4;

/// The parts of a [`Context`] that come from outside.
pub struct ContextParts {
    /// The store of the records.
    pub store: Arc<dyn Engine>,
    /// The source of the present time.
    pub clock: Arc<dyn Clock>,
    /// The source of random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The way to mail servers.
    pub mail: Arc<dyn MailTransport>,
    /// What sends requests to third-party providers.
    pub http: Arc<dyn HttpClient>,
}

/// Why a server could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// These settings cannot be combined.
    #[error("{0}")]
    Refused(String),
    /// Logging could not start.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The system could not start threads.
    #[error("cannot start worker threads: {0}")]
    Runtime(#[source] io::Error),
    /// The host has no address.
    #[error("Error while starting webserver. The host '{host}' has no address: {source}. Choose another with --host")]
    UnknownHost {
        /// The host's name.
        host: String,
        /// The OS error.
        source: io::Error,
    },
    /// The port could not be opened.
    #[error(
        "Error while starting webserver. Possible reasons: another program, or another sessiond, already uses port \
         {port} on {host}; or this user may not open the port; or {host} is not an address of this machine ({source}). \
         Choose another with --port or --host"
    )]
    Bind {
        /// The address.
        host: String,
        /// The port.
        port: u16,
        /// The OS error.
        source: io::Error,
    },
    /// The front door's certificate cannot be used; a sentence that names the file.
    #[error("{0}")]
    Certificate(String),
    /// The data folder is not usable.
    #[error("cannot use the data folder {path}: {source}. Choose a writable one with --data-dir")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The OS error.
        source: io::Error,
    },
    /// The store could not be opened, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys could not be opened.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The store failed while the server ran.
    #[error("{0}. Everything acknowledged is on disk; free space on the disk or repair it, then start again")]
    StoreFailed(String),
    /// Another internal failure.
    #[error("{}", .0.chain())]
    Inside(#[from] Fault),
}

/// Opens the store, unlocks the keys and loads the directory. For short work: the process aborts if the store fails for
/// good meanwhile.
///
/// # Errors
/// What was wrong, and what to do about it.
pub async fn open(config: &Arc<BaseConfig>) -> Result<Context, StartError> {
    let fatal: Fatal = Arc::new(|_| std::process::abort());
    over(config, &OpenStore::open(config, Arc::new(|_| ()), fatal)?).await
}

/// The same over a store that is already open. The store is closed if the rest fails to open.
///
/// # Errors
/// When the keys or the directory cannot be read.
pub async fn over(config: &Arc<BaseConfig>, store: &OpenStore) -> Result<Context, StartError> {
    let engine = Arc::clone(&store.engine);
    let parts = ContextParts {
        store: Arc::clone(&engine),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        mail: Arc::new(SmtpTransport::default()),
        http: Arc::new(DirectHttp::new(Arc::new(SystemResolver))),
    };
    let context = compose(config, parts).await;
    if context.is_err() {
        // Nothing was written, so the next start may trust what is there. The first error is the one to report.
        let _ = engine.close().await;
    }
    context
}

/// The same with parts chosen by the caller: tests bring their own store, clock and randomness.
///
/// # Errors
/// When the keys or the directory cannot be read.
pub async fn compose(config: &Arc<BaseConfig>, parts: ContextParts) -> Result<Context, StartError> {
    let ContextParts { store, clock, entropy, mail, http } = parts;
    let master = config.master_key.as_ref().map(|key| MasterKey::new(key.expose())).transpose()?;
    let vault = unlock(&*store, master.as_ref(), &*entropy).await?;
    let settled_clock = match config.test_mode {
        true => SettledClock::trusting(clock.reading()),
        false => SettledClock::resume(&*store, clock.reading()).await?,
    };
    let sms = Arc::new(HttpSms::new(Arc::clone(&http)));
    let directory = Directory::load(Arc::clone(config), &*store).await?;
    user::listing::v1::upgrade(&*store).await?;
    tallies::establish(&*store).await?;
    Ok(Context {
        directory,
        store,
        clock,
        settled_clock,
        entropy,
        keys: Arc::new(KeyRings::new(vault)),
        verified: VerifiedTokens::new(config.cache_bytes / VERIFIED_TOKENS_SHARE),
        identities: Identities::default(),
        shared_refreshes: SharedRefreshes::default(),
        health: HealthLimits::default(),
        contention: Contention::default(),
        hashing: Hashing::new(config.hashing),
        budgets: Budgets::default(),
        refusals: Refusals::default(),
        limits: RateLimits::default(),
        activity: Arc::default(),
        imports: Notify::new(),
        certificates: Arc::default(),
        mailer: Mailer::new(mail, sms, Templates::new(config.templates_dir.clone())),
        outbox: MailOutbox::default(),
        events: EventOutbox::default(),
        hooks: HookClient::new(Arc::clone(&http)),
        acme: AcmeClient::new(Arc::clone(&http)),
        providers: ProviderClient::new(http),
        sightings: Sightings::default(),
        sign_ins: RecentSignIns::default(),
        metrics: Metrics::default(),
    })
}

/// The store of a server.
#[derive(Clone)]
pub struct OpenStore {
    /// The store of the records.
    pub engine: Arc<dyn Engine>,
    /// The operations for operators; `None` for a store that does not outlive the process.
    pub maintenance: Option<Arc<dyn Maintain>>,
}

impl OpenStore {
    /// Opens the data folder, or a store in memory if the settings say so. Blocks while a folder is recovered.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(config: &BaseConfig, progress: OnProgress, fatal: Fatal) -> Result<Self, StartError> {
        let folder = create_private(&config.data_dir);
        if config.ephemeral {
            // Without a folder, commands cannot find the server, which is logged later; it serves all the same.
            return Ok(Self { engine: Arc::new(MemoryEngine::new()), maintenance: None });
        }
        folder.map_err(|source| StartError::Folder { path: config.data_dir.clone(), source })?;
        let options = Options { progress, fatal, ..disk_options(config) };
        let OpenFolder { engine, maintenance } = data_folder::open(&config.data_dir, &options)?;
        Ok(Self { engine, maintenance: Some(maintenance) })
    }
}

/// The options for opening a data folder with these settings.
#[must_use]
pub fn disk_options(config: &BaseConfig) -> Options {
    let options = Options::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
    Options { cache_bytes: config.cache_bytes, ..options }
}
